"""How long the window's thread is held up while 10 000 neurons run with five plots open, and while it trains.

    python -m tests.bench.bench_stall [seconds]

The whole window is there: canvas, panels, plots.  A timer without delay beats as often as the event loop
comes round; the time between two beats is a stall.  ``computed`` is processor time of the window's thread
in it: on a machine that others keep busy the first tells of them, the second of us.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MYELIN_HOME", tempfile.mkdtemp())

from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.document import Document, load
from studio.app import make_application, open_window
from studio.plots.views import add_plot
from studio.records import Records
from studio.session import Session
from studio.window import MainWindow

PATIENCE = 60.0
"""Seconds."""


class Heartbeat:
    """Times between turns of the event loop, in ms, and how much of them this thread computed.

    On a machine that others keep busy too the second tells what is ours.
    """

    def __init__(self) -> None:
        self.gaps: list[tuple[float, float]] = []
        self._last = self._now()
        self._timer = QTimer(interval=0)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _now(self) -> tuple[float, float]:
        return 1000 * time.perf_counter(), 1000 * time.thread_time()

    def _beat(self) -> None:
        now = self._now()
        self.gaps.append((now[0] - self._last[0], now[1] - self._last[1]))
        time.sleep(0.0005)  # a beat without rest would take a core of its own
        self._last = self._now()

    def report(self, name: str) -> None:
        self._timer.stop()
        print(f"{name}: {len(self.gaps)} turns")
        for what, gaps in zip(("stalls", "computed"), np.array(self.gaps[1:]).T, strict=True):
            long = ", ".join(f"{int((gaps > ms).sum())} over {ms} ms" for ms in (16, 33, 50, 100))
            p50, p99 = np.percentile(gaps, (50, 99))
            print(f"  {what:9} p50 {p50:5.1f} ms, p99 {p99:5.1f} ms, max {gaps.max():5.1f} ms; {long}")


def wait_for(session: Session, met: Callable[[], bool]) -> None:
    """Let the event loop run until something is so."""
    end = time.perf_counter() + PATIENCE
    while not met():
        assert time.perf_counter() < end, f"still {session.runner.state}"
        QTest.qWait(5)


def network() -> Document:
    """8000 excitatory and 2000 inhibitory neurons, 100 synapses each way."""
    document = Document.new("ten thousand", dt_ms=1.0, seed=1)
    noise = document.add("population.poisson", name="noise", size=[1000], rate=10.0)
    cells = document.add("population.lif", name="cells", size=[8000])
    brake = document.add("population.lif", name="brake", size=[2000])
    for source, target, gain in ((noise, cells, 0.25), (noise, brake, 0.25), (cells, brake, 0.05),
                                 (brake, cells, -0.05)):  # fmt: skip
        wires = document.add(
            "projection.sparse",
            init="constant",
            connectivity="fixed_in_degree",
            in_degree=50,
            gain=gain,
            lag=1,
        )
        document.connect(source, "spikes", wires, "input")
        document.connect(wires, "output", target, "input")
    return document


def shown(session: Session) -> MainWindow:
    """The whole window as it starts, with a document in front."""
    window = open_window([])
    window.resize(1600, 1000)
    window.workspace.add(session)
    QApplication.processEvents()
    return window


def close(window: MainWindow) -> None:
    for session in list(window.workspace.sessions):
        window.workspace.close(session)
    window.close()
    window.deleteLater()


def play(seconds: float) -> None:
    document = network()
    session = Session(document)
    cells = document.find("cells")
    sparse = next(key for key, node in document.nodes.items() if node.type == "projection.sparse")
    for kind, node, port in (
        ("raster", cells, "spikes"), ("trace", cells, "v"), ("rate", cells, "spikes"),
        ("statistics", cells, "spikes"), ("weights", sparse, "weights"),
    ):  # fmt: skip
        add_plot(session, kind, node, port)
    window, records = shown(session), Records.of(session)
    wait_for(session, lambda: session.checker.settled)
    session.runner.failed.connect(lambda text, node: print("failed:", text))
    session.runner.set_speed()
    heart = Heartbeat()
    session.runner.play()
    wait_for(session, lambda: records.last > 5)
    heart.report("load and start")
    heart = Heartbeat()
    begin = records.last
    QTest.qWait(int(1000 * seconds))
    heart.report("play, 10 000 neurons, 5 plots")
    spikes = records.events(cells, "spikes", records.first, records.last)[0].size
    pace = (records.last - begin) / seconds
    print(f"  {pace:.0f} steps a second, {spikes} spikes kept, 1 frame in {records.one_in} shown")
    close(window)


def train(seconds: float) -> None:
    path = Path(__file__).resolve().parents[2] / "projects" / "spoken-digits" / "spoken-digits.myelin"
    session = Session(load(path), path)
    window = shown(session)
    window.panel("training")
    wait_for(session, lambda: session.checker.settled)
    session.runner.failed.connect(lambda text, node: print("failed:", text))
    with tempfile.TemporaryDirectory() as folder:
        heart = Heartbeat()
        session.runner.train(Path(folder) / "run")
        wait_for(session, lambda: session.runner.state == "training")
        heart.report("load and begin to train")
        heart = Heartbeat()
        QTest.qWait(int(1000 * seconds))
        heart.report("train, spoken digits")
        session.runner.stop()
        wait_for(session, lambda: session.runner.state != "training")
        close(window)


def main() -> None:
    application = make_application()
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    play(seconds)
    train(seconds)
    application.processEvents()


if __name__ == "__main__":
    main()
