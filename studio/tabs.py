"""The middle of the window: a tab for each open document, and the welcome page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGraphicsView, QTabBar, QTabWidget, QVBoxLayout, QWidget

from studio.banner import Banner
from studio.notice import Notice
from studio.session import Session
from studio.theme import theme
from studio.welcome import Welcome
from studio.workspace import Workspace

Make = Callable[[Session], QGraphicsView]


class Page(QWidget):
    """One document: notices, and below them its canvas."""

    def __init__(self, session: Session, canvas: QGraphicsView) -> None:
        super().__init__()
        self.session, self.canvas = session, canvas
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Banner(session))
        column.addWidget(canvas, 1)
        self.setFocusProxy(canvas)

    def notify(self, notice: Notice) -> None:
        """Show a notice above the canvas, instead of one that is already there."""
        for old in self.findChildren(Notice):
            old.dismiss()
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, notice)


class Tabs(QTabWidget):
    """Keeps tabs and workspace in step: the tab in front is the current session, or the welcome page."""

    close_asked = Signal(object)
    """A Session whose tab's cross was clicked."""

    def __init__(self, workspace: Workspace, welcome: Welcome, make_canvas: Make) -> None:
        super().__init__()
        self.workspace, self.welcome, self._make_canvas = workspace, welcome, make_canvas
        self.setDocumentMode(True)
        self.setTabsClosable(True)
        self.setMovable(True)
        self.tabBar().setAccessibleName("Open documents")
        self.addTab(welcome, "Welcome")
        for side in (QTabBar.ButtonPosition.LeftSide, QTabBar.ButtonPosition.RightSide):
            self.tabBar().setTabButton(0, side, None)  # no cross: it is always there
        workspace.session_opened.connect(self._add)
        workspace.session_closed.connect(self._remove)
        workspace.current_changed.connect(self._show)
        self.currentChanged.connect(self._on_current)
        self.tabCloseRequested.connect(self._on_close)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    @property
    def pages(self) -> list[Page]:
        """The pages of documents, in the order of their tabs."""
        widgets = [self.widget(index) for index in range(self.count())]
        return [widget for widget in widgets if isinstance(widget, Page)]

    @property
    def canvas(self) -> QGraphicsView | None:
        """The canvas in front."""
        page = self.currentWidget()
        return page.canvas if isinstance(page, Page) else None

    def page(self, session: Session) -> Page | None:
        """The page of a session."""
        return next((page for page in self.pages if page.session is session), None)

    def show_welcome(self) -> None:
        """Bring the welcome page to the front."""
        self.setCurrentWidget(self.welcome)

    def retitle(self, session: Session) -> None:
        """Write a session's title on its tab, with a star while it has changes that are not saved."""
        page = self.page(session)
        if page is not None:
            index = self.indexOf(page)
            self.setTabText(index, f"{session.title} *" if session.dirty else session.title)
            self.setTabToolTip(index, str(session.path or f"{session.title} is not saved yet"))

    def _add(self, session: Session) -> None:
        canvas = self._make_canvas(session)
        self.addTab(Page(session, canvas), session.title)
        session.history_changed.connect(lambda: self.retitle(session))
        session.path_changed.connect(lambda: self.retitle(session))
        self.retitle(session)

    def _remove(self, session: Session) -> None:
        page = self.page(session)
        if page is not None:
            self.removeTab(self.indexOf(page))
            page.deleteLater()
        if not self.pages:
            self.show_welcome()

    def _show(self, session: Session | None) -> None:
        page = self.page(session) if session else None
        if page is not None:
            self.setCurrentWidget(page)
        elif session is None and isinstance(self.currentWidget(), Page):
            self.show_welcome()

    def _on_current(self) -> None:
        page = self.currentWidget()
        if isinstance(page, Page):
            self.workspace.bring_to_front(page.session)
            page.canvas.setFocus()
        elif page is self.welcome:
            self.workspace.bring_to_front(None)

    def _on_close(self, index: int) -> None:
        page = self.widget(index)
        if isinstance(page, Page):
            self.close_asked.emit(page.session)

    def _draw_icons(self) -> None:
        self.setTabIcon(self.indexOf(self.welcome), theme.icon("welcome"))
