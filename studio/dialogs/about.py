"""About: what this is, and the versions a report of a problem should name."""

from __future__ import annotations

import platform

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.versions import installed, own_version
from studio.theme import ICONS

NAMED = ("PySide6-Essentials", "pyqtgraph", "numpy", "torch", "lightning", "networkx")


class About(QDialog):
    """Versions, and a button that copies them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setWindowTitle("About Myelin Studio")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picture = QLabel()
        picture.setPixmap(QIcon(str(ICONS / "app.svg")).pixmap(QSize(72, 72)))
        text = QLabel(
            "<h2>Myelin Studio</h2><p>Draw spiking neural networks, watch them live, train their delays.</p>"
            "<p>Licence: Apache-2.0</p>"
        )
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(text, 1)
        details = QLabel(versions(), textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        details.setAccessibleName("Versions")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy versions", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(versions()))
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(14)
        column.addLayout(head)
        column.addWidget(details)
        column.addWidget(buttons)


def versions() -> str:
    """A line for each thing whose version matters."""
    named = [(name, installed(name) or "not installed") for name in NAMED]
    lines = [("Myelin Studio", own_version()), ("Python", platform.python_version()), ("Qt", qVersion())]
    return "\n".join(f"{name} {number}" for name, number in [*lines, *named, ("System", platform.platform())])
