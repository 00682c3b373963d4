"""The export dialog: badges before anything is written, options, weights, stop, failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from engine.document import Document
from studio import places
from studio.deploy.badges import badge_of
from studio.deploy.dialog import Deploy
from studio.session import Session
from studio.window import MainWindow


@pytest.fixture
def dialog(window: MainWindow, qtbot: QtBot) -> Iterator[Deploy]:
    window.files.open_copy(places.PROJECTS / "coincidence" / "coincidence.myelin")
    session = window.workspace.current
    assert session is not None
    qtbot.waitUntil(lambda: session.checker.settled and session.problems.program is not None)
    window.run("file.export")
    found = window.findChild(Deploy)
    assert found is not None
    qtbot.waitUntil(lambda: bool(found.judged), timeout=30_000)
    yield found
    found.reject()


def rest(qtbot: QtBot, dialog: Deploy) -> None:
    qtbot.waitUntil(lambda: not dialog.job.busy, timeout=60_000)


def test_every_target_has_a_badge_and_reasons(dialog: Deploy) -> None:
    assert set(dialog.judged) == set(dialog.listing.badges)
    for id, one in dialog.judged.items():
        dialog.listing.choose(id)
        assert dialog.target == id
        assert dialog.title.text() == one.target.label
        errors = [line for line in dialog.changes.lines if line.severity == "error"]
        assert bool(errors) == (one.verdict == "impossible")
        assert dialog.export.isEnabled() == (one.verdict != "impossible")
        assert set(dialog.options.editors) == set(one.target.options)


def test_a_sentence_shows_its_node(dialog: Deploy) -> None:
    id = next(id for id, one in dialog.judged.items() if any(d.nodes for d in one.diagnostics))
    dialog.listing.choose(id)
    row, line = next((n, line) for n, line in enumerate(dialog.changes.lines) if line.nodes)
    dialog.changes.list.itemClicked.emit(dialog.changes.list.item(row))
    assert dialog.session.selection <= {node.partition("~")[0] for node in line.nodes}
    assert dialog.session.selection


def test_an_option_is_judged_again_and_what_was_proved_is_forgotten(dialog: Deploy, qtbot: QtBot) -> None:
    dialog.listing.choose("c")
    dialog.answers["c"] = {"report": {}, "preview": [{"name": "x", "text": "", "language": "c"}]}
    choices = dialog.judged["c"].target.options
    name = next(name for name, param in choices.items() if param.kind in ("bool", "choice"))
    param = choices[name]
    value = (
        not param.default if param.kind == "bool" else next(c for c in param.choices if c != param.default)
    )
    before = dialog.judged["c"]
    dialog.options.editors[name].changed.emit(value, False)
    assert dialog.options.of("c") == {name: value}
    assert "c" not in dialog.answers
    qtbot.waitUntil(lambda: dialog.judged["c"] is not before)


def test_a_preview_is_made_when_it_is_looked_at(dialog: Deploy, qtbot: QtBot, tmp_path: Path) -> None:
    dialog.listing.choose("script")
    assert not dialog.preview.files
    dialog.tabs.setCurrentWidget(dialog.preview)
    assert dialog.job.busy
    rest(qtbot, dialog)
    assert dialog.preview.files
    assert "import" in dialog.preview.text.toPlainText()
    dialog.listing.choose("c")
    rest(qtbot, dialog)
    names = [file["name"] for file in dialog.preview.files]
    assert "network.c" in names
    assert names[-1] == "myelin-export.json"


def test_stop_gives_up_and_writes_nothing(
    dialog: Deploy, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place), ""))
    dialog.listing.choose("c")
    dialog.export.click()
    assert dialog.job.busy
    assert not dialog.stop.isHidden()
    dialog.stop.click()
    rest(qtbot, dialog)
    assert "nothing was written" in dialog.status.text()
    assert not list(tmp_path.iterdir())
    dialog.export.click()
    rest(qtbot, dialog)
    assert place.is_dir(), "and the next one works"


def test_a_worker_that_dies_is_a_sentence(dialog: Deploy, qtbot: QtBot) -> None:
    dialog.listing.choose("c")
    dialog.verify.click()
    qtbot.waitUntil(lambda: dialog.job.worker.pid > 0)
    dialog.job.worker.kill()
    rest(qtbot, dialog)
    assert "has ended" in dialog.status.text()
    assert dialog.verify.isEnabled()


def test_a_folder_with_other_things_is_not_replaced(
    dialog: Deploy, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path), ""))
    dialog.listing.choose("c")
    dialog.export.click()
    rest(qtbot, dialog)
    assert "other things" in dialog.status.text()
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_drawing_with_errors_says_so(
    window: MainWindow, open_session: Callable[[Document], Session], qtbot: QtBot
) -> None:
    document = Document.new("broken")
    document.add("population.lif", size=[0])
    session = open_session(document)
    qtbot.waitUntil(lambda: session.checker.settled)
    dialog = Deploy(session, window)
    assert "errors" in dialog.status.text()
    assert not dialog.export.isEnabled()
    dialog.reject()
    dialog.deleteLater()


@pytest.mark.parametrize(
    ("status", "exact", "word"),
    [
        ("verified", True, "verified"),
        ("verified", False, "verified, partial"),
        ("differs", False, "differs"),
        ("read", False, "not run"),
        ("unverified", False, "not run"),
    ],
)
def test_badges_of_reports(status: str, exact: bool, word: str) -> None:
    report: dict[str, Any] = {"status": status, "exact": exact}
    assert badge_of(report).word == word
