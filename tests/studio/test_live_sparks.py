"""The small histograms on projections, from document, run and training; activity within its time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.document import Document
from engine.document.ops import set_op
from studio.canvas import flow
from studio.canvas.node import NodeItem
from studio.canvas.view import CanvasView
from studio.canvas.wire import WireItem
from studio.session import Session
from studio.sparks import Sparks

Open = Callable[[Document], Session]


def drawn(**delays: object) -> tuple[Document, str, str]:
    """Two populations, a projection, learnable delays of 0 to 24 ms."""
    document = Document.new("two", dt_ms=2.0)
    left = document.add("population.poisson", name="left", size=[4], at=[0, 0])
    weights = document.add("projection.dense", name="weights", at=[240, 0])
    right = document.add("population.lif", name="right", size=[3], at=[480, 0])
    lag = document.add("delays.learnable", name="lag", at=[240, 120], max_delay=24.0, **delays)
    document.connect(left, "spikes", weights, "input")
    document.connect(weights, "output", right, "input")
    document.connect(lag, "delays", weights, "delays")
    return document, weights, lag


def centre(sparks: Sparks, node: str) -> float:
    """Where the middle of the bars' mass is, from 0 to 1."""
    spark = sparks.spark(node)
    assert spark is not None
    heights = np.asarray(spark.heights)
    return float((heights * (np.arange(len(heights)) + 0.5)).sum() / heights.sum() / len(heights))


def test_before_a_run_the_document_tells(open_session: Open) -> None:
    document, weights, lag = drawn()
    session = open_session(document)
    sparks = Sparks.of(session)
    even = sparks.spark(weights)
    assert even is not None
    assert even.heights == (1.0,) * 13, "a bar for each step from 0 to 24 ms"
    session.edit("Narrow", [set_op(["nodes", lag, "params", "min_delay"], 18.0)])
    assert centre(sparks, weights) > 0.8
    session.edit("Half", [set_op(["nodes", lag, "params", "init"], "half")])
    assert sparks.spark(weights) is None, "how these lie only a run can tell"


def test_an_edit_elsewhere_draws_no_bars_anew(open_session: Open, qtbot: QtBot) -> None:
    document, weights, lag = drawn()
    session = open_session(document)
    sparks = Sparks.of(session)
    assert sparks.spark(weights) is not None
    elsewhere = session.document.find("right")
    with qtbot.assertNotEmitted(sparks.updated):
        session.edit("Slower", [set_op(["nodes", elsewhere, "params", "tau_mem"], 30.0)])
    with qtbot.waitSignal(sparks.updated):
        session.edit("Narrow", [set_op(["nodes", lag, "params", "min_delay"], 18.0)])


def test_run_and_training_move_the_bars(open_session: Open, qtbot: QtBot) -> None:
    document, weights, lag = drawn()
    session = open_session(document)
    sparks = Sparks.of(session)
    found = np.array([[0.5, 1.5, 2.5, 3.5], [7, 2, 1, 0]])
    with qtbot.waitSignal(sparks.updated):
        session.runner.records.emit(
            {"step": 0, "steps": 1, "dt": 2.0, "records": {f"{weights}.delays.histogram": found}}
        )
    early = centre(sparks, weights)
    assert early < 0.25
    told = {"node": weights, "low": -0.5, "high": 12.5, "counts": [0] * 9 + [1, 2, 8, 1], "dt": 2.0}
    with qtbot.waitSignal(sparks.updated):
        session.runner.metrics.emit({"event": "epoch", "epoch": 1, "watched": {"delays": [told]}})
    assert centre(sparks, weights) > 0.8
    session.edit("Move", [set_op(["layout", lag], {"at": [0, 300]})])
    assert centre(sparks, weights) > 0.8
    session.edit("Longer", [set_op(["nodes", lag, "params", "max_delay"], 48.0)])
    assert abs(centre(sparks, weights) - 0.5) < 0.1


def test_a_projection_without_delays_shows_its_weights(open_session: Open, qtbot: QtBot) -> None:
    document, weights, lag = drawn()
    document.edit("Cut", [{"op": "del_wire", "id": key} for key in document.wires_of([lag])])
    view = CanvasView(open_session(document))
    qtbot.addWidget(view)
    item = view.canvas.items_by_id[weights]
    assert isinstance(item, NodeItem)
    assert item.spark is None
    found = np.array([[-1.0, 0.0, 1.0], [1, 3, 0]])
    view.session.runner.records.emit(
        {"step": 0, "steps": 1, "dt": 2.0, "records": {f"{weights}.weights.histogram": found}}
    )
    assert item.spark is not None
    assert item.spark.spark is not None
    assert item.spark.spark.what == "weights"
    assert centre(Sparks.of(view.session), weights) > 0.5


def test_with_little_time_a_frame_every_item_has_its_turn(
    open_session: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, _weights, _ = drawn()
    left, right = document.find("left"), document.find("right")
    view = CanvasView(open_session(document))
    qtbot.addWidget(view)
    view.show()
    qtbot.waitUntil(lambda: view.session.problems.program is not None)
    monkeypatch.setattr(flow, "BUDGET_S", 0.0)  # one item a frame
    rates = {f"{node}.spikes.rate": np.full(40, 20.0) for node in (left, right)}
    view.session.runner.records.emit({"step": 0, "steps": 40, "dt": 2.0, "records": rates})
    items = view.canvas.items_by_id
    wires = [item for item in items.values() if isinstance(item, WireItem) and item.look.kind != "delays"]
    nodes = [items[left], items[right]]
    qtbot.waitUntil(lambda: all(wire.level > 0 for wire in wires))
    qtbot.waitUntil(lambda: all(node.strip.rate == 20.0 for node in nodes))  # type: ignore[union-attr]
