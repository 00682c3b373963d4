"""The worker's message ``deploy``: what it answers, what it says meanwhile, what a stop leaves."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.run.client import Client, WorkerError
from engine.run.protocol import Message
from tests.run import nets

ROOT = Path(__file__).resolve().parents[2]
ANSWER = {"path", "conversions", "preview", "report", "signals"}
SLOW = """
import sys, threading
from engine.export.target import Target, target
from engine.run.worker import main
from engine.run.worker.inbox import Inbox

told, put = threading.Event(), Inbox._put

def listening(inbox, message):
    put(inbox, message)
    if isinstance(message, dict) and message["type"] == "stop":
        told.set()

Inbox._put = listening

@target("slow", label="Slow")
class Slow(Target):
    def write(self, frozen, folder, options):
        (folder / "network.txt").write_text("text")

    def execute(self, artefact, frozen, inputs, steps, options):
        told.wait()
        return self.predict(frozen, inputs, steps, options)

@target("broken", label="Broken")
class Broken(Slow):
    def write(self, frozen, folder, options):
        (folder / "half").write_text("half")
        raise OSError(28, "No space left on device")

sys.exit(main())
"""


def asked(client: Client, target: str, **options: object) -> Message:
    return client.result(client.deploy(target, **options))


@pytest.fixture
def loaded(worker: Client) -> Client:
    worker.result(worker.load(nets.noisy()))
    return worker


def test_the_answer_has_the_report_the_preview_and_the_signals(loaded: Client, tmp_path: Path) -> None:
    told = asked(loaded, "pytorch", path=str(tmp_path / "net"), steps=30)
    assert set(told) >= ANSWER
    assert told["path"] == str(tmp_path / "net")
    assert sorted(os.listdir(tmp_path / "net")) == ["myelin-export.json", "network.py", "weights.npz"]
    report = told["report"]
    assert (report["status"], report["steps"], report["exact"]) == ("verified", 30, True)
    assert report["stimulus"] == "the network's own sources"
    assert {"network.py", "myelin-export.json"} <= {one["name"] for one in told["preview"]}
    assert {one["language"] for one in told["preview"]} == {"python", "json"}
    shapes = {name: array.shape for name, array in told["signals"].items()}
    assert shapes == {f"{who}/hidden.spikes": (30, 10) for who in ("ours", "reference", "artefact")}


def test_without_a_path_nothing_stays(
    loaded: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = asked(loaded, "script", steps=10)
    assert told["path"] == ""
    assert told["report"]["status"] == "verified"
    assert not os.listdir(tmp_path)


def test_an_export_need_not_be_verified(loaded: Client, tmp_path: Path) -> None:
    told = asked(loaded, "script", path=str(tmp_path / "net.py"), verify=False)
    assert told["report"] is None
    assert told["signals"] == {}
    assert os.listdir(tmp_path) == ["net.py"]
    assert told["preview"][0]["text"] == (tmp_path / "net.py").read_text("utf-8")


def test_conversions_are_told_with_their_nodes(loaded: Client) -> None:
    told = asked(loaded, "lava", verify=False)
    assert told["conversions"]
    assert set(told["conversions"][0]) == {"message", "nodes", "exact"}
    assert any("n2" in one["nodes"] for one in told["conversions"])


def test_what_it_is_doing_is_told(loaded: Client) -> None:
    heard: list[Message] = []
    loaded.on("progress", heard.append)
    asked(loaded, "script", steps=10)
    own = [message for message in heard if message.get("of") == "deploy"]
    steps = ["writing", "running our engine", "running Python script"]
    order = [steps.index(message["what"]) for message in own]  # only the newest waits for a slow listener
    assert order == sorted(order)
    assert (own[-1]["what"], own[-1]["done"], own[-1]["total"]) == (steps[-1], 1, 1)


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("nosuch", {}, "there is no target 'nosuch': there are "),
        ("script", {"options": {"a": 1}}, "Python script has no option 'a'"),
        ("c", {"options": {"weight_bits": 99}}, "weight_bits of C .* must be at most 16"),
        ("c", {"options": 3}, "options"),
        ("sinabs", {}, "cannot take this network"),
        ("script", {"path": "FOLDER"}, "is a folder, and this export is a file"),
        ("script", {"path": "FOLDER/file/x"}, "file is a file, not a folder"),
        ("script", {"samples": 0}, "samples"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    loaded: Client, tmp_path: Path, target: str, options: dict[str, object], words: str
) -> None:
    (tmp_path / "file").write_text("mine")
    if "path" in options:
        options = {"path": str(options["path"]).replace("FOLDER", str(tmp_path))}
    with pytest.raises(WorkerError, match=words) as refused:
        asked(loaded, target, **options)
    assert "\n" not in str(refused.value)
    assert os.listdir(tmp_path) == ["file"]
    assert asked(loaded, "script", verify=False)["preview"]  # it goes on


def test_nothing_is_exported_before_something_is_loaded() -> None:
    with Client() as client, pytest.raises(WorkerError, match="load"):
        asked(client, "script")


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Client]:
    with Client([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{SLOW}"]) as client:
        client.result(client.load(nets.noisy()))
        yield client


def test_a_full_disk_leaves_nothing(slow: Client, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="the disk is full"):
        asked(slow, "broken", path=str(tmp_path / "new" / "net"))
    assert not os.listdir(tmp_path)


def test_a_stop_leaves_what_was_there(slow: Client, tmp_path: Path) -> None:
    assert asked(slow, "slow", path=str(tmp_path / "net"), verify=False)["path"]
    before = (tmp_path / "net" / "network.txt").stat().st_ino
    stopped = [slow.deploy("slow", path=str(tmp_path / name)) for name in ("net", "new")]
    slow.result(slow.send("stop"))
    for export in stopped:
        assert slow.result(export)["reason"] == "stopped"
    assert os.listdir(tmp_path) == ["net"]
    assert (tmp_path / "net" / "network.txt").stat().st_ino == before
    assert slow.result(slow.step(5))["step"] == 5
