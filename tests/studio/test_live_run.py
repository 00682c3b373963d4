"""A real worker runs the coincidence detector while plots watch it."""

from __future__ import annotations

import csv
import os
import signal
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.document import load
from engine.document.ops import set_op
from studio.panels.plots import Plots
from studio.plots.base import Plot
from studio.plots.brush import Brush
from studio.plots.export import write
from studio.plots.views import add_plot
from studio.records import Records
from studio.session import Session
from studio.workspace import Workspace

PROJECT = Path(__file__).resolve().parents[2] / "projects" / "coincidence" / "coincidence.myelin"
PATIENCE = 60_000


class Bench:
    """A session with the plots panel, as a window has them."""

    def __init__(self) -> None:
        self.workspace = Workspace()
        document = load(PROJECT)
        document.edit("no views", [set_op(["views"], [])])
        self.session = Session(document, PROJECT)
        self.workspace.add(self.session)
        self.panel = Plots(self.workspace)
        self.panel.resize(1000, 500)
        self.runner, self.records = self.session.runner, Records.of(self.session)

    def node(self, name: str) -> str:
        return self.session.document.find(name)

    def plot(self, kind: str, node: str, port: str) -> Plot:
        """The plot of a kind and node, added if it is not there."""
        board = self.panel.board
        assert board is not None
        known = [
            p for p in board.plots.values() if (p.view_type, p.node, p.port) == (kind, self.node(node), port)
        ]
        if known:
            return known[0]
        view = add_plot(self.session, kind, self.node(node), port)
        assert view is not None
        return board.plots[view]

    def close(self) -> None:
        self.panel.close()
        self.workspace.close(self.session)
        self.panel.deleteLater()


@pytest.fixture(scope="module")
def shared(qapp: QApplication) -> Iterator[Bench]:
    made = Bench()
    while not made.session.checker.settled:
        qapp.processEvents()
    yield made
    made.close()
    qapp.processEvents()


@pytest.fixture
def bench(shared: Bench) -> Iterator[Bench]:
    """The session of this module's tests with its panel on the screen."""
    shared.panel.show()
    yield shared
    shared.panel.hide()


@pytest.fixture
def running(bench: Bench, qtbot: QtBot) -> Bench:
    """The network runs and has sent something."""
    bench.runner.set_speed(factor=1.0)
    bench.records.go_live()
    bench.runner.play()
    qtbot.waitUntil(lambda: bench.runner.state == "running" and bench.records.last > 100, timeout=PATIENCE)
    return bench


def settled(qtbot: QtBot, plot: Plot) -> None:
    """The plot has drawn, and has something to show."""
    qtbot.waitUntil(lambda: plot.isVisible() and not plot._words.isVisible(), timeout=PATIENCE)


def test_before_the_first_play_plots_say_so(bench: Bench, qtbot: QtBot) -> None:
    plot = bench.plot("raster", "left ear", "spikes")
    qtbot.waitUntil(lambda: "Press Play" in plot._words.text())
    assert plot._words.isVisible()


def test_play_fills_the_raster(running: Bench, qtbot: QtBot) -> None:
    plot = running.plot("raster", "left ear", "spikes")
    qtbot.waitUntil(lambda: plot.image.image is not None and plot.image.image.sum() >= 3, timeout=PATIENCE)
    settled(qtbot, plot)


def test_a_parameter_changes_the_rate_without_a_restart(running: Bench, qtbot: QtBot) -> None:
    drive, ear, records = running.node("drive"), running.node("left ear"), running.records
    running.plot("rate", "left ear", "spikes")
    qtbot.waitUntil(lambda: records.has(ear, "spikes.rate"), timeout=PATIENCE)
    starts = []
    running.runner.started.connect(lambda: starts.append(1))
    before = records.last
    running.session.edit("Drive", [set_op(["nodes", drive, "params", "offset"], 4.0)])

    def rate() -> float:
        _, rates = records.rate(ear, "spikes", records.last - 200, records.last)
        return float(rates.mean())

    qtbot.waitUntil(lambda: rate() > 60, timeout=PATIENCE)  # 16 Hz before
    assert records.last > before
    assert not starts
    assert not running.runner.stale
    running.session.undo()
    qtbot.waitUntil(lambda: rate() < 40, timeout=PATIENCE)


