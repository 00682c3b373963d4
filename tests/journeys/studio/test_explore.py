"""Journey 3: 10 000 neurons that nobody trains: watched, looked into, stimulated, scrubbed back, exported."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QSlider, QWidget
from pytestqt.qtbot import QtBot

from studio.card import Card
from studio.plots.base import Plot
from studio.plots.brush import Brush
from studio.plots.pulse import PulseBox
from studio.plots.raster import Raster
from studio.plots.timeline import Timeline
from studio.plots.trace import Trace
from studio.plots.weights import Weights
from studio.records import Records
from studio.window import MainWindow
from tests.journeys.studio.person import LEFT, PLAIN, Person

W = TypeVar("W", bound=QWidget)

SIZES = {"excitatory": 8000, "inhibitory": 2000}
WITHIN = ("E to E", "E to I", "I to E", "I to I")
PICKED = [0, 17, 4000, 7999]
BURST = 12
"""Steps in which a neuron fires twice by a strong pulse, and hardly ever of itself."""


class Explorer(Person):
    """Somebody who also opens menus and looks at plots."""

    def see(self, kind: type[W]) -> W:
        return next(widget for widget in self.window.findChildren(kind) if widget.isVisible())

    def right_click(self, widget: QWidget, at: QPoint) -> QMenu:
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at))
        QApplication.sendEvent(widget, event)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu), "no menu has opened"
        return menu

    def take(self, menu: QMenu, *words: str) -> None:
        """Click an entry, and what it opens, by the beginning of its text."""
        for word in words:
            entry = next(one for one in menu.actions() if one.text().replace("&", "").startswith(word))
            inner = entry.menu()
            self.click(menu, menu.actionGeometry(entry).center())
            if isinstance(inner, QMenu):
                self.wait(inner.isVisible)
                menu = inner

    def middle(self, node: str) -> QPoint:
        return self.pixel(self.view.canvas.node_rect(node).center())


@pytest.fixture
def explorer(window: MainWindow, qtbot: QtBot) -> Explorer:
    window.resize(1700, 1060)
    person = Explorer(window, qtbot)
    person.click({card.text(): card for card in window.findChildren(Card)}["Balanced E-I network"])
    return person


def scale_up(person: Explorer) -> None:
    """Ten times the neurons, with as many synapses each as before."""
    document = person.session.document
    for name, size in SIZES.items():
        person.choose(document.find(name))
        person.type_into("size", str(size))
        assert document.nodes[document.find(name)].params["size"] == [size]
    person.choose(document.find(WITHIN[0]))
    for name in WITHIN[1:]:
        rect = person.view.canvas.node_rect(document.find(name))
        at = person.pixel(QPointF(rect.left() + 0.3 * rect.width(), rect.center().y()))
        QTest.mouseClick(person.view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, at)
    person.type_into("probability", "0.01")
    assert {document.nodes[document.find(name)].params["probability"] for name in WITHIN} == {0.01}


def spikes_of(records: Records, node: str, neuron: int, first: int) -> np.ndarray:
    steps, neurons = records.events(node, "spikes", first, records.last)
    return steps[neurons == neuron]


def bursts(steps: np.ndarray) -> bool:
    return bool(len(steps) > 1 and (np.diff(steps) <= BURST).any())


def export(person: Explorer, plot: Plot, form: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = folder / f"plot.{form}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    person.take(person.right_click(plot, plot.body.geometry().center()), f"Export {form.upper()}")
    return path


@pytest.mark.slow
def test_ten_thousand_neurons_are_explored(
    explorer: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, session = explorer, explorer.session
    document, runner, records = session.document, session.runner, Records.of(session)
    cells = document.find("excitatory")
    scale_up(person)

    # Play: the raster fills while the network runs
    person.look()
    person.keys(Qt.Key.Key_Space)
    person.wait(lambda: runner.state == "running", 60)
    states: list[str] = []
    begun: list[None] = []
    runner.state_changed.connect(states.append)
    runner.started.connect(lambda: begun.append(None))
    person.wait(lambda: len(records.events(cells, "spikes", 0, records.last)[0]) > 100, 60)
    raster = person.see(Raster)
    person.wait(lambda: not raster._words.isVisible() and raster.image.image is not None)
    assert raster._rows() == SIZES["excitatory"]

    # the membranes of some picked neurons
    trace = person.see(Trace)
    menu = trace.header.neurons.menu()
    menu.popup(trace.mapToGlobal(QPoint()))
    QTest.keyClicks(trace.header.field, ", ".join(map(str, PICKED)))
    QTest.keyClick(trace.header.field, Qt.Key.Key_Return)
    assert trace.neurons == PICKED
    person.wait(lambda: np.isfinite(trace.data()[1][-1][-20:]).all() and len(trace.data()[1][0]) > 40)
    membranes = np.array(trace.data()[1][1:])
    assert len(np.unique(membranes[:, -1])) == len(PICKED), "each neuron has a membrane of its own"

    # a histogram of weights is added beside its projection, with no pause
    weights = document.find("E to E")
    person.take(
        person.right_click(person.view.viewport(), person.middle(weights)), "Plot", "Weight histogram"
    )
    histogram = person.see(Weights)
    person.wait(lambda: histogram.data()[1][2].size > 0)
    synapses = int(histogram.data()[1][2].sum())
    assert abs(synapses / (0.01 * SIZES["excitatory"] ** 2) - 1) < 0.02

    # the brush: a population on the canvas, then a single neuron in the raster
    person.look()
    person.keys(Qt.Key.Key_B)
    assert Brush.of(session).on
    before, calm = records.last, records.rate(cells, "spikes", 0, records.last)[1]
    person.click(person.view.viewport(), person.middle(cells))
    person.wait(
        lambda: records.rate(cells, "spikes", before, records.last)[1].max(initial=0) > 2 * calm.max()
    )
    pulse = person.see(PulseBox)
    pulse.amplitude.setFocus()
    pulse.amplitude.selectAll()
    QTest.keyClicks(pulse.amplitude, "20")
    QTest.keyClick(pulse.amplitude, Qt.Key.Key_Return)
    touched: list[tuple[str, list[int]]] = []
    Brush.of(session).touched.connect(lambda node, neurons: touched.append((node, neurons)))
    before = records.last
    person.click(raster.canvas.viewport())
    ((node, (neuron,)),) = touched
    assert node == cells
    person.wait(lambda: bursts(spikes_of(records, cells, neuron, before)))
    assert not states, "it ran on all the time"
    assert not begun

    # pause, and scrub back with the timeline
    person.look()
    person.keys(Qt.Key.Key_Space)
    person.wait(lambda: runner.state == "paused")
    slider = person.see(Timeline).findChild(QSlider)
    assert slider is not None
    end, last = QPoint(slider.width() - 6, slider.height() // 2), records.last
    newest = raster.data()[1][0]
    QTest.mousePress(slider, LEFT, PLAIN, end)
    QTest.mouseMove(slider, QPoint(slider.width() * 2 // 3, end.y()))
    QTest.mouseRelease(slider, LEFT, PLAIN, QPoint(slider.width() * 2 // 3, end.y()))
    assert not records.follow
    assert records.at < last
    person.wait(lambda: raster.shown[1] == records.at)
    assert raster.data()[1][0].max() <= records.at * records.dt < newest.max()

    # any plot as numbers and as pictures
    with export(person, raster, "csv", tmp_path, monkeypatch).open(newline="") as file:
        names, *rows = csv.reader(file)
    assert names == ["time (ms)", "neuron"]
    assert np.array_equal(np.array(rows, float).T, np.array(raster.data()[1], float))
    image = QImage(str(export(person, trace, "png", tmp_path, monkeypatch)))
    assert image.size() == 2 * trace.body.size()
    drawn = QSvgRenderer(str(export(person, histogram, "svg", tmp_path, monkeypatch)))
    assert drawn.isValid()
    assert drawn.viewBox().size() == histogram.body.size()
