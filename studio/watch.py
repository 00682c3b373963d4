"""Notices that another program has changed the file of an open document; our own saves do not count."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from engine.document import DocumentError, digest
from engine.document.store import read_bytes
from studio.session import Session

PAUSE_MS = 150
"""Another program's save is several changes in a row; this long after the last it is looked at."""


class Watch(QObject):
    """Watches the files of sessions."""

    changed = Signal(object)
    """The Session whose file has another content."""
    removed = Signal(object)
    """The Session whose file is gone."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._known: dict[Session, tuple[Path, str]] = {}
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._look)
        self._watcher.fileChanged.connect(lambda _: self._timer.start())

    def know(self, session: Session) -> None:
        """The file is as it should be now: just opened or just saved."""
        self.forget(session)
        if session.path is not None:
            self._known[session] = (session.path, _digest(session.path))
            self._watcher.addPath(str(session.path))

    def forget(self, session: Session) -> None:
        """Watch this session's file no more."""
        path, _ = self._known.pop(session, (None, ""))
        if path is not None:
            self._watcher.removePath(str(path))

    def _look(self) -> None:
        for session, (path, known) in list(self._known.items()):
            now = _digest(path)
            if now == known:
                self._watcher.addPath(str(path))  # A file that was replaced is a new one to the watcher.
            else:
                self.know(session)
                (self.changed if now else self.removed).emit(session)


def _digest(path: Path) -> str:
    """The digest of a file's content, "" if it cannot be read."""
    try:
        return digest(read_bytes(path))
    except DocumentError:
        return ""
