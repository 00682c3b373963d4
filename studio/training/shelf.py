"""The runs of a document, newest first, kept up to date with their folder; what is done with one of them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QFile, QFileSystemWatcher, QObject, QThreadPool, QTimer, Signal

from engine import runs
from studio.session import Session
from studio.training.places import runs_folder
from studio.training.run import METRICS, PINNED, Run, read, stamp

PAUSE_MS = 150
"""Changes within this time are read together."""

Known = dict[Path, tuple[tuple[int, ...], Run]]


class Shelf(QObject):
    """Reads off the window's thread.  ``live``: the run this window is training, told instead of read."""

    changed = Signal()
    compared_changed = Signal()
    _arrived = Signal(object)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.live: Run | None = None
        self.compared: tuple[str, ...] = ()
        self._known: Known = {}
        self._reading = self._again = False
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._start)
        self._watcher.directoryChanged.connect(self.refresh)
        self._watcher.fileChanged.connect(self.refresh)
        self._arrived.connect(self._take)
        session.path_changed.connect(self.refresh)
        self._timer.start(0)

    @property
    def runs(self) -> list[Run]:
        """Every run: the pinned first, then the newest."""
        found = [run for _, run in self._known.values() if self.live is None or run.id != self.live.id]
        found += [self.live] if self.live else []
        newest = sorted(found, key=lambda run: run.id, reverse=True)
        return sorted(newest, key=lambda run: not run.pinned)

    def find(self, id: str) -> Run | None:
        """A run by its id."""
        return next((run for run in self.runs if run.id == id), None)

    def has(self, folder: Path) -> bool:
        """Whether the run of a folder has been read."""
        return folder in self._known

    def compare(self, ids: tuple[str, ...]) -> None:
        """Show these runs over each other."""
        if ids != self.compared:
            self.compared = ids
            self.compared_changed.emit()

    def refresh(self) -> None:
        """Look at the folder again, soon."""
        self._timer.start()

    def pin(self, run: Run, pinned: bool) -> None:
        """Keep a run at the top, or no longer."""
        with suppress(OSError):
            if pinned:
                (run.folder / PINNED).touch()
            else:
                (run.folder / PINNED).unlink(missing_ok=True)
        run.pinned = pinned
        self.refresh()
        self.changed.emit()

    def to_trash(self, run: Run) -> bool:
        """Put a run's folder into the trash; False where there is none."""
        return self._gone(run, QFile.moveToTrash(str(run.folder))[0])

    def delete(self, run: Run) -> bool:
        """Remove a run's folder for good; False where that is not possible."""
        shutil.rmtree(run.folder, ignore_errors=True)
        return self._gone(run, not run.folder.exists())

    def _gone(self, run: Run, gone: bool) -> bool:
        if gone:
            self._known.pop(run.folder, None)
            self.changed.emit()
        return gone

    def _start(self) -> None:
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        folder, known, skip = runs_folder(self.session), dict(self._known), self.live
        live = skip.folder if skip and skip.status == "running" else None

        def work() -> None:
            found = look(folder, known, live)
            with suppress(RuntimeError):  # the document has been closed meanwhile
                self._arrived.emit(found)

        QThreadPool.globalInstance().start(work)

    def _take(self, found: Known) -> None:
        self._reading = False
        self._known = found
        self._watch()
        self.changed.emit()
        if self._again:
            self._start()

    def _watch(self) -> None:
        folder = runs_folder(self.session)
        running = [path for path, (_, run) in self._known.items() if run.status == "running"]
        wanted = {str(path) for path in (folder.parent, folder, *self._known) if path.is_dir()}
        wanted |= {str(path / METRICS) for path in running if (path / METRICS).exists()}
        before = {*self._watcher.directories(), *self._watcher.files()}
        if before - wanted:
            self._watcher.removePaths(sorted(before - wanted))
        if wanted - before:
            self._watcher.addPaths(sorted(wanted - before))


def look(folder: Path, known: Known, live: Path | None) -> Known:
    """The runs of a folder; those that have not changed are not read again."""
    found: Known = {}
    records = [*folder.glob(f"*/{runs.RECORD}"), *folder.glob(f"*/*/{runs.RECORD}")]
    for place in sorted(path.parent for path in records):
        if place == live:
            continue
        mark = stamp(place)
        before = known.get(place)
        same = before is not None and before[0] == mark and before[1].status != "running"
        run = before[1] if before is not None and same else read(place)
        if run.record.get("kind", "train") == "train":
            found[place] = (mark, run)
    return found
