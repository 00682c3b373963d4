"""Journey 4: a chip is chosen, broken limits go red and are mended, the export is proved and written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QTreeWidgetItem, QWidget
from pytestqt.qtbot import QtBot

from engine.export.hardware.chips import chips
from studio.card import Card
from studio.deploy.dialog import Deploy
from studio.deploy.listing import ID
from studio.hardware import ChipPicker
from studio.window import MainWindow
from tests.journeys.studio.person import CTRL, LEFT, PLAIN, Person

SHOTS = os.environ.get("MYELIN_SHOTS", "")
"""A folder that keeps the pictures of this journey."""


ALONE = """
import sys
sys.path.insert(0, ".")
import network
print([name for name in sys.modules if name.split(".")[0] in ("engine", "nodes", "studio")])
"""


class Deployer(Person):
    """Somebody with a chip in mind."""

    @property
    def dialog(self) -> Deploy:
        found = self.window.findChild(Deploy)
        assert found is not None, "no dialog has opened"
        return found

    def aim(self, title: str) -> None:
        """Choose a chip from the list in the toolbar."""
        box = self.window.findChild(ChipPicker)
        assert box is not None
        box.showPopup()
        view = box.view()
        index = box.model().index(box.findText(title), 0)
        view.scrollTo(index)
        QTest.mouseClick(view.viewport(), LEFT, PLAIN, view.visualRect(index).center())
        self.wait(lambda: box.currentText() == title and self.session.checker.settled)
        if box.view().isVisible():
            box.hidePopup()

    def limits(self) -> list[Any]:
        return [d for d in self.session.problems.diagnostics if d.severity == "limit"]

    def pick(self, target: str) -> None:
        """Click a target in the list."""
        listing = self.dialog.listing
        rows = (listing.topLevelItem(n) for n in range(listing.topLevelItemCount()))
        items = [row.child(k) for row in rows if row for k in range(row.childCount())]
        item: QTreeWidgetItem = next(item for item in items if item.data(0, ID) == target)
        listing.scrollToItem(item)
        self.click(listing.viewport(), listing.visualItemRect(item).center())
        assert self.dialog.target == target

    def page(self, title: str) -> None:
        """Click a tab of the dialog."""
        tabs = self.dialog.tabs
        index = next(n for n in range(tabs.count()) if tabs.tabText(n) == title)
        self.click(tabs.tabBar(), tabs.tabBar().tabRect(index).center())


def picture(widget: QWidget, name: str, folder: Path) -> QImage:
    """A screenshot with something on it."""
    place = Path(SHOTS or folder) / f"{name}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    assert widget.grab().save(str(place))
    image = QImage(str(place))
    seen = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(seen) > 20, f"{name} shows nothing"
    return image


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_network_is_taken_to_a_chip_and_proved(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.resize(1700, 1060)
    person = Deployer(window, qtbot)
    person.click({card.text(): card for card in window.findChildren(Card)}["Coincidence detector"])
    session = person.session
    person.wait(lambda: session.checker.settled and session.problems.program is not None)

    # a chip: what breaks its limits goes red, with the rule in words and where it was read
    xylo = chips()["xylo_audio2"]
    person.aim(xylo.title)
    person.wait(lambda: session.checker.settled and bool(person.limits()))
    ears = session.document.find("left ear")
    (model,) = [d for d in person.limits() if ears in d.nodes and d.code == "MYL211"]
    assert xylo.title in model.message
    window.panel("hardware")
    picture(window, "1-limits", tmp_path)

    # a click mends one, another chip takes them all
    count, steps = len(person.limits()), len(session.history.done)
    person.press_fix()
    person.wait(lambda: session.checker.settled and len(person.limits()) < count)
    assert len(session.history.done) == steps + 1
    person.look()
    person.keys(Qt.Key.Key_Z, CTRL)
    person.wait(lambda: session.checker.settled and len(person.limits()) == count)
    person.aim(chips()["cortex_m4"].title)
    person.wait(lambda: session.checker.settled and not person.limits())

    # export: a badge for every target, then what it changes and writes, before anything is saved
    person.look()
    person.keys(Qt.Key.Key_E, CTRL | Qt.KeyboardModifier.ShiftModifier)
    person.wait(lambda: bool(person.dialog.judged), 60)
    dialog = person.dialog
    assert set(dialog.listing.badges) == set(dialog.judged)
    words = {badge.word for badge in dialog.listing.badges.values()}
    assert {"possible", "impossible"} <= words, "some targets take it, some do not"
    refused = next(id for id, one in dialog.judged.items() if one.verdict == "impossible")
    person.pick(refused)
    assert any(line.severity == "error" for line in dialog.changes.lines), "it says why"
    assert not dialog.export.isEnabled()
    picture(dialog, "2-impossible", tmp_path)
    person.pick("pytorch")
    person.page("Preview")
    person.wait(lambda: not dialog.job.busy and bool(dialog.preview.files), 120)
    assert any("class" in file["text"] for file in dialog.preview.files)
    picture(dialog, "3-preview", tmp_path)

    # the proof: the same stimulus through both, spike by spike
    person.click(dialog.verify)
    person.wait(lambda: not dialog.job.busy and bool(dialog.report.report), 120)
    report = dialog.report.report
    assert report["status"] == "verified"
    assert report["exact"]
    detectors = next(one for one in report["artefact"] if one["signal"] == "detectors.spikes")
    assert detectors["ours"] == detectors["theirs"] > 0
    assert dialog.listing.badges["pytorch"].word == "verified"
    ours, theirs = (dialog.report.signals[f"{who}/detectors.spikes"] for who in ("ours", "artefact"))
    assert np.array_equal(ours, theirs)
    picture(dialog, "4-report", tmp_path)

    # and the file, which runs without us
    place = tmp_path / "detector"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place), ""))
    person.click(dialog.export)
    person.wait(lambda: not dialog.job.busy and place.exists(), 120)
    assert str(place) in dialog.status.text()
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE], cwd=place, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "[]", done.stderr
    dialog.reject()
