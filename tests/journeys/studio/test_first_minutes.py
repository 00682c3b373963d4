"""Journey 1: the welcome page, a click on the gallery, Play: spikes move, and a slider acts while it runs."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSlider, QWidget
from pytestqt.qtbot import QtBot

from studio.activity import Activity
from studio.card import Card
from studio.inspector.row import Row
from studio.plots.raster import Raster
from studio.records import Records
from studio.window import MainWindow
from tests.journeys.studio.person import LEFT, PLAIN, Person


def colours(widget: QWidget) -> int:
    """How many colours a widget shows: text on a plain ground has few rows of them, a raster many."""
    image = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGB32)
    pixels = np.frombuffer(bytes(image.constBits()), np.uint32)
    return len(np.unique(pixels))


def drag_slider(slider: QSlider, share: float) -> None:
    """Drag the handle to a share of its way."""
    y, width = slider.height() // 2, slider.width()
    at = QPoint(round(width * slider.value() / max(1, slider.maximum())), y)
    at.setX(min(max(at.x(), 8), width - 8))
    QTest.mousePress(slider, LEFT, PLAIN, at)
    for part in (0.5, 1.0):
        QTest.mouseMove(slider, QPoint(round(at.x() + part * (width * share - at.x())), y))
        QApplication.processEvents()
    QTest.mouseRelease(slider, LEFT, PLAIN, QPoint(round(width * share), y))
    QApplication.processEvents()


@pytest.mark.slow
def test_a_click_on_the_gallery_and_play(window: MainWindow, qtbot: QtBot) -> None:
    person = Person(window, qtbot)
    window.resize(1600, 1000)
    cards = {card.text(): card for card in window.findChildren(Card)}
    assert len(cards) >= 6
    person.click(cards["Coincidence detector"])
    session = person.session
    detectors, drive = session.document.find("detectors"), session.document.find("drive")

    # Space on the canvas plays; the raster fills, spikes travel on wires, the status line tells the speed
    person.view.setFocus()
    person.keys(Qt.Key.Key_Space)
    records, activity = Records.of(session), Activity.of(session)
    person.wait(lambda: session.runner.state == "running", 60)
    person.wait(lambda: len(records.events(detectors, "spikes", 0, records.last)[0]) > 3, 60)
    raster = next(plot for plot in window.findChildren(Raster) if plot.isVisible())
    person.wait(lambda: not raster._words.isVisible())
    assert colours(raster) > 2
    person.wait(lambda: any(activity.pulses(wire) for wire in session.document.wires))
    assert activity.rate(detectors) is not None
    assert activity.raster(detectors) is not None
    person.wait(lambda: "real time" in window.status.meter.text())

    # a slider acts on the run in progress: nothing is stopped, nothing starts again
    person.choose(drive)
    page = window.panel("inspector")
    row = next(r for r in page.findChildren(Row) if r.name == "offset" and r.isVisible())
    slider = row.findChild(QSlider)
    assert slider is not None
    before, clock = session.document.nodes[drive].params["offset"], records.last
    steps = len(session.history.done)
    drag_slider(slider, 0.9)
    assert session.document.nodes[drive].params["offset"] != before
    assert len(session.history.done) == steps + 1, "a scrub is one step of undo"
    person.wait(lambda: records.last > clock + 100)
    assert session.runner.state == "running"
    assert not session.runner.stale

    # Space pauses; what was shown stays
    person.view.setFocus()
    person.keys(Qt.Key.Key_Space)
    person.wait(lambda: session.runner.state == "paused")
    assert len(records.events(detectors, "spikes", 0, records.last)[0]) > 3
