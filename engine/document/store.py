"""Loading and saving: every failure is one sentence that names the file, and never costs the old file."""

from __future__ import annotations

import gc
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.document import codec, text
from engine.document.document import Document
from engine.document.errors import DocumentError

MAX_BYTES = 256 * 2**20
"""A larger file is refused unread: a million nodes fit (about 5 s, 1 GB), and no file takes much longer."""


def dumps(document: Document) -> str:
    """The canonical text of a document: equal documents give equal bytes."""
    with _without_collector():
        return text.write(codec.to_tree(document))


def loads(content: str, name: str = "the text") -> Document:
    """The document of a text; DocumentError is one sentence that starts from ``name``."""
    try:
        with _without_collector():
            return codec.from_tree(text.read(content))
    except (DocumentError, MemoryError) as error:
        raise DocumentError(f"cannot open {name}: {reason(error)}") from None


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the cycle collector: it would walk a million new records, none in a cycle, time and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load(path: str | os.PathLike[str]) -> Document:
    """The document in a file; DocumentError is one sentence that names the file."""
    return loads(decode(read_bytes(path), path), file_name(path))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file of at most MAX_BYTES."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            folder = stat.S_ISDIR(status.st_mode)
            raise DocumentError("it is a folder" if folder else "it is not a regular file")
        _check_size(status.st_size)
        return Path(path).read_bytes()
    except (OSError, ValueError, MemoryError, DocumentError) as error:
        raise DocumentError(f"cannot open {file_name(path)}: {reason(error)}") from None


def decode(content: bytes, path: str | os.PathLike[str]) -> str:
    """Bytes as UTF-8 text; the byte order mark of some Windows editors is dropped."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"it is not UTF-8 text (byte {error.start})"
        raise DocumentError(f"cannot open {file_name(path)}: {problem}") from None


def save(document: Document, path: str | os.PathLike[str]) -> str:
    """Write the document atomically and return its content's digest; on failure the old file is untouched."""
    content = encode(document, path)
    put(content, path)
    return digest(content)


def encode(document: Document, path: str | os.PathLike[str]) -> bytes:
    """The bytes to save at ``path``."""
    try:
        content = dumps(document).encode()
        _check_size(len(content))
    except (ValueError, MemoryError, DocumentError) as error:
        raise DocumentError(f"cannot save {file_name(path)}: {reason(error)}") from None
    return content


def put(content: bytes, path: str | os.PathLike[str]) -> None:
    """Put ``content`` at ``path``, or behind it where it is a link; DocumentError names the file."""
    try:
        replace(Path(os.path.realpath(path)), content)
    except (OSError, ValueError) as error:
        raise DocumentError(f"cannot save {file_name(path)}: {reason(error)}") from None


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise DocumentError(f"it has {size >> 20} MiB, but a document has at most {MAX_BYTES >> 20} MiB")


def digest(content: bytes) -> str:
    """SHA-256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()


def replace(target: Path, content: bytes) -> None:
    """Put ``content`` at ``target`` in one step: a crash leaves the old file or the new, never a mixture."""
    # os.replace needs only the folder's permission; a file that its owner made read-only must stay.
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError("it is write-protected")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        _write_new(temporary, content)
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _write_new(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        write_all(file, content)
        os.fsync(file)
    finally:
        os.close(file)


def write_all(file: int, content: bytes) -> None:
    """Write every byte to a file descriptor, however few each call takes."""
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable where the system lets one open a folder; elsewhere it does so itself."""
    try:
        file = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(file)
    except OSError:
        pass  # Some network file systems refuse this; the content is already safe.
    finally:
        os.close(file)


def file_name(path: str | os.PathLike[str]) -> str:
    """A path on one line."""
    name = os.fspath(path)
    return name if name.isprintable() else ascii(name)


def reason(error: BaseException) -> str:
    """An exception as the second half of a sentence."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    if isinstance(error, MemoryError):
        return "it does not fit in memory"
    reason = getattr(error, "strerror", None) or str(error)
    return reason[0].lower() + reason[1:]
