"""Crash journals of open documents: who has which, so that two windows never take one another's.

For each journal in use there is a lock, which the system lets go when its process dies, and a note that leads
to the journal.  A note whose lock is free was left behind by a crash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from engine.document import (
    Document,
    DocumentError,
    Journal,
    discard,
    dumps,
    journal_path,
    load,
    loads,
    recover,
)
from studio import places
from studio.session import Session

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Note:
    """Where a journal lies (``path``), of which document file ("": none yet), and where its paths begin."""

    path: str
    document: str
    folder: str

    @property
    def journal(self) -> Path:
        """The journal's path."""
        return Path(self.path)

    @property
    def is_apart(self) -> bool:
        """Whether the journal starts from a document of its own though there is a file."""
        return bool(self.document) and self.journal != journal_path(self.document)

    @property
    def file(self) -> Path | None:
        """The document's path."""
        return Path(self.document) if self.document else None


class Claim:
    """The only right to write one journal; held until ``release`` or the end of the process."""

    def __init__(self, note: Note) -> None:
        folder = places.state_folder() / "open"
        key = hashlib.sha256(os.path.realpath(note.path).encode()).hexdigest()[:20]
        self.note, self._file = note, folder / f"{key}.json"
        self._lock = FileLock(folder / f"{key}.lock", thread_local=False)

    def take(self) -> bool:
        """Take the right; False if another process has it."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._file.write_text(json.dumps(asdict(self.note)), encoding="utf-8")
        except Timeout:
            return False
        except OSError:
            pass  # A folder that cannot be written costs the note, never the work.
        return True

    def release(self, forget: bool = True) -> None:
        """Give the right back and remove the note, unless it is to be found again."""
        with suppress(OSError):
            if forget:
                self._file.unlink(missing_ok=True)
                Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release(force=True)


@dataclass(frozen=True)
class Lost:
    """What a crash left behind: how many edits, of when, and what hinders recovering them ("": nothing)."""

    note: Note
    title: str
    edits: int
    when: datetime
    damage: str = ""

    def document(self) -> Document | None:
        """The document with all edits that can be read; DocumentError if none can."""
        return restored(self.note, partial=True)


def restored(note: Note, partial: bool = False) -> Document | None:
    """The document that a journal leads to, None if its file holds the same; DocumentError as ``recover``."""
    document = recover(note.journal, partial)
    if document is None and note.is_apart:
        with note.journal.open(encoding="utf-8") as lines:
            return loads(json.dumps(json.loads(next(lines))["document"]), note.journal.name)
    return None if document is not None and note.file and _is_in(note.file, document) else document


def _is_in(file: Path, document: Document) -> bool:
    """Whether a file holds this very document, because all edits were taken back."""
    try:
        return dumps(load(file)) == dumps(document)
    except DocumentError:
        return False


def look_at(note: Note) -> Lost | None:
    """What a journal holds that its document does not; None, and the journal is removed, if nothing."""
    try:
        document, damage = restored(note), ""
    except DocumentError as error:
        document, damage = None, str(error)
    if document is None and not damage:
        discard(note.journal)
        return None
    name = note.file.stem if note.file else str(document.meta.get("title", "") if document else "")
    when = datetime.fromtimestamp(note.journal.stat().st_mtime)
    return Lost(note, name or "Untitled", _count(note.journal), when, damage)


def _count(journal: Path) -> int:
    """How many edits a journal has since it was last known to be saved, readable or not."""
    lines = journal.read_bytes().splitlines()
    saved = [number for number, line in enumerate(lines) if line.startswith(b'{"saved"')]
    return len(lines) - 1 - (saved[-1] if saved else 0)


def left_behind() -> list[Lost]:
    """Everything that can be recovered now and that no running window has, newest first."""
    notes = {note.path: note for note in _noted()}
    for journal in (places.state_folder() / "unsaved").glob("*.journal"):
        notes.setdefault(str(journal), Note(str(journal), "", ""))
    found = [lost for note in notes.values() if (lost := _if_free(note))]
    return sorted(found, key=lambda lost: lost.when, reverse=True)


def _noted() -> list[Note]:
    notes = []
    for file in (places.state_folder() / "open").glob("*.json"):
        with suppress(OSError, ValueError, TypeError):
            notes.append(Note(**json.loads(file.read_text(encoding="utf-8"))))
    return notes


def _if_free(note: Note) -> Lost | None:
    claim = Claim(note)
    if not claim.take():
        return None
    lost = None
    with suppress(OSError, DocumentError):
        lost = look_at(note) if note.journal.exists() else None
    claim.release(forget=lost is None)
    return lost


class Keeper:
    """Starts the journals of the sessions that are opened, and lets them go when these are closed."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._claims: dict[Session, Claim] = {}

    def claim(self, path: Path) -> Claim:
        """The right to a document file's journal; DocumentError if another window has the document."""
        claim = Claim(Note(str(journal_path(path)), str(path), str(path.parent)))
        if not claim.take():
            raise DocumentError(f"{path.name} is open in another window of Myelin Studio, so go on there")
        return claim

    def begin(self, session: Session, claim: Claim | None = None) -> None:
        """Start the journal of a session just opened, with the right taken before loading its file."""
        if session.path is None or claim is None:
            self._begin_apart(session)
        else:
            session.journal = Journal.start(session.document, session.path, self._tell)
            self._claims[session] = claim

    def resume(self, session: Session, journal: Path, claim: Claim) -> None:
        """Go on with the journal that a session was recovered from."""
        session.journal = Journal.resume(session.document, journal, self._tell)
        self._claims[session] = claim

    def save(self, session: Session, path: Path) -> None:
        """Save a document at ``path``; DocumentError, and nothing is lost, if that cannot be done."""
        if session.journal is None:
            self._begin_apart(session)
        old = self._claims.get(session)
        same = old is not None and old.note.path == str(journal_path(path))
        new = old if same else self.claim(path)
        assert new is not None and session.journal is not None
        try:
            session.journal.save(path)
        except DocumentError:
            if not same:
                new.release()
            raise
        if old is not None and not same:
            old.release()
        self._claims[session] = new

    def move_apart(self, session: Session) -> None:
        """The file is no longer what the journal starts from: keep one that has the whole document."""
        if session.journal is not None:
            session.journal.close()
        self.let_go(session)
        self._begin_apart(session)

    def let_go(self, session: Session) -> None:
        """A session is closed, and its journal with it."""
        claim = self._claims.pop(session, None)
        if claim is not None:
            claim.release()

    def _begin_apart(self, session: Session) -> None:
        folder = places.state_folder() / "unsaved"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._tell(f"the crash journal cannot be kept, so save often: {error.strerror}")
        session.journal = Journal.start_unsaved(session.document, folder, self._tell)
        note = Note(str(session.journal.path), str(session.path or ""), str(session.folder.absolute()))
        claim = Claim(note)
        claim.take()
        self._claims[session] = claim
