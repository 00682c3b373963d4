"""The dock of one panel: it is called what the panel is called, and says so once."""

from __future__ import annotations

from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyleOptionDockWidget, QWidget


class Dock(QDockWidget):
    """Follows its panel's title; where a tab shows that, the bar below it does not."""

    def __init__(self, title: str, panel: QWidget, window: QMainWindow) -> None:
        super().__init__(panel.windowTitle() or title, window)
        self._window = window
        panel.windowTitleChanged.connect(self.setWindowTitle)
        for signal in (self.visibilityChanged, self.topLevelChanged, self.dockLocationChanged):
            signal.connect(self.update)

    @property
    def tabbed(self) -> bool:
        """Whether it shares its place with others, by tabs."""
        others = self._window.tabifiedDockWidgets(self)
        return not self.isFloating() and any(not other.isHidden() for other in others)

    def initStyleOption(self, option: QStyleOptionDockWidget) -> None:
        """What the title bar is painted from."""
        super().initStyleOption(option)
        if self.tabbed:
            option.title = ""