def test_every_plot_can_be_added_while_it_runs(running: Bench, qtbot: QtBot) -> None:
    states: list[str] = []
    running.runner.state_changed.connect(states.append)
    before = running.records.last
    made = [
        running.plot("trace", "detectors", "v"), running.plot("heatmap", "detectors", "v"),
        running.plot("statistics", "left ear", "spikes"), running.plot("weights", "from left", "weights"),
        running.plot("delays", "from left", "delays"), running.plot("matrix", "from left", "weights"),
    ]  # fmt: skip
    running.panel.resize(1300, 900)
    for plot in made:
        settled(qtbot, plot)
    assert running.records.last > before
    assert states == []
    edges_from, edges_to, counts = made[4].data()[1]
    middle = (edges_from + edges_to) / 2
    assert sorted(middle[counts > 0].round().tolist()) == [0, 2, 4, 6, 8, 10, 12, 14, 16]


def test_exports_hold_what_is_shown(running: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    plot = running.plot("trace", "detectors", "v")
    settled(qtbot, plot)
    running.records.go_to(running.records.last - 50)
    window = running.records.window(running.node("detectors"), "v", *running.records.shown)
    assert window is not None
    for form in ("csv", "png", "svg"):
        assert write(plot, tmp_path / f"plot.{form}", form)
    names, *rows = table(tmp_path / "plot.csv")
    assert names == ["time (ms)", *(f"v of {n}" for n in range(5))]
    values = np.array(rows, float)
    np.testing.assert_array_equal(values[:, 0], window.steps)
    np.testing.assert_allclose(values[:, 1:], window.values[:, :5], rtol=1e-6)
    image = QImage(str(tmp_path / "plot.png"))
    assert (image.width(), image.height()) == (2 * plot.body.width(), 2 * plot.body.height())
    assert (
        len({image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}) > 3
    )
    drawing = ElementTree.parse(tmp_path / "plot.svg").getroot()
    assert len(drawing.findall(".//{*}path") + drawing.findall(".//{*}polyline")) > 10
    refused: list[str] = []
    running.session.refused.connect(refused.append)
    assert not write(plot, tmp_path / "missing" / "plot.csv", "csv")
    assert "cannot be written" in refused[0]


def test_a_raster_exports_its_spikes(running: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    plot = running.plot("raster", "left ear", "spikes")
    settled(qtbot, plot)
    running.records.go_to(running.records.last - 10)
    steps, neurons = running.records.events(running.node("left ear"), "spikes", *running.records.shown)
    assert write(plot, tmp_path / "spikes.csv", "csv")
    names, *rows = table(tmp_path / "spikes.csv")
    assert names == ["time (ms)", "neuron"]
    assert [[float(t), int(n)] for t, n in rows] == [
        [t, n] for t, n in zip(steps.astype(float), neurons, strict=True)
    ]
    assert len(rows) >= 3


def test_a_click_with_the_brush_makes_the_neuron_fire(running: Bench, qtbot: QtBot) -> None:
    cells, records = running.node("detectors"), running.records
    plot = running.plot("raster", "detectors", "spikes")
    settled(qtbot, plot)
    brush = Brush.of(running.session)
    click(plot, 7)
    brush.switch(True)
    qtbot.waitUntil(lambda: records.has(cells, "spikes.events"), timeout=PATIENCE)
    with qtbot.waitSignal(brush.touched) as touched:
        click(plot, 7)
    assert touched.args == [cells, [7]]
    brush.switch(False)

    def fired() -> set[int]:
        return set(records.events(cells, "spikes", records.first, records.last)[1].tolist())

    qtbot.waitUntil(lambda: 7 in fired(), timeout=PATIENCE)
    assert fired() == {5, 7}  # 5 is the detector of the direction of this sound


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def click(plot: Plot, row: int) -> None:
    box = plot.graph.getViewBox()
    (low, high), _ = box.viewRange()
    place = plot.canvas.mapFromScene(box.mapViewToScene(QPointF((low + high) / 2, row)))
    QTest.mouseMove(plot.canvas.viewport(), place)
    QTest.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_pause_step_and_on_again(running: Bench, qtbot: QtBot) -> None:
    runner, records = running.runner, running.records
    runner.pause()
    runner.pause()
    qtbot.waitUntil(lambda: runner.state == "paused", timeout=PATIENCE)
    with qtbot.waitSignal(runner.meter, timeout=PATIENCE) as told:
        runner.step(5)
    at = told.args[0]["step"]
    qtbot.waitUntil(lambda: runner.state == "paused" and records.last in (at, at + 5), timeout=PATIENCE)
    runner.step(7)
    qtbot.waitUntil(lambda: runner.state == "paused" and records.last > at + 5, timeout=PATIENCE)
    view = add_plot(running.session, "trace", running.node("left ear"), "v")
    assert view is not None
    runner.step(3)
    qtbot.waitUntil(lambda: records.has(running.node("left ear"), "v"), timeout=PATIENCE)
    assert runner.state == "paused"
    now = records.last
    runner.play()
    qtbot.waitUntil(lambda: runner.state == "running" and records.last > now, timeout=PATIENCE)
    running.session.undo()


def test_scrubbing_holds_the_plots_while_the_run_goes_on(running: Bench, qtbot: QtBot) -> None:
    records, board = running.records, running.panel.board
    assert board is not None
    slider = board.timeline.slider
    slider.setFocus()
    qtbot.waitUntil(lambda: records.last > 200, timeout=PATIENCE)
    QTest.keyClick(slider, Qt.Key.Key_PageDown)
    held = records.at
    assert not records.follow
    assert held < records.last
    qtbot.waitUntil(lambda: records.last > held + 600, timeout=PATIENCE)
    assert records.at == held
    plot = running.plot("raster", "left ear", "spikes")
    qtbot.waitUntil(lambda: plot.graph.getViewBox().viewRange()[0][1] == held, timeout=PATIENCE)
    QTest.mouseClick(board.timeline.live, Qt.MouseButton.LeftButton)
    assert records.follow
    assert records.at == records.last


def test_a_value_that_is_refused_leaves_the_run_and_offers_a_restart(running: Bench, qtbot: QtBot) -> None:
    ear = running.node("left ear")
    with qtbot.waitSignal(running.runner.failed, timeout=PATIENCE) as told:
        running.session.edit("Threshold", [set_op(["nodes", ear, "params", "v_th"], -1.0)])
    assert "\n" not in told.args[0]
    qtbot.waitUntil(lambda: running.runner.stale, timeout=PATIENCE)
    assert running.runner.state == "running"
    running.session.undo()
    qtbot.waitUntil(lambda: not running.runner.stale, timeout=PATIENCE)


def test_another_drawing_is_run_by_a_restart(running: Bench, qtbot: QtBot) -> None:
    board = running.panel.board
    assert board is not None
    seed = [set_op(["meta", "seed"], 5)]
    running.session.edit("Seed", seed)
    assert running.runner.stale
    assert board.stale.isVisible()
    with qtbot.waitSignal(running.runner.started, timeout=PATIENCE):
        QTest.mouseClick(board.stale, Qt.MouseButton.LeftButton)
    assert not running.runner.stale
    qtbot.waitUntil(lambda: running.runner.state == "running", timeout=PATIENCE)
    running.session.undo()
    assert running.runner.stale
    running.session.redo()
    assert not running.runner.stale


def test_stop_and_play_in_one_breath(running: Bench, qtbot: QtBot) -> None:
    runner = running.runner
    ended, started = [], []
    runner.ended.connect(ended.append)
    runner.started.connect(lambda: started.append(1))
    runner.stop()
    runner.stop()
    runner.play()
    runner.play()
    qtbot.waitUntil(lambda: bool(started) and runner.state == "running", timeout=PATIENCE)
    assert [message["reason"] for message in ended] == ["stopped"]
    assert started == [1]


def test_stop_while_loading_starts_nothing(running: Bench, qtbot: QtBot) -> None:
    runner = running.runner
    started: list[int] = []
    runner.started.connect(lambda: started.append(1))
    runner.stop()
    qtbot.waitUntil(lambda: runner.state == "ready", timeout=PATIENCE)
    runner.play()
    assert runner.state == "loading"
    runner.stop()
    qtbot.waitUntil(lambda: runner.state in ("ready", "off"), timeout=PATIENCE)
    runner.warm()
    runner.want("nobody", [])
    qtbot.waitUntil(lambda: runner.state == "ready", timeout=PATIENCE)
    assert started == []


def test_a_killed_worker_is_one_sentence_and_the_next_play_works(running: Bench, qtbot: QtBot) -> None:
    runner = running.runner
    assert runner.worker.alive
    told: list[str] = []
    runner.failed.connect(lambda text, node: told.append(text))
    os.kill(runner.worker.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: runner.state == "off", timeout=PATIENCE)
    assert len(told) == 1
    assert told[0].endswith("Play starts a new one")
    runner.play()
    qtbot.waitUntil(lambda: runner.state == "running" and running.records.last > 20, timeout=PATIENCE)
