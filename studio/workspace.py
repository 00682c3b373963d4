"""All that is open: the sessions, and which of them is in front."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from studio.session import Session


class Workspace(QObject):
    """The open sessions.  Panels follow ``current_changed``; they never look for the window."""

    session_opened = Signal(object)
    session_closed = Signal(object)
    current_changed = Signal(object)
    """The Session in front, or None."""
    message = Signal(str)
    """A line for the status bar and the log."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sessions: list[Session] = []
        self._current: Session | None = None

    @property
    def current(self) -> Session | None:
        """The session in front."""
        return self._current

    def add(self, session: Session) -> None:
        """Take up a session and bring it to the front."""
        session.setParent(self)
        session.refused.connect(self.message)
        session.noticed.connect(self.message)
        self.sessions.append(session)
        self.session_opened.emit(session)
        self.bring_to_front(session)

    def bring_to_front(self, session: Session | None) -> None:
        """Make a session the current one."""
        if session is not self._current:
            self._current = session
            self.current_changed.emit(session)

    def close(self, session: Session) -> None:
        """Let go of a session; whether to save is asked before."""
        self.sessions.remove(session)
        if session is self._current:
            self.bring_to_front(self.sessions[-1] if self.sessions else None)
        self.session_closed.emit(session)
        session.close()
        session.deleteLater()
