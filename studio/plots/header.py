"""The line above a plot: what it shows, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from studio.plots import export
from studio.plots.neurons import parse, shorten
from studio.theme import theme

if TYPE_CHECKING:
    from studio.plots.base import Plot


VIEW_MIME = "application/x-myelin-view"
"""What is dragged to move a plot: the id of its view."""


class Header(QWidget):
    """Title, a readout of what lies under the mouse, and buttons."""

    def __init__(self, plot: Plot) -> None:
        super().__init__(plot)
        self.plot = plot
        self._pressed = QPoint()
        self.title = Elided(self)
        self.readout = QLabel(self)
        self.neurons = self._button("neurons", "Choose neurons")
        self.neurons.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.neurons.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.neurons.setVisible(plot.choosable)
        self._fill_neurons()
        self.pin = self._button("pin", "Pin to the canvas, or move back to the panel")
        self.pin.clicked.connect(plot.pin)
        self.export = self._button("export", "Export as CSV, PNG or SVG")
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export.setMenu(self._export_menu())
        self.close_button = self._button("close", "Close the plot (undo brings it back)")
        self.close_button.clicked.connect(plot.remove)
        self._lay_out()

    def refresh(self) -> None:
        """Title and neurons as the document has them."""
        whole = f"{self.plot.plot_title} of {self.plot.title}"
        self.title.say(self.plot.title, whole)
        for canvas in self.plot.findChildren(QGraphicsView):
            canvas.setAccessibleName(whole)
        self.neurons.setText(self._chosen())
        self.neurons.setToolTip(f"Neurons shown: {shorten(self.plot.neurons_shown)}; click to choose")

    def restyle(self) -> None:
        """Icons in the colours of the theme."""
        for button in (self.pin, self.export, self.close_button):
            button.setIcon(theme.icon(button.objectName()))
        palette = self.readout.palette()
        palette.setColor(self.readout.foregroundRole(), theme.colour("muted"))
        self.readout.setPalette(palette)
        self.refresh()

    def read(self, text: str) -> None:
        """Tell what lies under the mouse."""
        self.readout.setText(text)
        self.readout.setVisible(bool(text))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Perhaps the beginning of a drag; a pinned plot is carried by its frame."""
        self._pressed = event.position().toPoint()
        event.setAccepted(not self.plot.view.get("pinned"))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Carry the plot to another place in the panel."""
        far = (event.position().toPoint() - self._pressed).manhattanLength()
        if far < QApplication.startDragDistance() or self.plot.view.get("pinned"):
            event.ignore()
            return
        data = QMimeData()
        data.setData(VIEW_MIME, self.plot.view_id.encode())
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.setPixmap(self.plot.grab().scaledToWidth(160, Qt.TransformationMode.SmoothTransformation))
        drag.exec(Qt.DropAction.MoveAction)

    def _chosen(self) -> str:
        shown = self.plot.neurons_shown
        if shown is None:
            return "all neurons"
        text = f"{'neuron' if len(shown) == 1 else 'neurons'} {shorten(shown)}"
        return text if len(text) <= 20 else f"{len(shown)} neurons"

    def _button(self, icon: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(icon)
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _fill_neurons(self) -> None:
        menu = QMenu(self)
        self.field = QLineEdit(menu)
        self.field.setPlaceholderText("0-9, 15 or all")
        self.field.setToolTip("Numbers of the neurons, from 0, with commas and ranges")
        self.field.setMinimumWidth(180)
        self.field.returnPressed.connect(self._choose)
        line = QWidgetAction(menu)
        line.setDefaultWidget(self.field)
        menu.addAction(line)
        menu.aboutToShow.connect(self._open)
        self.neurons.setMenu(menu)

    def _open(self) -> None:
        self.field.setText(shorten(self.plot.chosen))
        self.field.selectAll()
        self.field.setFocus()

    def _choose(self) -> None:
        try:
            self.plot.choose(parse(self.field.text(), self.plot.count))
        except ValueError as error:
            self.plot.session.refused.emit(str(error))
            return
        self.neurons.menu().close()

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        export.fill(menu, self.plot)
        return menu

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 4, 2)
        row.setSpacing(2)
        row.addWidget(self.title, 1)
        self.readout.hide()
        for widget in (self.readout, self.neurons, self.pin, self.export, self.close_button):
            row.addWidget(widget)


class Elided(QLabel):
    """One line of text that ends in … where there is no room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._full = ""
        self.setMinimumWidth(40)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def say(self, text: str, tip: str) -> None:
        """Show this text."""
        self._full = text
        self.setToolTip(tip)
        self._elide()

    def resizeEvent(self, event: object) -> None:
        """Fit again."""
        self._elide()

    def _elide(self) -> None:
        self.setText(
            self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, max(self.width(), 20))
        )
