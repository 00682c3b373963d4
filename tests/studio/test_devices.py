"""Where networks are computed: the picker, the machines by ssh, and a training that comes home from one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.run.hosts import Host
from engine.runs import RECORD, WEIGHTS
from studio.devices import Devices, Picker
from studio.dialogs.host import Hosts
from studio.session import Session
from studio.settings import Settings
from studio.workspace import Workspace
from tests.run import nets

ROOT = Path(__file__).resolve().parents[2]
LAB = Host("Lab", "me@lab", f"PYTHONPATH='{ROOT}' exec '{sys.executable}' -P -m engine.run.worker")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "config")


@pytest.fixture
def devices(workspace: Workspace, settings: Settings) -> Devices:
    return Devices(workspace, settings)


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `ssh` that runs the command in a shell here, in another folder, as a home elsewhere would be."""
    home, binaries = tmp_path / "away", tmp_path / "bin"
    home.mkdir()
    binaries.mkdir()
    (binaries / "ssh").write_text(
        '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\n'
        'case "$2" in *nowhere*) echo "ssh: Could not resolve hostname nowhere: x" >&2; exit 255;; esac\n'
        f"unset PYTHONPATH\ncd '{home}'\nexec sh -c \"$3\"\n"
    )
    (binaries / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    return home


def picker_of(qtbot: QtBot, devices: Devices) -> Picker:
    picker = Picker(devices)
    qtbot.addWidget(picker)
    return picker


def test_this_computer_is_there_from_the_start(qtbot: QtBot, devices: Devices) -> None:
    picker = picker_of(qtbot, devices)
    assert [picker.itemText(i) for i in range(picker.count())] == ["This computer: CPU"]
    devices.learn(
        None,
        [
            {"id": "cpu", "name": "CPU, 8 cores", "memory": 2**34},
            {"id": "cuda:0", "name": "H100", "memory": 2**36},
        ],
    )
    assert [picker.itemText(i) for i in range(picker.count())] == [
        "This computer: CPU",
        "This computer: H100",
    ]
    assert picker.itemData(1, Qt.ItemDataRole.ToolTipRole) == "H100, 64 GiB"


def test_a_choice_is_remembered_and_counts_for_every_document(
    qtbot: QtBot, workspace: Workspace, devices: Devices, settings: Settings
) -> None:
    first = Session(nets.noisy())
    workspace.add(first)
    devices.set_hosts([LAB])
    picker = picker_of(qtbot, devices)
    picker.setFocus()
    qtbot.keyClick(picker, Qt.Key.Key_Down)
    assert picker.currentText() == "Lab: CPU"
    assert first.runner.host == LAB
    second = Session(nets.noisy())
    workspace.add(second)
    assert second.runner.host == LAB
    settings.sync()
    again = Devices(workspace, Settings(settings.path.parent))
    assert again.hosts == [LAB]
    assert again.place.host == LAB
    devices.set_hosts([])
    assert first.runner.host is None
    assert picker.currentText() == "This computer: CPU"


def test_damaged_settings_cost_only_themselves(workspace: Workspace, settings: Settings) -> None:
    settings.put("hosts", ["{", "[1, 2, 3]", '["a", "-oProxy", "x"]', '["ok", "lab", "myelin worker"]'])
    settings.put("place/host", "gone")
    found = Devices(workspace, settings)
    assert found.hosts == [Host("ok", "lab")]
    assert found.place.host is None


def test_the_worker_tells_its_devices_behind_hello(
    qtbot: QtBot, workspace: Workspace, devices: Devices
) -> None:
    session = Session(nets.noisy())
    workspace.add(session)
    with qtbot.waitSignal(
        devices.changed, timeout=60_000, check_params_cb=lambda: devices.places[0].memory is not None
    ):
        session.runner.warm()
    assert "core" in devices.places[0].name


def test_devices_are_asked_again_after_a_stop_cut_the_answer_short(
    workspace: Workspace, devices: Devices, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(nets.noisy())
    asked: list[Any] = []
    workspace.add(session)
    gpu = {"id": "cuda:0", "name": "GPU", "memory": None}
    monkeypatch.setattr(session.runner, "ask", lambda kind, then: asked.append(then))
    for answer in ({"of": "devices", "reason": "stopped"}, {"devices": [gpu]}):
        session.runner.state_changed.emit("ready")
        asked.pop()(answer)
    assert not asked
    assert devices.places[-1].device == "cuda:0"


def test_machines_are_added_changed_and_removed_by_keyboard(qtbot: QtBot, devices: Devices) -> None:
    dialog = Hosts(devices)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(dialog.name, "Cluster")
    qtbot.keyClick(dialog.name, Qt.Key.Key_Tab)
    qtbot.keyClicks(dialog.address, "me@cluster")
    qtbot.keyClick(dialog.address, Qt.Key.Key_Tab)
    dialog._on_edited()
    assert devices.hosts == [Host("Cluster", "me@cluster")]
    dialog.address.setText("two words")
    dialog._on_edited()
    assert "a host cannot be called" in dialog.verdict.text()
    qtbot.mouseClick(dialog.remove, Qt.MouseButton.LeftButton)
    assert devices.hosts == []
    dialog.close()


def test_a_connection_is_tried_and_the_outcome_is_a_sentence(
    qtbot: QtBot, devices: Devices, ssh: Path
) -> None:
    devices.set_hosts([LAB, Host("", "nowhere"), Host("", "lab", "no-such-command")])
    dialog = Hosts(devices)
    qtbot.addWidget(dialog)
    dialog.show()
    for row, expected in enumerate(
        ("Connected: CPU", "There is no host nowhere", "does not know the command")
    ):
        dialog.list.setCurrentRow(row)
        qtbot.mouseClick(dialog.test, Qt.MouseButton.LeftButton)
        assert not dialog.test.isEnabled()
        qtbot.waitUntil(lambda expected=expected: expected in dialog.verdict.text(), timeout=60_000)
    assert [place.title for place in devices.places][:2] == ["This computer: CPU", "Lab: CPU"]
    dialog.close()


def test_closing_gives_an_attempt_up(qtbot: QtBot, devices: Devices, ssh: Path) -> None:
    devices.set_hosts([Host("", "lab", "sleep 60")])
    dialog = Hosts(devices)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.mouseClick(dialog.test, Qt.MouseButton.LeftButton)
    dialog.close()


def test_a_training_elsewhere_comes_home(
    qtbot: QtBot, workspace: Workspace, devices: Devices, ssh: Path, tmp_path: Path
) -> None:
    session = Session(nets.classifier(tmp_path))
    workspace.add(session)
    devices.set_hosts([LAB])
    devices.choose(devices.places[-1])
    out = tmp_path / "net.runs" / "first"
    with qtbot.waitSignal(session.runner.ended, timeout=120_000) as ended:
        session.runner.train(out)
    assert ended.args[0]["reason"] == "finished"
    assert {RECORD, WEIGHTS} <= {path.name for path in out.iterdir()}
    away = ssh / LAB.folder(out)
    assert (out / WEIGHTS).read_bytes() == (away / WEIGHTS).read_bytes()


def test_a_host_that_fails_says_why_and_this_computer_still_works(
    qtbot: QtBot, workspace: Workspace, devices: Devices, ssh: Path
) -> None:
    session = Session(nets.noisy())
    workspace.add(session)
    devices.set_hosts([Host("", "nowhere")])
    devices.choose(devices.places[-1])
    with qtbot.waitSignal(session.runner.failed, timeout=60_000) as failed:
        session.runner.play()
    assert failed.args[0] == "there is no host nowhere: check its name"
    devices.choose(devices.places[0])
    with qtbot.waitSignal(
        session.runner.meter, timeout=60_000, check_params_cb=lambda m: m["state"] == "running"
    ):
        session.runner.play()
