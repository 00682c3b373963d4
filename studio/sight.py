"""What a canvas shows of its drawing: everything until the user looks elsewhere, and that again next time.

It is remembered in the settings by the document's file: where one looks is no part of the document.
"""

from __future__ import annotations

import json

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer

from studio.canvas.view import CanvasView
from studio.settings import Settings

KEY = "views"
MOST = 100
"""So many documents are remembered, those looked at last."""

STILL = 2.0
"""Pixels that a scroll bar's rounding moves."""

INPUT = (QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.ContextMenu)


class Sight(QObject):
    """Fits one canvas while panels find their sizes around it, and remembers where its user was."""

    def __init__(self, canvas: CanvasView, settings: Settings) -> None:
        super().__init__(canvas)
        self.canvas, self.settings = canvas, settings
        self._wanted = self._known()
        self._own = True
        """Whether the user has not looked elsewhere yet."""
        self._left: tuple[float, float, float] | None = None
        """How the view was left: zoom, and the scene at its corner."""
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.show)
        canvas.viewport().installEventFilter(self)
        self._soon.start()

    @property
    def settled(self) -> bool:
        """Whether the view is as it is to be, until its size changes."""
        return not self._soon.isActive()

    def show(self) -> None:
        """Look at what was looked at last time, or at everything."""
        if self._wanted is None:
            self.canvas.fit_all()
        else:
            zoom, x, y = self._wanted
            self.canvas.set_zoom(zoom)
            self.canvas.centre_on(QPointF(x, y))
            if not self.canvas.visible_area().intersects(self.canvas.canvas.extent()):
                self._wanted = None
                self.canvas.fit_all()
        self.canvas.pins.place_anew()
        self._left = self._now()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A size that changes before the user has moved is answered; what is hidden is remembered."""
        if event.type() in INPUT:
            self._own = False
        elif event.type() == QEvent.Type.Resize and self._own:
            self._own = self._left is None or self._is_as(self._left)
            if self._own:
                self._soon.start()
        elif event.type() == QEvent.Type.Hide:
            self.remember()
        return False

    def remember(self) -> None:
        """Keep what is looked at for the next time that the file is opened."""
        session = self.canvas.session
        if session.path is None or session.scope is not None:
            return
        area = self.canvas.visible_area().center()
        line = json.dumps([str(session.path), round(self.canvas.zoom, 4), round(area.x()), round(area.y())])
        others = [text for text in self.settings.texts(KEY) if _parts(text)[0] not in ("", str(session.path))]
        self.settings.put(KEY, [line, *others][:MOST])

    def _known(self) -> tuple[float, float, float] | None:
        path = str(self.canvas.session.path or "")
        known = {line[0]: line[1:] for line in map(_parts, self.settings.texts(KEY))}
        return known.get(path) if path else None

    def _now(self) -> tuple[float, float, float]:
        corner = self.canvas.mapToScene(0, 0)
        return self.canvas.zoom, corner.x(), corner.y()

    def _is_as(self, left: tuple[float, float, float]) -> bool:
        zoom, x, y = self._now()
        pixels = max(abs(x - left[1]), abs(y - left[2])) * zoom
        return zoom == left[0] and pixels < STILL


def _parts(text: str) -> tuple[str, float, float, float]:
    """A line of the settings; one that is damaged belongs to no file."""
    try:
        path, zoom, x, y = json.loads(text)
        return str(path), float(zoom), float(x), float(y)
    except (ValueError, TypeError):
        return "", 1.0, 0.0, 0.0
