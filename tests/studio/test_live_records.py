"""Records, activity and views without a worker: what it would send is handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.document import Document, dumps
from studio import records as module
from studio.activity import Activity
from studio.canvas.view import CanvasView
from studio.plots import fitting, table
from studio.plots.brush import Brush
from studio.plots.neurons import parse, shorten
from studio.plots.raster import binned
from studio.plots.views import add_plot, change_plot, move_plot, offers, remove_plot, views
from studio.records import Records
from studio.session import Session

Open = Callable[[Document], Session]


def drawn(delay: float = 10.0) -> Document:
    document = Document.new("two", dt_ms=1.0)
    left = document.add("population.poisson", name="left", size=[4], at=[0, 0])
    weights = document.add("projection.dense", name="weights", at=[200, 0])
    right = document.add("population.lif", name="right", size=[3], at=[400, 0])
    delays = document.add("delays.fixed", name="delays", delay=delay, granularity="projection", at=[200, 90])
    document.connect(left, "spikes", weights, "input")
    document.connect(weights, "output", right, "input")
    document.connect(delays, "delays", weights, "delays")
    return document


def send(session: Session, first: int, steps: int, records: dict[str, Any], **more: Any) -> None:
    arrays = {name: np.asarray(array) for name, array in records.items()}
    session.runner.records.emit({"step": first, "steps": steps, "dt": 1.0, "records": arrays, **more})


def test_a_window_joins_frames_and_marks_what_was_skipped(open_session: Open) -> None:
    session = open_session(drawn())
    records = Records.of(session)
    send(session, 0, 3, {"n.v": [[0.0, 1], [2, 3], [4, 5]]})
    send(session, 5, 2, {"n.v": [[9.0], [8]]}, neurons={"n.v": [1]}, one_in=2)
    window = records.window("n", "v", 1, 6)
    assert window is not None
    assert window.neurons.tolist() == [1]
    np.testing.assert_array_equal(window.steps, [1, 2, 3, 5])
    np.testing.assert_array_equal(window.values[:, 0], [3, 5, np.nan, 9])
    both = records.window("n", "v", 2, 7, [0, 1])
    assert both is not None
    np.testing.assert_array_equal(both.values, [[4, 5], [np.nan, np.nan], [np.nan, 9], [np.nan, 8]])
    assert (records.first, records.last, records.one_in) == (0, 7, 2)
    assert records.window("n", "v", 7, 9) is None
    assert records.window("n", "w", 0, 7) is None


def test_events_lie_in_their_steps(open_session: Open) -> None:
    session = open_session(drawn())
    records = Records.of(session)
    send(session, 0, 10, {"n.s.events": [[2, 7], [9, 1]]})
    send(session, 10, 10, {"n.s.events": np.empty((0, 2), np.int32), "n.s.rate": np.full(10, 4.0)})
    send(session, 20, 10, {"n.s.events": [[0, 3]]})
    steps, neurons = records.events("n", "s", 3, 30)
    assert list(zip(steps.tolist(), neurons.tolist(), strict=True)) == [(9, 1), (20, 3)]
    assert records.rate("n", "s", 0, 30)[0].tolist() == list(range(10, 20))


def test_the_oldest_is_forgotten(open_session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    session = open_session(drawn())
    records = Records.of(session)
    for frame in range(200):
        send(session, 10 * frame, 10, {"n.v": np.zeros((10, 100))})
    assert records._bytes <= 100_000
    assert records.last == 2000
    assert records.first > 1000
    session.runner.started.emit()
    assert records.empty


def test_scrubbing_keeps_to_what_there_is(open_session: Open) -> None:
    session = open_session(drawn())
    records = Records.of(session)
    records.show(20.0)
    send(session, 0, 100, {"n.v": np.zeros((100, 1))})
    assert records.shown == (80, 100)
    records.go_to(50)
    send(session, 100, 100, {"n.v": np.zeros((100, 1))})
    assert records.shown == (30, 50)
    records.go_to(10_000)
    assert records.follow
    records.go_to(-5)
    assert records.at == 0
    records.go_live()
    assert records.at == 200


def test_a_spike_takes_the_delay_on_its_way(open_session: Open, qtbot: QtBot) -> None:
    session = open_session(drawn(delay=100.0))
    activity, records = Activity.of(session), Records.of(session)
    session.runner.speed = {
        "factor": 0.05
    }  # 50 steps a second: 100 ms take two seconds, and are not drawn out
    qtbot.waitUntil(lambda: bool(activity._routes))
    left, right = session.document.find("left"), session.document.find("right")
    before = next(key for key, wire in session.document.wires.items() if wire.source.node == left)
    behind = next(key for key, wire in session.document.wires.items() if wire.target.node == right)
    empty = np.empty((0, 2), np.int32)
    send(session, 0, 10, {f"{left}.spikes.events": [[9, 2]], f"{left}.spikes.rate": np.full(10, 25.0)})
    found = []
    for first in range(10, 130, 20):
        send(session, first, 20, {f"{left}.spikes.events": empty, f"{left}.spikes.rate": np.zeros(20)})
        records.updated.emit()
        found.append((records.last, activity.pulses(before), activity.pulses(behind)))
    places = {last: (b or [None])[0] for last, b, _ in found}
    assert places[30] == pytest.approx(21 / 50)
    assert places[50] == pytest.approx(41 / 50)
    assert places[70] is None
    assert {last: (b or [None])[0] for last, _, b in found}[90] == pytest.approx(31 / 50)
    assert found[-1][1:] == ([], [])
    assert activity.rate(left) == pytest.approx(250 / 130)
    assert 0 < activity.level(before) < 0.2
    image = activity.raster(left)
    assert image is not None
    assert (image.width(), image.height()) == (160, 4)
    assert [y for y in range(4) for x in range(160) if image.pixel(x, y)] == [2]


def test_points_fall_on_the_right_pixels() -> None:
    image = binned(np.array([0, 99, 50, 51]), np.array([0, 9, 4, 4]), (100, 10), (50, 10))
    assert image.sum() == 4
    assert (image[0, 0], image[9, 49], image[4, 25]) == (1, 1, 2)


def test_neurons_by_number() -> None:
    assert parse("3, 0-2,9", 10) == [0, 1, 2, 3, 9]
    assert shorten([0, 1, 2, 3, 9]) == "0-3, 9"
    assert parse(" all ", 3) is parse("", 3) is None
    for text in ("x", "1-", "5-9", "-1", "1,,2"):
        with pytest.raises(ValueError, match="neuron"):
            parse(text, 6)


def test_plots_that_fit(open_session: Open) -> None:
    document = drawn()
    probe = document.add("probe.spikes", name="probe")
    document.connect(document.find("right"), "spikes", probe, "input")

    def of(name: str) -> set[tuple[str, str]]:
        return {(plot.id, port) for plot, _, port in offers(document, document.find(name))}

    assert of("right") == {("raster", "spikes"), ("rate", "spikes"), ("statistics", "spikes"),
                           ("trace", "v"), ("heatmap", "v")}  # fmt: skip
    assert of("delays") == {("delays", "delays")}
    assert {("weights", "weights"), ("matrix", "weights"), ("delays", "delays")} <= of("weights")
    assert {at for _, at, _ in offers(document, probe)} == {document.find("right")}
    assert set(table()) >= {"raster", "trace", "rate", "weights", "delays", "matrix", "statistics", "heatmap"}
    from nodes import registry

    spec = registry.get("population.lif")
    assert spec is not None
    assert fitting(spec, "weights") == []


def test_every_change_of_plots_can_be_undone(open_session: Open) -> None:
    session = open_session(drawn())
    cells = session.document.find("right")
    states = [dumps(session.document)]
    a = add_plot(session, "raster", cells, "spikes")
    states.append(dumps(session.document))
    b = add_plot(session, "trace", cells, "v", pinned=True)
    states.append(dumps(session.document))
    assert a is not None
    assert b is not None
    change_plot(session, a, "Choose neurons", neurons=[1])
    states.append(dumps(session.document))
    move_plot(session, b, a)
    assert [view["id"] for view in views(session.document)] == [b, a]
    states.append(dumps(session.document))
    remove_plot(session, b)
    assert len(session.history.done) == 5
    while states:
        session.undo()
        assert dumps(session.document) == states.pop()


@pytest.fixture
def canvas(open_session: Open, qtbot: QtBot) -> CanvasView:
    view = CanvasView(open_session(drawn()))
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    qtbot.waitExposed(view)
    return view


def test_a_pinned_plot_is_on_screen_and_follows_its_node(canvas: CanvasView, qtbot: QtBot) -> None:
    session = canvas.session
    right = session.document.find("right")
    one = add_plot(session, "raster", right, "spikes", pinned=True)
    two = add_plot(session, "trace", right, "v", pinned=True)
    assert one is not None
    assert two is not None
    first, second = canvas.pins.pins[one], canvas.pins.pins[two]
    for pin in (first, second):
        assert pin.isVisible()
        assert canvas.viewport().rect().contains(pin.geometry())
    assert not first.geometry().intersects(second.geometry())
    place = first.pos()
    canvas.pan_by(QPoint(-40, 25))
    assert first.pos() == place + QPoint(-40, 25)
    header = first.plot.header
    place = first.pos()
    QTest.mousePress(header, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    QTest.mouseMove(header, QPoint(-40, 30))
    QTest.mouseRelease(header, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert first.pos() == place + QPoint(-60, 20)
    assert "at" in first.plot.view
    canvas.set_zoom(0.2)
    assert not first.isVisible()
    canvas.set_zoom(1.0)
    assert first.isVisible()
    QTest.mouseClick(first.plot.header.close_button, Qt.MouseButton.LeftButton)
    assert one not in canvas.pins.pins
    session.undo()
    assert one in canvas.pins.pins
    canvas.pins.release()


def test_the_brush_stimulates_populations_only_while_it_is_on(
    canvas: CanvasView, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = canvas.session
    right = session.document.find("right")
    sent: list[Any] = []
    monkeypatch.setattr(session.runner, "stimulate", lambda *args: sent.append(args))
    session.runner.state = "running"
    middle = canvas.mapFromScene(canvas.canvas.node_rect(right).center())
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert sent == []
    brush = Brush.of(session)
    brush.switch(True)
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert sent == [(right, 1.5, 10, None)]
    brush.set_pulse(4.0, 25.0)
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert sent[1:] == [(right, 4.0, 25, None)]
    refused: list[str] = []
    session.refused.connect(refused.append)
    session.runner.state = "ready"
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert len(sent) == 2
    assert "press Play" in refused[0]
