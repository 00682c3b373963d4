"""The line above the canvas: what it shows, and that its buttons do what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.document import Document, dumps
from studio.banner import Banner
from studio.session import Session
from studio.theme import theme
from tests.run import nets

Open = Callable[[Document], Session]


def weak() -> Document:
    return nets.chain(
        ("population.poisson", {"name": "noise", "size": [20], "rate": 100.0}),
        ("projection.dense", {"name": "weights 1", "gain": 0.01}),
        ("population.lif", {"name": "hidden", "size": [10]}),
    )


def told(
    code: str = "MYL201", severity: str = "warning", node: str = "n3", gain: float | None = 2.5, **more: Any
) -> Any:
    fix = gain and {
        "label": "Set gain of 'weights 1' to 2.5",
        "ops": [{"op": "set", "path": ["nodes", "n2", "params", "gain"], "value": gain}],
    }
    text = f"'{node}' is {code}"
    message = {"type": "diagnosis", "code": code, "severity": severity, "node": node, "text": text}
    return {**message, "hint": "raise the gain", "fix": fix, "resolved": False, **more}


@pytest.fixture
def session(open_session: Open) -> Session:
    return open_session(weak())


@pytest.fixture
def banner(qtbot: QtBot, session: Session) -> Banner:
    made = Banner(session)
    qtbot.addWidget(made)
    made.resize(900, made.sizeHint().height())
    return made


def click(qtbot: QtBot, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_nothing_is_shown_while_all_is_well(banner: Banner) -> None:
    assert banner.isHidden()


def test_a_fix_is_one_step_of_undo(qtbot: QtBot, session: Session, banner: Banner) -> None:
    before = dumps(session.document)
    session.runner.diagnosed.emit(told())
    assert not banner.isHidden()
    assert banner.line.toolTip() == "'n3' is MYL201: raise the gain"
    click(qtbot, banner.fix)
    assert session.document.nodes["n2"].params["gain"] == 2.5
    assert banner.isHidden()
    assert len(session.history.done) == 1
    session.undo()
    assert dumps(session.document) == before


def test_the_most_severe_comes_first_and_all_can_be_seen(
    qtbot: QtBot, session: Session, banner: Banner
) -> None:
    session.runner.diagnosed.emit(told("MYL203", "info", "n1", None))
    session.runner.diagnosed.emit(told("MYL206", "error"))
    session.runner.diagnosed.emit(told("MYL204", "warning"))
    assert banner.item is not None
    assert banner.item.severity == "error"
    assert banner.count.text() == "2 of 3"
    seen = set()
    for _ in range(3):
        click(qtbot, banner.more)
        assert banner.item is not None
        seen.add(banner.item.severity)
    assert seen == {"error", "warning", "info"}
    for left in (2, 1, 0):
        click(qtbot, banner.dismiss)
        assert len(banner.items) == left
    assert banner.isHidden()


def test_show_node_reveals_it(qtbot: QtBot, session: Session, banner: Banner) -> None:
    session.runner.diagnosed.emit(told())
    with qtbot.waitSignal(session.revealed) as revealed:
        click(qtbot, banner.reveal)
    assert revealed.args == ["n3"]
    assert session.selection == {"n3"}


def test_what_is_over_is_taken_back(session: Session, banner: Banner) -> None:
    session.runner.diagnosed.emit(told())
    session.runner.diagnosed.emit(told("MYL204"))
    session.runner.diagnosed.emit(told("MYL204", resolved=True))
    assert list(banner.items) == ["MYL201 n3"]
    session.runner.started.emit()
    assert banner.isHidden()


def test_moving_a_node_keeps_a_diagnosis_and_changing_the_network_does_not(
    session: Session, banner: Banner
) -> None:
    session.runner.diagnosed.emit(told())
    session.edit("Move", [{"op": "set", "path": ["layout", "n3"], "value": {"at": [10, 10]}}])
    assert not banner.isHidden()
    session.edit("Set", [{"op": "set", "path": ["nodes", "n2", "params", "gain"], "value": 3.0}])
    assert banner.isHidden()


def test_a_stale_run_offers_a_restart(
    qtbot: QtBot, session: Session, banner: Banner, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[bool] = []
    monkeypatch.setattr(session.runner, "play", lambda: played.append(True))
    session.runner.stale_changed.emit(True)
    assert "the run goes on with the old network" in banner.line.toolTip()
    assert banner.fix.text() == "Re&start"
    click(qtbot, banner.fix)
    assert played == [True]
    session.runner.stale_changed.emit(True)
    session.runner.stale_changed.emit(False)
    assert banner.isHidden()


def test_a_failure_is_said_once(session: Session, banner: Banner) -> None:
    session.runner.diagnosed.emit(told("MYL206", "error"))
    session.runner.failed.emit("'n3' is MYL206: raise the gain", "n3")
    assert len(banner.items) == 1
    session.runner.failed.emit("the worker has ended: Killed; Play starts a new one", "")
    assert len(banner.items) == 2


@pytest.mark.parametrize("width", [320, 600, 1400])
def test_it_is_one_line_high_whatever_it_says(session: Session, banner: Banner, width: int) -> None:
    session.runner.diagnosed.emit(told(text="a long story " * 40))
    banner.resize(width, banner.sizeHint().height())
    banner.show()
    # the style sheet of either theme pads its buttons; a second line of text would need more
    assert banner.height() < 2 * banner.fontMetrics().lineSpacing() + 12
    assert banner.line.text().endswith("\N{HORIZONTAL ELLIPSIS}") or banner.line.width() == 0
    banner.close()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_its_text_can_be_read(name: str, session: Session, banner: Banner) -> None:
    theme.use(name)
    try:
        session.runner.diagnosed.emit(told())
        banner.show()
        picture = banner.grab().toImage()
        assert picture.pixelColor(0, picture.height() // 2) == theme.colour("warning")
        assert picture.pixelColor(8, 3) == theme.colour("panel")
    finally:
        theme.use("dark")
        banner.close()


def test_a_silent_network_is_mended_while_it_runs(qtbot: QtBot, session: Session, banner: Banner) -> None:
    """With a worker: the diagnosis comes, the fix is taken up by the run, and nothing is left to say."""
    runner = session.runner
    runner.set_speed()
    try:
        with qtbot.waitSignal(runner.diagnosed, timeout=60_000) as found:
            runner.play()
        assert found.args[0]["code"] == "MYL201"
        with qtbot.waitSignal(
            runner.meter, timeout=60_000, check_params_cb=lambda m: m.get("spikes_per_s", 0) > 2500
        ):
            click(qtbot, banner.fix)
        assert banner.isHidden()
        assert runner.state == "running"
    finally:
        runner.close()
