"""The main window: what is open in tabs, panels around it, and the table of actions as menus and toolbar."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from studio.canvas.view import CanvasView
from studio.devices import Devices, Picker
from studio.docks import Docks
from studio.files import Files
from studio.hardware import ChipPicker
from studio.importing import Importer
from studio.menus import Menus
from studio.notice import Notice
from studio.recent import RecentMenu
from studio.records import Records
from studio.session import Session
from studio.settings import Settings
from studio.sight import Sight
from studio.status import Status
from studio.tabs import Tabs
from studio.training.trainer import Trainer
from studio.welcome import Welcome
from studio.workspace import Workspace

NAME = "Myelin Studio"
SIZE = QSize(1600, 1000)
"""At first, on a screen that has the room."""

FRAME = QSize(16, 48)
"""What a desktop draws around a window."""

CANVAS_FLAGS = ("grid", "snap", "minimap_shown")
"""How canvases look is remembered, and a new one looks like the one in front."""


class MainWindow(QMainWindow):
    """The studio's window.  Actions and panels reach what they need by its few attributes."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.workspace = Workspace(self)
        self.devices = Devices(self.workspace, self.settings)
        self.files = Files(self.workspace, self.settings, self)
        self.importer = Importer(self.files, self)
        self.tabs = Tabs(self.workspace, Welcome(self.files), self._make_canvas)
        self.setCentralWidget(self.tabs)
        self.docks = Docks(self, self.workspace)
        self.menus = Menus(self)
        self.menus.toolbar.addSeparator()
        self.menus.toolbar.addWidget(Picker(self.devices))
        self.menus.toolbar.addWidget(ChipPicker(self.workspace))
        self.recent = RecentMenu(self.files, self)
        self.menus.add("File", self.recent, before="file.save")
        self.status = Status(self.statusBar(), self.workspace)
        self.setDockNestingEnabled(True)
        self.setAcceptDrops(True)
        self.setMinimumSize(480, 360)
        self._connect()
        self._restore()
        self._on_current(None)

    @property
    def canvas(self) -> CanvasView | None:
        """The canvas in front, None on the welcome page."""
        found = self.tabs.canvas
        return found if isinstance(found, CanvasView) else None

    def panel(self, id: str) -> QWidget:
        """Show a panel and return it; KeyError if there is none."""
        return self.docks.show(id)

    def run(self, id: str) -> None:
        """Do what an action says, if it is possible now."""
        self.menus.run(id)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about every document that is not saved; Cancel keeps the window."""
        self._remember_canvas()
        if not self.files.close_all():
            event.ignore()
            return
        self._remember()
        self.importer.close()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Documents can be dropped anywhere on the window."""
        if self.files.documents_in(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the documents dropped."""
        for path in self.files.documents_in(event.mimeData()):
            self.files.open(path)
        event.acceptProposedAction()

    def _connect(self) -> None:
        self.tabs.close_asked.connect(self.files.close)
        self.tabs.currentChanged.connect(self.menus.refresh)
        self.workspace.session_opened.connect(self._on_opened)
        self.workspace.current_changed.connect(self._on_current)
        self.files.recent_changed.connect(self.menus.refresh)
        self.files.notice.connect(self._on_notice)
        for dock in self.docks.docks.values():
            dock.visibilityChanged.connect(self.menus.refresh)

    def _on_opened(self, session: Session) -> None:
        for signal in (session.history_changed, session.path_changed):
            signal.connect(self._retitle)
        for signal in (session.history_changed, session.selection_changed, session.scope_changed):
            signal.connect(self.menus.refresh)
        runner, shown = session.runner, Records.of(session).moved
        for told in (runner.state_changed, runner.stale_changed, shown, Trainer.of(session).shown):
            told.connect(self.menus.refresh)
        session.runner.failed.connect(lambda text, _: self.workspace.message.emit(text))

    def _on_current(self, session: Session | None) -> None:
        self.docks.put_away(session is None)
        self._retitle()
        self.menus.refresh()

    def _on_notice(self, session: Session, notice: Notice) -> None:
        page = self.tabs.page(session)
        if page is not None:
            page.notify(notice)

    def _retitle(self) -> None:
        session = self.workspace.current
        self.setWindowTitle(f"{session.title}[*] \N{EM DASH} {NAME}" if session else NAME)
        self.setWindowFilePath(str(session.path) if session and session.path else "")
        self.setWindowModified(session is not None and session.dirty)

    def _make_canvas(self, session: Session) -> CanvasView:
        canvas = CanvasView(session)
        for name in CANVAS_FLAGS:
            like = getattr(self.canvas or canvas, name)
            setattr(canvas, name, like if self.canvas else self.settings.flag(f"canvas/{name}", like))
        self.menus.lend(canvas)
        Sight(canvas, self.settings)
        return canvas

    def _restore(self) -> None:
        self.resize(SIZE.boundedTo(self.screen().availableSize() - FRAME))
        geometry: QByteArray = self.settings.blob("window/geometry")
        if not geometry.isEmpty():
            self.restoreGeometry(geometry)
        self.docks.restore(self.settings.blob("window/docks"))

    def _remember_canvas(self) -> None:
        if self.canvas:
            for name in CANVAS_FLAGS:
                self.settings.put(f"canvas/{name}", bool(getattr(self.canvas, name)))

    def _remember(self) -> None:
        self.settings.put("window/geometry", self.saveGeometry())
        self.settings.put("window/docks", self.docks.state())
        self.settings.sync()
