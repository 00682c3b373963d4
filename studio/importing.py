"""Networks of other software as documents: read off the window's thread, written, then opened."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from engine.document import DocumentError
from engine.errors import MyelinError
from engine.export import imports
from studio.dialogs import ask
from studio.files import Files

Ending = tuple[Path, str, tuple[str, ...]]


class Importer(QObject):
    """Imports one file at a time; a file that exists is never replaced without being chosen for that."""

    _arrived = Signal(object)

    def __init__(self, files: Files, window: QWidget) -> None:
        super().__init__(window)
        self.files, self.window = files, window
        self.busy = False
        self._pool = ThreadPoolExecutor(1, "import")
        self._arrived.connect(self._take)
        self.destroyed.connect(self._pool.shutdown)

    def ask(self) -> None:
        """Ask for a file and where its document is to lie, and import it."""
        file = ask.import_path(self.window, self.files.start_folder())
        if file is not None:
            self.take(file)

    def take(self, file: Path) -> None:
        """Import a file; its document lies beside it unless something else does."""
        place = file.with_suffix(".myelin")
        if place.exists() or imports.weights_file(place).exists():
            chosen = ask.save_path(self.window, place)
            if chosen is None:
                return
            place = chosen
        if not self.busy:
            self.busy = True
            self.files.workspace.message.emit(f"Importing {file.name}\N{HORIZONTAL ELLIPSIS}")
            self._pool.submit(_imported, file, place).add_done_callback(self._tell)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(wait=True)

    def _tell(self, future: Future[Ending]) -> None:
        self._arrived.emit(future.result())

    def _take(self, ending: Ending) -> None:
        self.busy = False
        place, failure, assumed = ending
        if failure:
            self.files.say(failure)
            return
        self.files.open(place)
        for sentence in assumed:
            self.files.workspace.message.emit(sentence)


def _imported(file: Path, place: Path) -> Ending:
    try:
        found = imports.read(file)
        imports.save(found, place)
    except (MyelinError, DocumentError, OSError) as error:
        return place, str(error), ()
    return place, "", tuple(d.message for d in found.diagnostics if d.severity != "info")
