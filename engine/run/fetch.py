"""Brings the folder of a run home from the machine that computed it, piece by piece, each one asked for.

fetching = Fetching("myelin-runs/net.runs/7", Path("net.runs/7"))
while (request := fetching.next()) is not None:
    fetching.take(worker.result(worker.send(request[0], **request[1])))
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from engine.errors import MyelinError
from engine.run.protocol import Message
from engine.runs import WEIGHTS

MOST_BYTES = 4 * 2**30
PART = ".part"


class FetchError(MyelinError):
    """What the other machine offers cannot be taken."""


class Fetching:
    """What is still to be asked for, and where the answers go.  A file is there whole or not at all.

    ``done`` and ``total`` count bytes; the weights come last, so that a run with weights is complete.
    """

    def __init__(self, folder: str, into: Path) -> None:
        self.folder, self.into = folder, into
        self.done = self.total = 0
        self._files: list[tuple[str, int]] | None = None
        self._offset = 0

    def next(self) -> tuple[str, dict[str, Any]] | None:
        """The next request and its fields; None when everything is here."""
        if self._files is None:
            return "files", {"folder": self.folder}
        if not self._files:
            return None
        return "fetch", {"folder": self.folder, "file": self._files[0][0], "offset": self._offset}

    def take(self, answer: Message) -> None:
        """The answer to the request that ``next`` gave last."""
        if self._files is None:
            self._plan(answer["files"])
        else:
            self._add(answer["data"], answer["size"])

    def _plan(self, offered: list[Any]) -> None:
        files = [(str(one["name"]), int(one["size"])) for one in offered]
        for name, _ in files:
            path = PurePosixPath(name)
            if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
                raise FetchError(f"the other machine offers a file called {name!r}, which is not taken")
        self.total = sum(size for _, size in files)
        if self.total > MOST_BYTES:
            raise FetchError(
                f"the run is {self.total >> 30} GiB, too much to bring home: copy {self.folder} yourself"
            )
        self._files = sorted(files, key=lambda file: (file[0] == WEIGHTS, file[0]))

    def _add(self, data: bytes, size: int) -> None:
        assert self._files
        name, _ = self._files[0]
        target = self.into / name
        part = target.with_name(target.name + PART)
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab" if self._offset else "wb") as file:
            file.write(data)
        self._offset += len(data)
        self.done += len(data)
        if self._offset < size and not data:
            raise FetchError(f"{name} has become shorter on the other machine while it was read")
        if self._offset >= size:
            part.replace(target)
            self._files.pop(0)
            self._offset = 0
