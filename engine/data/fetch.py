"""Getting a data set: download with resume, or copy from a local mirror; verify, unpack, move into place.

Nothing appears under its final name before it is whole: a download grows as ``<file>.part`` and is continued
the next time, an archive is unpacked beside its place and moved there.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import requests

from engine.data.store import folder, short_name
from nodes.roles import DataSet, Remote
from nodes.samples import DataError

Progress = Callable[[str, int, int], None]  # file, bytes so far, bytes in all (0 while unknown)
CHUNK = 1 << 16  # at most this much is fetched twice after a broken connection
TIMEOUT_S = (10, 60)  # to connect, and between two pieces
ATTEMPTS_WITHOUT_PROGRESS = 3


def silent(name: str, done: int, total: int) -> None:
    """The progress callback that shows nothing."""


def fetch(
    spec: type[DataSet], root: Path, source: str | Path | None = None, progress: Progress = silent
) -> list[Path]:
    """Bring every file of a data set below ``root`` and return where they are; what is there stays.

    ``source`` replaces the official place: a folder, or the address of one, holding the same files, packed or
    not.  Raises ``DataError`` with one sentence.
    """
    if not spec.info.files:
        raise DataError(f"{short_name(spec)} is not downloaded: {spec.info.source}.")
    if source is not None and not _is_address(source) and not Path(source).is_dir():
        raise DataError(f"{source} is no folder: name the folder that holds the files of {short_name(spec)}.")
    return [_one(spec, remote, folder(spec, root), source, progress) for remote in spec.info.files]


def _one(
    spec: type[DataSet], remote: Remote, target: Path, source: str | Path | None, progress: Progress
) -> Path:
    final = target / remote.name
    if final.exists():
        return final
    with _plain_errors(final):
        target.mkdir(parents=True, exist_ok=True)
        if source is None or _is_address(source):
            address = remote.url if source is None else urljoin(f"{source}/", archive_name(remote))
            _place(_download(remote, address, target, progress), remote, target, remove=True)
        else:
            _place(_local(spec, remote, Path(source)), remote, target, remove=False)
    if not final.exists():
        raise DataError(f"{archive_name(remote)} does not hold {remote.name}: it is not the right file.")
    return final


def _is_address(source: str | Path) -> bool:
    return str(source).startswith(("http://", "https://"))


def archive_name(remote: Remote) -> str:
    """Name of the file as it is downloaded: ``shd_train.h5`` is packed as ``shd_train.h5.zip``."""
    return f"{remote.name}.{remote.unpack}" if remote.unpack else remote.name


@contextmanager
def _plain_errors(final: Path) -> Iterator[None]:
    """What the disk refuses, as a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"the disk is full: make room in {final.parent} and run the command again."
            ) from error
        reason = error.strerror or str(error)
        raise DataError(
            f"{final} cannot be written: {reason}; set MYELIN_DATA to a folder of yours."
        ) from error


# -- from the web ----------------------------------------------------------------------------------


def _download(remote: Remote, address: str, target: Path, progress: Progress) -> Path:
    """The whole, verified file beside its place; a broken connection is taken up again where it broke."""
    part = target / f"{archive_name(remote)}.part"
    idle = 0
    while True:
        before = _size(part)
        try:
            _receive(address, part, remote, progress)
            break
        except requests.RequestException as error:
            idle = 0 if _size(part) > before else idle + 1
            if idle >= ATTEMPTS_WITHOUT_PROGRESS:
                raise _unreachable(remote, part) from error
    return _verified(part, remote)


def _unreachable(remote: Remote, part: Path) -> DataError:
    got = f" after {_size(part):,} bytes" if _size(part) else ""
    advice = "check the network and run the command again, it goes on where it stopped"
    return DataError(f"{archive_name(remote)} could not be downloaded{got}: {advice}, or use --from FOLDER.")


def _receive(address: str, part: Path, remote: Remote, progress: Progress) -> None:
    """One request for what ``part`` lacks, appended to it."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            _whole_or_restart(response, part)
            return
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            status = f"{response.status_code} {response.reason}"
            raise DataError(
                f"{address} answers {status}: the file has moved; get it by hand and use --from FOLDER."
            )
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            have = 0  # the server sends the whole file, whatever was asked for
        total = have + int(response.headers.get("Content-Length", 0)) or remote.bytes
        with part.open("ab" if have else "wb") as file:
            for piece in response.iter_content(CHUNK):
                file.write(piece)
                have += len(piece)
                progress(archive_name(remote), have, max(total, have))


def _whole_or_restart(response: requests.Response, part: Path) -> None:
    """The server has no bytes beyond ``part``: it is whole, or it belongs to another file."""
    length = response.headers.get("Content-Range", "").rpartition("/")[2]
    if length != str(_size(part)):
        part.unlink()
        raise requests.ConnectionError("the partial file was longer than the file itself")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _verified(path: Path, remote: Remote) -> Path:
    """``path`` if its checksum is right; else it is removed, so that the next try begins anew."""
    if not _matches(path, remote.checksum):
        path.unlink()
        raise DataError(
            f"{archive_name(remote)} arrived damaged (its checksum is wrong) and was removed: try again."
        )
    return path


def _matches(path: Path, checksum: str) -> bool:
    """True when the file has that checksum (``md5:...``, ``sha256:...``), or none is published."""
    method, _, expected = checksum.partition(":")
    if not expected:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, method).hexdigest() == expected


# -- from a folder ---------------------------------------------------------------------------------


def _local(spec: type[DataSet], remote: Remote, source: Path) -> Path:
    """The file in a mirror: as published (then its checksum must be right), packed otherwise, or unpacked."""
    published = archive_name(remote)
    names = dict.fromkeys((published, f"{remote.name}.gz", f"{remote.name}.zip", remote.name))
    places = (source / sub / name for name in names for sub in ("", short_name(spec)))
    found = next((path for path in places if path.exists()), None)
    if found is None:
        raise DataError(f"{source} holds neither {published} nor {remote.name}.")
    if found.name == published and not _matches(found, remote.checksum):
        raise DataError(f"{found} is damaged or another version: its checksum is wrong.")
    return found


# -- into place ------------------------------------------------------------------------------------


def _place(source: Path, remote: Remote, target: Path, *, remove: bool) -> None:
    """Unpack or copy ``source`` into ``target``; every file appears there whole."""
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target) as inside:
        scratch = Path(inside)
        try:
            _unpack(source, source.name.removesuffix(".part"), remote, scratch)
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise DataError(f"{source} cannot be unpacked: it is damaged or cut short.") from error
        for made in scratch.iterdir():
            _replace(made, target / made.name)
    if remove:
        source.unlink()


def _unpack(source: Path, name: str, remote: Remote, scratch: Path) -> None:
    if name == f"{remote.name}.zip":
        with zipfile.ZipFile(source) as archive:
            archive.extractall(scratch)
    elif name == f"{remote.name}.gz":
        with gzip.open(source) as packed, (scratch / remote.name).open("wb") as plain:
            shutil.copyfileobj(packed, plain, CHUNK)
    elif source.is_dir():
        shutil.copytree(source, scratch / remote.name)
    else:
        shutil.copyfile(source, scratch / remote.name)


def _replace(made: Path, final: Path) -> None:
    """Move a file or folder to its name; what bore that name before makes room."""
    if final.is_dir():
        shutil.rmtree(final)
    made.replace(final)
