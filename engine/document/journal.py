"""The crash journal: every edit is on disk as soon as it is made, and replayed over its base after a crash.

``<name>.myelin.journal`` holds JSON lines. The first is ``{"journal": 1, "base": digest}`` with the SHA-256
of the document file that the edits start from, or ``{"journal": 1, "base": null, "document": {...}}`` for a
document without a file. Then one ``{"label", "ops"}`` per edit (an undo is an edit like any other), flushed
and synced. A ``{"saved": digest}`` line goes ahead of each save: after a crash between the new document file
and the new journal, the edits before that line are known to be in the file. A last line without a line break
was cut off by the crash and is ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from engine.document import codec, text
from engine.document.document import Document, Edit, random_id
from engine.document.errors import DocumentError
from engine.document.records import Json
from engine.document.store import decode, digest, encode, file_name, loads, put, read_bytes, reason, write_all
from engine.document.values import ENVELOPE, MAX_DEPTH

SUFFIX = ".journal"


def journal_path(document_path: str | os.PathLike[str]) -> Path:
    """The journal of the document file at this path."""
    return Path(os.fspath(document_path) + SUFFIX)


class Journal:
    """Keeps the journal of one open document; to save that document, use ``save`` of the journal.

    A journal that cannot be written never hinders editing: ``failure`` is then a sentence, ``on_failure`` is
    called with it, and nothing more is written until the next save.
    """

    def __init__(self, document: Document, on_failure: Callable[[str], None] | None = None) -> None:
        self.document = document
        self.path: Path | None = None
        self.failure: str | None = None
        self._on_failure = on_failure
        self._file: int | None = None
        self._unsubscribe = document.subscribe(self._record)

    @classmethod
    def start(
        cls,
        document: Document,
        document_path: str | os.PathLike[str],
        on_failure: Callable[[str], None] | None = None,
    ) -> Journal:
        """Begin the journal of a document just loaded from ``document_path``."""
        path = journal_path(document_path)
        if path.exists() and _edits(_read(path, partial=True)[0]):
            raise DocumentError(
                f"{file_name(path)} holds edits of an earlier session, so recover or discard them first"
            )
        base = digest(read_bytes(document_path))
        journal = cls(document, on_failure)
        journal._begin(path, {"journal": 1, "base": base})
        return journal

    @classmethod
    def start_unsaved(
        cls, document: Document, folder: Path, on_failure: Callable[[str], None] | None = None
    ) -> Journal:
        """Begin the journal, in ``folder``, of a document that has no file yet."""
        journal = cls(document, on_failure)
        header = {"journal": 1, "base": None, "document": codec.to_tree(document)}
        journal._begin(folder / f"{random_id()}.myelin{SUFFIX}", header)
        return journal

    @classmethod
    def resume(
        cls, document: Document, path: Path, on_failure: Callable[[str], None] | None = None
    ) -> Journal:
        """Go on with the journal from which ``document`` was just recovered."""
        length = _read(path, partial=True)[1]
        journal = cls(document, on_failure)
        journal.path = path
        try:
            os.truncate(path, length)
            journal._open()
        except OSError as error:
            journal._fail(error)
        return journal

    def save(self, document_path: str | os.PathLike[str]) -> None:
        """Save the document and begin its journal afresh; on failure file and journal are as before."""
        content = encode(self.document, document_path)
        path = journal_path(document_path)
        if path == self.path:
            self._append({"saved": digest(content)})
        put(content, document_path)
        if path != self.path:
            self._remove()
        self._begin(path, {"journal": 1, "base": digest(content)})

    def close(self) -> None:
        """End the journal and remove it: the document is saved, or its edits are given up."""
        self._unsubscribe()
        self._remove()

    def _record(self, edit: Edit) -> None:
        self._append({"label": edit.label, "ops": edit.ops})

    def _begin(self, path: Path, header: Json) -> None:
        self._release()
        self.path, self.failure = path, None
        try:
            put(_line(header), path)
            self._open()
        except (OSError, DocumentError) as error:
            self._fail(error)

    def _open(self) -> None:
        assert self.path is not None
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))

    def _append(self, entry: Json) -> None:
        if self._file is None:
            return
        try:
            write_all(self._file, _line(entry))
            os.fsync(self._file)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Stop writing: a line after a half-written one would make the journal unreadable."""
        self._release()
        self.failure = f"the crash journal cannot be kept, so save often: {reason(error)}"
        if self._on_failure is not None:
            self._on_failure(self.failure)

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _remove(self) -> None:
        self._release()
        if self.path is not None:
            discard(self.path)


def discard(path: Path) -> None:
    """Remove a journal, with the edits in it."""
    path.unlink(missing_ok=True)


def recover(path: Path, partial: bool = False) -> Document | None:
    """The document with the edits of a journal that a crash left behind; None if there are none to replay.

    DocumentError if the journal does not belong to the document file as it is now, or is damaged before its
    last line; with ``partial`` the edits before the damage are replayed.
    """
    entries, _ = _read(path, partial)
    if not _edits(entries):
        return None
    try:
        return _replayed(entries, path)
    except DocumentError as error:
        raise DocumentError(f"cannot recover {file_name(path)}: {error}") from None


def _replayed(entries: list[Json], path: Path) -> Document | None:
    """The journal's base with the edits made since; None if the base already has them all."""
    if entries[0]["base"] is None:
        document, edits = codec.from_tree(entries[0].get("document")), _edits(entries)
    else:
        base = path.with_name(path.name.removesuffix(SUFFIX))
        content = read_bytes(base)
        document, edits = loads(decode(content, base), file_name(base)), _edits_since(content, entries, base)
    for edit in edits:
        document.edit(edit["label"], edit["ops"])
    return document if edits else None


def _edits_since(content: bytes, entries: list[Json], base: Path) -> list[Json]:
    """The edits made after the document file had this content."""
    state = digest(content)
    found = [index for index, entry in enumerate(entries) if state in (entry.get("base"), entry.get("saved"))]
    if not found:
        raise DocumentError(f"{file_name(base)} was changed by something else, the edits do not fit it")
    return _edits(entries[found[-1] :])


def _edits(entries: list[Json]) -> list[Json]:
    return [entry for entry in entries if "ops" in entry]


def _read(path: Path, partial: bool) -> tuple[list[Json], int]:
    """The entries of a journal, header first, and the bytes they take; none if the header was cut off."""
    entries: list[Json] = []
    length = 0
    for number, line in enumerate(read_bytes(path).split(b"\n")[:-1], start=1):
        entry = _entry(line, header=number == 1)
        if entry is None and number > 1 and partial:
            break
        if entry is None:
            raise DocumentError(
                f"cannot recover {file_name(path)}: line {number} is damaged "
                f"({max(number - 2, 0)} lines of edits before it are readable)"
            )
        entries.append(entry)
        length += len(line) + 1
    return entries, length


def _entry(line: bytes, header: bool) -> Json | None:
    """One line, or None if it is damaged."""
    try:
        entry = text.read(line.decode(), MAX_DEPTH + ENVELOPE)
    except (UnicodeDecodeError, DocumentError):
        return None
    match entry:
        case {"journal": 1, "base": str() | None} if header:
            return dict(entry)
        case {"label": str(), "ops": list(ops)} if not header and all(isinstance(op, dict) for op in ops):
            return dict(entry)
        case {"saved": str()} if not header:
            return dict(entry)
    return None


def _line(entry: Json) -> bytes:
    return json.dumps(entry, allow_nan=False, separators=(",", ":")).encode() + b"\n"
