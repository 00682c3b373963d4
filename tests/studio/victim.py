"""Studios that draw and run by themselves, telling every step they have made, until somebody kills them.

``python victim.py`` reads lines of a seed and a file; each makes a studio, by a fork after the imports, which
take longer than its life.  The test makes the same steps, to know what must be there.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.document import Document, History
from engine.document.ops import delete_nodes, set_op

SIGNS = "abcdefghijkmnpqrstuvwxyz"


def mint(seed: int) -> Callable[[], str]:
    """Ids that are the same in every life of the same seed."""
    rng = random.Random(seed)
    return lambda: "".join(rng.choice(SIGNS) for _ in range(8))


def steps(document: Document, history: History, seed: int) -> Iterator[str]:
    """Make one step after the other, without end, and name it; the caller plays, stops and saves."""
    rng = random.Random(seed)
    while True:
        nodes = sorted(document.nodes)
        kind = rng.choice(["add", "move", "move", "set", "delete", "undo", "redo", "play", "stop", "save"])
        if kind == "add" or len(nodes) < 3:
            kind = "add"
            document.add("population.lif", size=[rng.randint(1, 9)], at=[rng.randint(0, 900), 0])
        elif kind == "move":
            at = [rng.randint(0, 900), rng.randint(0, 900)]
            document.edit("Move", [set_op(["layout", rng.choice(nodes), "at"], at)])
        elif kind == "set":
            lif = [n for n in nodes if document.nodes[n].type == "population.lif"]
            if lif:
                path = ["nodes", rng.choice(lif), "params", "tau_mem"]
                document.edit("Set", [set_op(path, round(rng.uniform(1, 50), 3))])
        elif kind == "delete":
            document.edit("Delete", delete_nodes(document, [rng.choice(nodes)]))
        elif kind == "undo":
            history.undo()
        elif kind == "redo":
            history.redo()
        yield kind


def live(file: Path, seed: int) -> None:
    """Open the window and go on for ever."""
    from PySide6.QtCore import QProcess, QTimer
    from PySide6.QtWidgets import QApplication

    from studio.window import MainWindow

    application = QApplication([])
    window = MainWindow()
    window.show()
    session = window.files.open(file)
    assert session is not None
    session.document.mint = mint(seed)
    life = steps(session.document, session.history, seed)
    runner = session.runner

    def step() -> None:
        kind = next(life)
        if kind == "play":
            runner.play()
        elif kind == "stop":
            runner.stop()
        elif kind == "save":
            assert window.files.save(session)
        process = runner.findChild(QProcess)
        print(kind, process.processId() if process else 0, flush=True)

    print("born", os.getpid(), flush=True)
    timer = QTimer()
    timer.timeout.connect(step)
    timer.start()
    application.exec()


def main() -> None:
    """One life after the other."""
    import studio.window  # noqa: F401

    for line in sys.stdin:
        seed, file = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if child == 0:
            try:
                live(Path(file), int(seed))
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        print("dead", 0, flush=True)


if __name__ == "__main__":
    main()
