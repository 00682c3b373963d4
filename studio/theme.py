"""Colours by role, dark and light, and icons in them.  No colour is written elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
ICONS = RESOURCES / "icons"
SHEET = RESOURCES / "themes" / "studio.qss"

DARK = {
    "window": "#1b1e24", "hover": "#323844", "progress": "#22587a",
    "panel": "#22262e", "field": "#2b303a", "border": "#3a404c",
    "text": "#e6e9ef", "muted": "#a3abba", "disabled": "#7f889a",
    "accent": "#4cc2ff", "accent.text": "#06121c", "select": "#4cc2ff",
    "canvas": "#15171c", "grid": "#22262e", "node": "#2a2f39",
    "node.header": "#343b48", "node.border": "#4a5262",
    "error": "#ff8080", "limit": "#ff8080", "warning": "#ffb454", "info": "#6cb6ff", "good": "#5bd68b",
    "kind.spikes": "#ffc857", "kind.current": "#5aa9ff", "kind.value": "#6fdc8c", "kind.potential": "#c792ea",
    "kind.label": "#b8c0cc", "kind.loss": "#ff8a82", "kind.delays": "#2dd4bf", "kind.rule": "#ff8fb1",
    "kind.modulator": "#f59e5b", "kind.audio": "#9fb4ff",
    "role.population": "#ffc857", "role.projection": "#5aa9ff", "role.encoder": "#6fdc8c",
    "role.delays": "#2dd4bf",
    "role.rule": "#ff8fb1", "role.readout": "#c792ea", "role.loss": "#ff8a82", "role.probe": "#b8c0cc",
    "role.dataset": "#9fb4ff", "role.structure": "#9fabc0", "role.node": "#9fabc0",
    "excitatory": "#ff9f6b", "inhibitory": "#6ba8ff",
    "plot.1": "#4cc2ff", "plot.2": "#ffc857", "plot.3": "#5bd68b", "plot.4": "#ff7b9c", "plot.5": "#c792ea",
    "plot.6": "#f59e5b",
}  # fmt: skip
LIGHT = {
    "window": "#eef0f4", "hover": "#e1e6ef", "progress": "#b5d5f5",
    "panel": "#f8f9fb", "field": "#ffffff", "border": "#c9cfda",
    "text": "#1c2230", "muted": "#566072", "disabled": "#7c8697",
    "accent": "#0b6bcb", "accent.text": "#ffffff", "select": "#0b6bcb",
    "canvas": "#fbfcfe", "grid": "#e6e9f0", "node": "#ffffff",
    "node.header": "#eef1f7", "node.border": "#aab3c2",
    "error": "#c62828", "limit": "#c62828", "warning": "#9a5b00", "info": "#0b6bcb", "good": "#17713d",
    "kind.spikes": "#8a5c00", "kind.current": "#1f5fbf", "kind.value": "#1d7a3d", "kind.potential": "#7b3fb0",
    "kind.label": "#566072", "kind.loss": "#c0392b", "kind.delays": "#0b7a70", "kind.rule": "#b83263",
    "kind.modulator": "#a5541a", "kind.audio": "#3f56b5",
    "role.population": "#8a5c00", "role.projection": "#1f5fbf", "role.encoder": "#1d7a3d",
    "role.delays": "#0b7a70",
    "role.rule": "#b83263", "role.readout": "#7b3fb0", "role.loss": "#c0392b", "role.probe": "#566072",
    "role.dataset": "#3f56b5", "role.structure": "#566072", "role.node": "#566072",
    "excitatory": "#a8481a", "inhibitory": "#1f5fbf",
    "plot.1": "#0b6bcb", "plot.2": "#8a5c00", "plot.3": "#17713d", "plot.4": "#b83263", "plot.5": "#7b3fb0",
    "plot.6": "#a5541a",
}  # fmt: skip
THEMES = {"dark": DARK, "light": LIGHT}


class Theme(QObject):
    """The theme in use; ``changed`` after another one is chosen."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = "dark"

    def colour(self, role: str, alpha: int = 255) -> QColor:
        """The colour of a role; of an unknown kind or role of nodes, that of plain ones."""
        roles = THEMES[self.name]
        plain = {"kind": "muted", "role": "role.node"}.get(role.partition(".")[0], role)
        found = QColor(roles[role] if role in roles else roles[plain])
        found.setAlpha(alpha)
        return found

    def use(self, name: str) -> None:
        """Choose ``dark`` or ``light`` for the whole application."""
        self.name = name
        self.apply()
        self.changed.emit()

    def apply(self) -> None:
        """Give the application this theme's palette and style sheet."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            if application.style().name() != "fusion":
                application.setStyle("Fusion")
            application.setPalette(self.palette())
            application.setStyleSheet(style_sheet(THEMES[self.name]))

    def palette(self) -> QPalette:
        """Qt's roles from ours."""
        palette = QPalette()
        pairs = {
            QPalette.ColorRole.Window: "window", QPalette.ColorRole.WindowText: "text",
            QPalette.ColorRole.Base: "field", QPalette.ColorRole.AlternateBase: "panel",
            QPalette.ColorRole.Text: "text", QPalette.ColorRole.Button: "panel",
            QPalette.ColorRole.ButtonText: "text", QPalette.ColorRole.ToolTipBase: "field",
            QPalette.ColorRole.ToolTipText: "text", QPalette.ColorRole.Highlight: "accent",
            QPalette.ColorRole.HighlightedText: "accent.text", QPalette.ColorRole.PlaceholderText: "muted",
            QPalette.ColorRole.Link: "accent", QPalette.ColorRole.Mid: "border",
            QPalette.ColorRole.Accent: "accent",
        }  # fmt: skip
        for role, name in pairs.items():
            palette.setColor(role, self.colour(name))
        for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.colour("disabled"))
        return palette

    def icon(self, name: str, role: str = "text") -> QIcon:
        """The icon ``resources/icons/<name>.svg``, its ``currentColor`` in the colour of a role."""
        found = QIcon(_icon_file(name, self.colour(role).name()))
        found.addFile(_icon_file(name, self.colour("disabled").name()), mode=QIcon.Mode.Disabled)
        return found


def system_theme() -> str:
    """``dark`` or ``light``, as the desktop is set."""
    light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
    return "light" if light else "dark"


def style_sheet(colours: dict[str, str]) -> str:
    """``studio.qss`` with a theme's colours, and icons as files because a style sheet takes no others."""

    def value(found: re.Match[str]) -> str:
        name, _, role = found[2].rpartition(" ")
        return _icon_file(name, colours[role]) if found[1] else colours[role]

    return re.sub(r"\{(icon )?([a-z][a-z. ]*)\}", value, SHEET.read_text(encoding="utf-8"))


@cache
def _icon_file(name: str, colour: str) -> str:
    """An icon in one colour as a file that lasts as long as the process, with ``/`` on every system."""
    file = Path(_files().path()) / f"{name}-{colour[1:]}.svg"
    drawn = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    file.write_text(drawn.replace("currentColor", colour), encoding="utf-8")
    return file.as_posix()


@cache
def _files() -> QTemporaryDir:
    return QTemporaryDir()


theme = Theme()
"""The one theme of the application."""
