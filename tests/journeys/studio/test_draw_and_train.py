"""Journey 2: from an empty document, by mouse and keys alone, to a trained network, and all the way back."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.document import dumps
from studio.training.trainer import Trainer
from studio.window import MainWindow
from tests.journeys.studio.person import CTRL, Person

SHIFT = Qt.KeyboardModifier.ShiftModifier
CELL = QPoint(150, 130)


def draw(person: Person) -> dict[str, str]:
    """The network of projects/spoken-digits: 140-256-256-20 with a learnable delay per synapse."""
    place = {
        "data": (0, 0), "weights 1": (1, 0), "delays 1": (1, 1), "norm 1": (2, 0), "hidden 1": (3, 0),
        "dropout 1": (4, 0), "weights 2": (0, 2), "delays 2": (0, 3), "norm 2": (1, 2), "hidden 2": (2, 2),
        "dropout 2": (3, 2), "weights 3": (4, 2), "delays 3": (4, 3), "output": (5, 0), "votes": (5, 1),
        "loss": (5, 2),
    }  # fmt: skip
    words = {
        "data": "spoken digits", "weights": "dense", "delays": "learnable", "norm": "batch norm",
        "hidden": "LIF", "dropout": "dropout", "output": "leaky integrator", "votes": "softmax",
        "loss": "cross entropy",
    }  # fmt: skip
    ids = {}
    for name, (column, row) in place.items():
        at = QPoint(60, 45) + QPoint(CELL.x() * column, CELL.y() * row)
        ids[name] = person.add(words[name.split()[0]], at)
    return ids


WIRES = [
    ("data", "data", "weights 1", "input"), ("delays 1", "delays", "weights 1", "delays"),
    ("weights 1", "output", "norm 1", "input"), ("norm 1", "output", "hidden 1", "input"),
    ("hidden 1", "spikes", "dropout 1", "input"), ("dropout 1", "output", "weights 2", "input"),
    ("delays 2", "delays", "weights 2", "delays"), ("weights 2", "output", "norm 2", "input"),
    ("norm 2", "output", "hidden 2", "input"), ("hidden 2", "spikes", "dropout 2", "input"),
    ("dropout 2", "output", "weights 3", "input"), ("delays 3", "delays", "weights 3", "delays"),
    ("weights 3", "output", "output", "input"), ("output", "v", "votes", "input"),
    ("votes", "output", "loss", "prediction"), ("data", "label", "loss", "label"),
]  # fmt: skip


def set_values(person: Person, ids: dict[str, str]) -> None:
    for name, id in ids.items():
        wanted: dict[str, str] = {
            "hidden": {"size": "256", "tau_mem": "10.05"},
            "delays": {"max_delay": "240", "extend": "120"},
            "output": {"tau_mem": "10.05"},
        }.get(name.split()[0], {})
        if wanted:
            person.choose(id)
        for parameter, text in wanted.items():
            person.type_into(parameter, text)
            assert written(person.session.document.nodes[id].params[parameter]) == float(text), (
                name,
                parameter,
            )


def written(value: Any) -> float:
    return float(value[0] if isinstance(value, list) else value)


def steps_of(person: Person) -> int:
    return len(person.session.history.done)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_empty_document_becomes_a_trained_network_and_empty_again(
    window: MainWindow, qtbot: QtBot
) -> None:
    person = Person(window, qtbot)
    window.resize(1700, 1060)
    QTest.keyClick(window, Qt.Key.Key_N, CTRL)
    session = person.session
    empty = dumps(session.document)
    for _ in range(4):
        person.keys(Qt.Key.Key_Minus, CTRL)

    ids = draw(person)
    for source, out, target, into in WIRES:
        person.wire(ids[source], out, ids[target], into)
    set_values(person, ids)
    person.wait(lambda: session.checker.settled)
    assert session.problems.program is not None, [str(d) for d in session.problems.diagnostics]

    # a slip of the finger bypasses the last weights; the panel of problems says so and its button mends it
    person.choose(ids["weights 3"])
    person.keys(Qt.Key.Key_B, CTRL)
    person.wait(lambda: session.checker.settled)
    assert session.problems.program is None
    person.press_fix()
    person.wait(lambda: session.checker.settled and session.problems.program is not None)

    viewport = person.view.viewport()
    person.click(viewport, QPoint(viewport.width() // 2, viewport.height() - 20))  # nothing is there
    for parameter, text in {"epochs": "3", "batch": "256", "dt_ms": "10"}.items():
        person.type_into(parameter, text)
    drawn = dumps(session.document)

    # two epochs: delays move, held-out accuracy is above chance; then Stop
    trainer = Trainer.of(session)
    person.keys(Qt.Key.Key_Return, CTRL)
    person.wait(lambda: trainer.run is not None and trainer.run.epochs >= 2, 300)
    run = trainer.run
    assert run is not None
    first, last = (histograms(line["watched"]["delays"]) for line in (run.seen[0], run.seen[-1]))
    assert first.keys() == {ids[name] for name in ("weights 1", "weights 2", "weights 3")}
    assert all(first[node] != last[node] for node in first), "delays have not moved"
    person.click(person.button("Stop"))
    person.wait(lambda: session.runner.state in ("ready", "off"), 60)
    assert dumps(session.document) == drawn, "training itself changes nothing that is drawn"

    while steps_of(person):
        person.keys(Qt.Key.Key_Z, CTRL)
    assert dumps(session.document) == empty
    while session.history.undone:
        person.keys(Qt.Key.Key_Z, CTRL | SHIFT)
    assert dumps(session.document) == drawn


def histograms(watched: list[dict[str, Any]]) -> dict[str, list[int]]:
    """How many synapses have which delay, by projection."""
    return {one["node"]: list(one["counts"]) for one in watched}
