"""Preferences: what is the same for every document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout

from studio import places
from studio.made import made

if TYPE_CHECKING:
    from studio.window import MainWindow

THEMES = {"system": "As the system", "dark": "Dark", "light": "Light"}
SCALES = {"": "As the system", "0.8": "80 %", "1.25": "125 %", "1.5": "150 %", "2": "200 %"}


class Preferences(QDialog):
    """Every choice counts at once and is remembered; the size of everything at the next start."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.window_ = window
        settings = window.settings
        self.theme = _choice(THEMES, settings.text("theme", "system"), "Colours of the whole window")
        self.scale = _choice(
            SCALES, settings.text("scale"), "Size of text and controls, from the next start on"
        )
        self.theme.currentIndexChanged.connect(lambda: window.run(f"window.theme.{self.theme.currentData()}"))
        self.scale.currentIndexChanged.connect(lambda: settings.put("scale", self.scale.currentData()))
        form = QFormLayout()
        form.setHorizontalSpacing(20)
        form.addRow("&Theme", self.theme)
        form.addRow("&Size", self.scale)
        note = QLabel(
            "Every edit is written to a crash journal at once, so nothing needs to be saved by a clock.\n"
            f"Journals of unsaved documents lie in {places.state_folder() / 'unsaved'}.",
            wordWrap=True,
            textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 14)
        column.setSpacing(18)
        column.addLayout(form)
        column.addWidget(note)
        column.addWidget(buttons)
        self.setMinimumWidth(420)


def _choice(titles: dict[str, str], chosen: str, help: str) -> QComboBox:
    box = made(QComboBox(), toolTip=help)
    for value, title in titles.items():
        box.addItem(title, value)
    box.setCurrentIndex(max(box.findData(chosen), 0))
    return box
