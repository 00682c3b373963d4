"""Documents and their files: new, open, save, revert, close, recover, and the list of recent ones."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.document import Document, DocumentError, discard, journal_path, load
from studio.arranging import lay_out_missing
from studio.dialogs import ask
from studio.keeper import Claim, Keeper, Lost, left_behind, look_at
from studio.notice import Notice
from studio.session import Session
from studio.settings import Settings
from studio.training.places import before_saving
from studio.watch import Watch
from studio.workspace import Workspace

SUFFIX = ".myelin"
RECENT = 12


class Files(QObject):
    """What the File menu does.  Every failure is one sentence through ``workspace.message``."""

    recent_changed = Signal()
    notice = Signal(object, object)
    """A Session, and a Notice to show above its canvas."""
    failed = Signal(str)
    """A sentence why a document was not opened or saved."""

    def __init__(self, workspace: Workspace, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self.workspace, self.settings, self.window = workspace, settings, window
        self.keeper = Keeper(workspace.message.emit)
        self.watch = Watch(self)
        self.watch.changed.connect(self._on_changed)
        self.watch.removed.connect(self._on_removed)
        workspace.session_closed.connect(self.keeper.let_go)
        workspace.session_closed.connect(self.watch.forget)

    def new(self) -> Session:
        """Open an empty document."""
        return self._take_up(Session(Document.new("Untitled")))

    def open(self, path: Path) -> Session | None:
        """Open a document's file, or bring it to the front; None, after a sentence, if it cannot be read."""
        path = Path(os.path.abspath(path))
        already = self.session_of(path)
        if already is not None:
            self.workspace.bring_to_front(already)
            return already
        try:
            session = self._opened(path)
        except DocumentError as error:
            self._fail(error)
            return None
        if session is not None:
            self._remember(path)
        return session

    def open_copy(self, path: Path) -> Session | None:
        """Open a copy of a document without a file of its own; its paths begin where the document lies."""
        try:
            document = load(path)
        except DocumentError as error:
            self._fail(error)
            return None
        return self._take_up(Session(document, folder=path.parent))

    def open_asking(self) -> None:
        """Ask which documents to open."""
        for path in ask.open_paths(self.window, self.start_folder()):
            self.open(path)

    def save(self, session: Session) -> bool:
        """Save a document, asking for a place if it has none; False if it is not saved after all."""
        return self.save_at(session, session.path) if session.path else self.save_as(session)

    def save_as(self, session: Session) -> bool:
        """Ask for a place and save there."""
        start = session.path or self.start_folder() / f"{session.title}{SUFFIX}"
        path = ask.save_path(self.window, start)
        return path is not None and self.save_at(session, path)

    def save_at(self, session: Session, path: Path) -> bool:
        """Save at ``path``; False, after a sentence, if that cannot be done."""
        path = Path(os.path.abspath(path))
        try:
            other = self.session_of(path)
            if other not in (None, session):
                raise DocumentError(f"{path.name} is open in another tab, so choose another name")
            before_saving(session, path)
            self.keeper.save(session, path)
        except DocumentError as error:
            self._fail(error)
            self._offer_again(session, path, str(error))
            return False
        session.mark_saved(path)
        self.watch.know(session)
        self._remember(path)
        self.workspace.message.emit(f"Saved {path.name}")
        return True

    def revert(self, session: Session) -> Session | None:
        """Open the file anew and give up what was changed since it was saved."""
        if session.path is None:
            return None
        path = session.path
        try:
            load(path)
        except DocumentError as error:
            self._fail(error)
            return None
        self.workspace.close(session)
        return self.open(path)

    def close(self, session: Session) -> bool:
        """Close a document, asking about changes; False if the user would rather not."""
        if not self._may_close(session):
            return False
        self.workspace.close(session)
        return True

    def close_all(self) -> bool:
        """Close every document once all questions are answered; False, and none is closed, if one stays."""
        sessions = list(self.workspace.sessions)
        if not all(self._may_close(session) for session in sessions):
            return False
        for session in sessions:
            self.workspace.close(session)
        return True

    def _may_close(self, session: Session) -> bool:
        if not session.dirty and session.runner.state != "training":
            return True
        self.workspace.bring_to_front(session)
        answer = ask.close(self.window, session)
        return answer == ask.DISCARD or (answer == ask.SAVE and self.save(session))

    def session_of(self, path: Path) -> Session | None:
        """The open session of a file."""
        wanted = os.path.realpath(path)
        for session in self.workspace.sessions:
            if session.path is not None and os.path.realpath(session.path) == wanted:
                return session
        return None

    @property
    def recent(self) -> list[Path]:
        """The files opened last, newest first, those that are gone included."""
        return [Path(text) for text in self.settings.texts("recent")]

    def forget_recent(self) -> None:
        """Empty the list of recent files."""
        self.settings.put("recent", [])
        self.recent_changed.emit()

    def documents_in(self, data: QMimeData) -> list[Path]:
        """The documents among what is dragged."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        return [path for path in paths if path.suffix == SUFFIX]

    # --- after a crash

    def recover_left(self) -> None:
        """Ask what to do with what crashes have left behind."""
        found = left_behind()
        if found:
            for lost, answer in ask.recovery(self.window, found).items():
                self.settle(lost, answer)

    def settle(self, lost: Lost, answer: str) -> Session | None:
        """Recover or discard what a crash left behind; anything else leaves it for later."""
        claim = Claim(lost.note)
        if answer not in (ask.RECOVER, ask.DISCARD) or not claim.take():
            return None
        if answer == ask.RECOVER:
            return self._recovered(lost, claim)
        discard(lost.note.journal)
        claim.release()
        return None

    def _recovered(self, lost: Lost, claim: Claim) -> Session | None:
        note = lost.note
        try:
            document = lost.document()
        except DocumentError as error:
            claim.release(forget=False)
            self._fail(error)
            return None
        if document is None:
            discard(note.journal)
            claim.release()
            return self.open(note.file) if note.file else None
        session = Session(document, note.file, Path(note.folder) if note.folder else None)
        self.keeper.resume(session, note.journal, claim)
        session.history.mark_unsaved()
        self._add(session)
        self.workspace.message.emit(f"Recovered {session.title}; save it to keep what was recovered")
        return session

    # --- inside

    def _opened(self, path: Path) -> Session | None:
        claim = self.keeper.claim(path)
        try:
            lost = look_at(claim.note) if journal_path(path).exists() else None
            if lost is not None:
                return self._opened_after_crash(path, lost, claim)
            session = Session(load(path), path)
        except BaseException:
            claim.release()
            raise
        return self._take_up(session, claim)

    def _opened_after_crash(self, path: Path, lost: Lost, claim: Claim) -> Session | None:
        answer = ask.recovery(self.window, [lost])[lost]
        if answer == ask.RECOVER:
            return self._recovered(lost, claim)
        if answer != ask.DISCARD:
            claim.release(forget=False)
            return None
        discard(lost.note.journal)
        return self._take_up(Session(load(path), path), claim)

    def _take_up(self, session: Session, claim: Claim | None = None) -> Session:
        self.keeper.begin(session, claim)
        self._add(session)
        return session

    def _add(self, session: Session) -> None:
        lay_out_missing(session)
        self.workspace.add(session)
        self.watch.know(session)

    def _remember(self, path: Path) -> None:
        others = [str(known) for known in self.recent if known != path]
        self.settings.put("recent", [str(path), *others][:RECENT])
        self.recent_changed.emit()

    def start_folder(self) -> Path:
        """Where a question for a file begins."""
        return next((path.parent for path in self.recent if path.parent.is_dir()), Path.home())

    def _fail(self, error: DocumentError) -> None:
        self.say(str(error))

    def say(self, failure: str) -> None:
        """Tell why something was not done."""
        sentence = failure[0].upper() + failure[1:]
        self.workspace.message.emit(sentence)
        self.failed.emit(sentence)

    def _offer_again(self, session: Session, path: Path, why: str) -> None:
        """A save that failed must not be overlooked: it stays above the canvas until it is answered."""
        choices = {
            "Try again": lambda: self._again(session, path),
            "Save as\N{HORIZONTAL ELLIPSIS}": lambda: self._again(session, None),
            "Dismiss": lambda: None,
        }
        self.notice.emit(session, Notice(f"{why[0].upper()}{why[1:]}.", choices))

    def _again(self, session: Session, path: Path | None) -> None:
        self.save_at(session, path) if path else self.save_as(session)

    def _on_changed(self, session: Session) -> None:
        self.keeper.move_apart(session)
        session.history.mark_unsaved()
        session.history_changed.emit()
        name = session.path.name if session.path else session.title
        text = f"Another program has changed {name}."
        choices = {"Reload": lambda: self._reload(session), "Keep mine": lambda: None}
        self.notice.emit(session, Notice(text, choices))

    def _on_removed(self, session: Session) -> None:
        self.keeper.move_apart(session)
        session.history.mark_unsaved()
        session.history_changed.emit()
        name = session.path.name if session.path else session.title
        self.workspace.message.emit(f"{name} is no longer where it was; Save writes it again")

    def _reload(self, session: Session) -> None:
        self.revert(session)
