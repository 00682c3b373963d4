"""`myelin targets`, `export` and `verify`: what they say, what they leave, what they end with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.export.target import Target, discover
from engine.export.writing import MARK
from tests.cli.conftest import Myelin
from tests.cli.networks import CHANNELS, classifier, oscillator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    return oscillator(tmp_path / "noise.myelin")


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    return classifier(tmp_path / "classes.myelin", delays=False)


def sentence(text: str) -> str:
    """The one line of a failure."""
    assert len(text.splitlines()) == 1, text
    assert text.startswith("myelin: ")
    assert "Traceback" not in text
    assert "unexpected" not in text
    return text.strip()


def test_targets_are_listed(myelin: Myelin) -> None:
    done = myelin("targets")
    assert done.status == 0
    assert all(id in done.out for id in discover())


def test_targets_as_json(myelin: Myelin, noise: Path) -> None:
    told = json.loads(myelin("targets", noise, "--json").out)
    assert [row["id"] for row in told] == list(discover())
    by_id = {row["id"]: row for row in told}
    assert by_id["pytorch"]["verdict"] == "complete"
    assert by_id["c"]["options"]["number"]["choices"] == ["float", "fixed"]
    assert any("MYL280" in problem for problem in by_id["sinabs"]["problems"])


def test_an_export_says_what_it_wrote_and_how_to_verify_it(myelin: Myelin, noise: Path) -> None:
    path = noise.with_name("the script.py")
    done = myelin("export", noise, "--to", "script", "-o", path, "--set", "cells.tau_mem=30")
    assert done.status == 0
    assert done.err == ""
    assert path.is_file()
    told = done.out.splitlines()[-1].partition("myelin verify ")[2]
    assert f"--artefact '{path}'" in told
    assert told.endswith("--set cells.tau_mem=30")


def test_an_export_as_json(myelin: Myelin, noise: Path) -> None:
    path = noise.with_name("net.py")
    told = json.loads(myelin("export", noise, "--to", "script", "-o", path, "--json").out)
    assert told == {"path": str(path), "target": "script", "weights": None, "conversions": []}


def test_an_artefact_is_verified_where_it_lies(
    myelin: Myelin, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(noise.parent)
    assert myelin("export", noise, "--to", "pytorch", "-o", "söme net").status == 0
    done = myelin("verify", noise, "--to", "pytorch", "--artefact", "söme net", "--steps", "20", "--json")
    told = json.loads(done.out)
    assert done.status == 0
    assert (told["status"], told["exact"], told["steps"]) == ("verified", True, 20)
    assert told["stimulus"] == "the network's own sources"


def test_a_changed_artefact_differs(myelin: Myelin, classes: Path) -> None:
    folder = classes.with_name("net")
    assert myelin("export", classes, "--to", "pytorch", "-o", folder).status == 0
    with np.load(folder / "weights.npz") as stored:
        weights = {name: -stored[name] for name in stored.files}
    np.savez(folder / "weights.npz", **weights)  # type: ignore[arg-type]
    done = myelin("verify", classes, "--to", "pytorch", "--artefact", folder, "--samples", "1")
    assert done.status == 1
    assert "differs" in done.out
    assert "first at step" in done.out


def test_options_are_those_of_the_artefact(myelin: Myelin, noise: Path) -> None:
    folder = noise.with_name("net")
    assert myelin("export", noise, "--to", "c", "-o", folder, "--option", "weight_bits=4").status == 0
    assert json.loads((folder / MARK).read_text())["options"]["weight_bits"] == 4
    from engine.cli._deployed import chosen

    assert chosen("c", None, folder)[1].weight_bits == 4
    assert chosen("c", ["weight_bits=5"], folder)[1].weight_bits == 5


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--to", "nosuch", "-o", "x"], 2, "there is no target 'nosuch': there are "),
        (["--to", "pytorch"], 2, "Missing option"),
        (["-o", "x"], 2, "Missing option"),
        (["--to", "script", "-o", "x", "--option", "a=1"], 2, "Python script has no option 'a'"),
        (["--to", "c", "-o", "x", "--option", "number"], 2, "--option takes key=value"),
        (["--to", "c", "-o", "x", "--option", "number=7"], 2, "must be one of float, fixed"),
        (["--to", "c", "-o", "x", "--option", "weight_bits=99"], 2, "at most 16"),
        (["--to", "c", "-o", "x", "--option", "weight_bits=2.5"], 2, "whole number"),
        (["--to", "c", "-o", "x", "--option", "input_range=NaN"], 2, "finite"),
        (["--to", "c", "-o", "x", "--option", "double_sums=maybe"], 2, "true or false"),
        (["--to", "script", "-o", "x", "--set", "cells.tau=1"], 2, "no parameter 'tau'"),
        (["--to", "script", "-o", "x", "--weights", "nothing"], 2, "no such file or folder"),
        (["--to", "script", "-o", "x", "--weights", "noise.myelin"], 1, "no readable checkpoint"),
        (["--to", "script", "-o", "other"], 1, "is a folder, and this export is a file"),
        (["--to", "pytorch", "-o", "other"], 1, "a folder with other things in it"),
        (["--to", "pytorch", "-o", "other/thing"], 1, "is a file, and this export is a folder"),
        (["--to", "script", "-o", "other/thing/x.py"], 1, "other/thing is a file, not a folder"),
        (["--to", "script", "-o", "x" * 300], 1, "file name too long"),
    ],
)
def test_a_refused_export_is_one_sentence_and_leaves_nothing(
    myelin: Myelin,
    noise: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.chdir(noise.parent)
    Path("other").mkdir()
    Path("other", "thing").write_text("mine")
    done = myelin("export", noise, *arguments)
    assert done.status == status
    assert words in sentence(done.err)
    assert done.out == ""
    assert sorted(path.name for path in Path().rglob("*")) == ["noise.myelin", "other", "thing"]
    assert Path("other", "thing").read_text() == "mine"


def test_what_a_target_cannot_take_is_named_and_nothing_written(myelin: Myelin, noise: Path) -> None:
    done = myelin("export", noise, "--to", "sinabs", "-o", noise.with_name("x"))
    assert done.status == 1
    assert "error MYL280: 'cells' is LIF" in done.err
    assert os.listdir(noise.parent) == [noise.name]


@pytest.mark.parametrize("command", ["export", "verify", "targets"])
@pytest.mark.parametrize("kind", ["population.nosuch", "population.lif"])
def test_documents_with_problems(myelin: Myelin, noise: Path, command: str, kind: str) -> None:
    tree = json.loads(noise.read_text())
    cells = next(node for node in tree["nodes"].values() if node["name"] == "cells")
    cells["type"], cells["params"]["tau_mem"] = kind, -1
    noise.write_text(json.dumps(tree))
    more = {"export": ["--to", "script", "-o", noise.with_name("x")], "verify": ["--to", "script"]}
    done = myelin(command, noise, *more.get(command, ()))
    assert done.status == 1
    assert "error MYL1" in done.err
    assert len(done.err.splitlines()) == 1
    assert os.listdir(noise.parent) == [noise.name]


class Full(Target):
    """A target whose disk is full when half is written."""

    id, label = "full", "Full disk"

    def write(self, frozen: Any, folder: Path, options: Any) -> None:
        (folder / "half").write_text("half")
        raise OSError(28, "No space left on device", str(folder))


class Interrupted(Full):
    """A target at which someone presses Ctrl-C."""

    def write(self, frozen: Any, folder: Path, options: Any) -> None:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("target", "status", "words"), [(Full, 1, "the disk is full"), (Interrupted, 130, "stopped")]
)
def test_a_failed_export_takes_its_folders_along(
    myelin: Myelin, noise: Path, monkeypatch: pytest.MonkeyPatch, target: Any, status: int, words: str
) -> None:
    monkeypatch.setattr("engine.cli._deployed.get", lambda id: target())
    done = myelin("export", noise, "--to", "full", "-o", noise.parent / "new" / "folder" / "x")
    assert done.status == status
    assert words in sentence(done.err)
    assert os.listdir(noise.parent) == [noise.name]


SIGNAL = "spikes_npz.data"


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"foo": np.zeros((5, CHANNELS))}, "the network has no input 'foo' (spikes_npz.data)"),
        ({}, "does not hold the signal 'spikes_npz.data'"),
        ({SIGNAL: np.zeros((5, CHANNELS - 1))}, "finite numbers [steps, 8]"),
        ({SIGNAL: np.zeros((0, CHANNELS))}, "finite numbers [steps, 8]"),
        ({SIGNAL: np.float64(3)}, "finite numbers [steps, 8]"),
        ({SIGNAL: np.full((5, CHANNELS), np.nan)}, "finite numbers [steps, 8]"),
        ({SIGNAL: np.full((5, CHANNELS), 1e300)}, "finite numbers [steps, 8]"),
        ({SIGNAL: np.zeros((5, CHANNELS), complex)}, "finite numbers [steps, 8]"),
        ({SIGNAL: np.full((5, CHANNELS), "a")}, "finite numbers [steps, 8]"),
        ({SIGNAL: np.full((5, CHANNELS), None)}, "no readable .npz"),
    ],
)
def test_wrong_stimuli(myelin: Myelin, classes: Path, arrays: dict[str, Any], words: str) -> None:
    file = classes.with_name("stimulus.npz")
    np.savez(file, **arrays)
    done = myelin("verify", classes, "--to", "script", "--stimulus", file)
    assert done.status == 1
    assert words in sentence(done.err)


@pytest.mark.parametrize("content", [None, b"", b"PK\3\4 and nothing", b"\x93NUMPY"])
def test_stimuli_that_are_no_npz(myelin: Myelin, noise: Path, content: bytes | None) -> None:
    file = noise.with_name("stimulus.npz")
    if content is not None:
        file.write_bytes(content)
    done = myelin("verify", noise, "--to", "script", "--stimulus", file)
    assert done.status == 1
    assert str(file) in sentence(done.err)


def test_a_stimulus_is_what_the_network_is_verified_with(myelin: Myelin, classes: Path) -> None:
    file = classes.with_name("stimulus.npz")
    np.savez(file, **{SIGNAL: np.random.default_rng(0).random((30, CHANNELS)) < 0.2})
    kept = classes.with_name("kept")
    done = myelin("verify", classes, "--to", "script", "--stimulus", file, "--report", kept, "--json")
    told = json.loads(done.out)
    assert (told["status"], told["steps"], told["stimulus"]) == ("verified", 30, str(file))
    assert json.loads((kept / "report.json").read_text())["status"] == "verified"
    with np.load(kept / "signals.npz") as signals:
        assert {name.partition("/")[0] for name in signals.files} == {"ours", "reference", "artefact"}


@pytest.mark.parametrize(
    ("to", "artefact", "words"),
    [
        ("pytorch", "nothing", "there is no such file or folder"),
        ("pytorch", "other", f"no export to PyTorch source, but a folder without {MARK}"),
        ("c", "torch", "no export to C (C99), but an export to pytorch"),
        ("script", "other", "is a folder, and Python script is one file"),
        ("script", "noise.myelin", "failed"),
        ("onnx", "noise.myelin", "ONNX Runtime cannot load"),
    ],
)
def test_artefacts_of_something_else(
    myelin: Myelin, noise: Path, monkeypatch: pytest.MonkeyPatch, to: str, artefact: str, words: str
) -> None:
    if to == "onnx":
        pytest.importorskip("onnxruntime")
    monkeypatch.chdir(noise.parent)
    Path("other").mkdir()
    Path("torch").mkdir()
    Path("torch", MARK).write_text('{"target": "pytorch"}')
    done = myelin("verify", noise, "--to", to, "--artefact", artefact, "--steps", "5")
    assert done.status in (1, 2)
    assert words in sentence(done.err)


def test_software_that_is_missing_is_said(
    myelin: Myelin, noise: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MYELIN_PEERS", str(tmp_path / "none"))
    for target in ("c", "lava"):
        told = json.loads(myelin("verify", noise, "--to", target, "--steps", "5", "--json").out)
        assert told["status"] in ("read", "unverified")
        assert "not verified by execution" in told["message"]
        assert "not installed" in told["message"]


_WAITING = """
import sys
from pathlib import Path
from engine.cli import main
from engine.export.peers import Peer
from engine.export.target import Target, target

@target("waiting", label="Waiting")
class Waiting(Target):
    def write(self, frozen, folder, options):
        (folder / "half").write_text("half")
        if sys.argv[2] == "export":
            self.wait()

    def execute(self, *given):
        self.wait()

    def wait(self):
        script = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
        Peer("waiting", Path(sys.executable)).run(script, sys.argv[1])

sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")
@pytest.mark.parametrize("command", ["export", "verify"])
def test_ctrl_c_leaves_no_file_and_no_process(noise: Path, command: str) -> None:
    folder, fifo, scratch = noise.parent, noise.with_name("fifo"), noise.with_name("scratch")
    scratch.mkdir()
    os.mkfifo(fifo)
    more = ["-o", str(folder / "out" / "x")] if command == "export" else []
    child = subprocess.Popen(
        [sys.executable, "-c", _WAITING, str(fifo), command, str(noise), "--to", "waiting", *more],
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    running = int(fifo.read_text())
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert sentence(said) == "myelin: stopped"
    assert not any(scratch.iterdir())
    assert not (folder / "out").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(running, 0)
