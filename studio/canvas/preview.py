"""A node as it will look, with its ports and defaults, beside a list of types."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGraphicsScene, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.document import Document
from nodes.spec import Spec
from studio.canvas import looks, style
from studio.canvas.face import face_of
from studio.canvas.node import MARGIN, NodeItem
from studio.canvas.wiring import Wiring
from studio.theme import theme


class Preview(QWidget):
    """The picture of a node above what its ports carry and its parameters are."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = Picture()
        self.text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text.setContentsMargins(4, 4, 4, 4)
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture)
        column.addWidget(area, 1)

    def show_type(self, spec: Spec | None) -> None:
        """Show a type with its defaults; None: nothing."""
        self.picture.show_type(spec)
        self.text.setText(described(spec) if spec else "")


class Picture(QWidget):
    """A node painted as on the canvas, as large as it fits."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(QSize(200, 130))
        self._scene = QGraphicsScene(self)

    def show_type(self, spec: Spec | None) -> None:
        """Show a type with its defaults."""
        self._scene.clear()
        if spec is not None:
            document = Document()
            id = document.add(spec.type)
            face = face_of(document, id)
            self._scene.addItem(
                NodeItem(id, face, looks.node_marks(document, Wiring(document), face, id, []))
            )
            space = QRectF(0, 0, face.width, face.height).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
            self._scene.setSceneRect(space)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it in the middle, at most at its own size."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), style.brush("canvas"))
        source, room = self._scene.sceneRect(), QRectF(self.rect())
        scale = min(1.0, room.width() / max(source.width(), 1), room.height() / max(source.height(), 1))
        target = QRectF(0, 0, source.width() * scale, source.height() * scale)
        target.moveCenter(room.center())
        self._scene.render(painter, target, source)
        painter.end()


def described(spec: Spec) -> str:
    """What a type is in a sentence, what it takes and gives, and its parameters, as rich text."""
    parts = [f"<p>{escape(one_line(spec))}.</p>"]
    for title, ports in (("Takes", spec.inputs), ("Gives", spec.outputs)):
        rows = "".join(_row(name, " or ".join(port.kinds)) for name, port in ports.items())
        parts.append(f"<p><b>{title}</b></p><table>{rows}</table>" if rows else "")
    rows = "".join(_row(name, f"{_shown(p.default)} {p.unit}") for name, p in spec.params.items())
    parts.append(f"<p><b>Parameters</b></p><table>{rows}</table>" if rows else "")
    return "".join(parts)


def one_line(spec: Spec) -> str:
    """The first sentence of a type's help, without its full stop."""
    first = (spec.__doc__ or "").strip().partition("\n")[0]
    return first.partition(".  ")[0].rstrip(".")


def _row(name: str, value: str) -> str:
    muted = theme.colour("muted").name()
    return f"<tr><td>{escape(name)}&nbsp;&nbsp;</td><td style='color:{muted}'>{escape(value)}</td></tr>"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "×".join(map(str, value)) or "as it comes"
    return str(value) if value != "" else "none"
