"""The command as a whole: usage, failures, and that light commands stay light."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import engine.cli
from engine.cli import _failures, application, main
from engine.errors import MyelinError
from nodes.samples import DataError
from tests.cli.conftest import Myelin
from tests.cli.networks import oscillator

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("check", "compile", "data", "doctor", "eval", "new-node", "nodes", "run", "train", "worker")


def started(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; standard error ends with the heavy packages it had loaded."""
    script = (
        "import atexit, sys; heavy = lambda: sorted({'torch', 'lightning', 'PySide6'} & set(sys.modules))\n"
        "atexit.register(lambda: print('HEAVY', *heavy(), file=sys.stderr))\n"
        "from engine.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(application(), ["--help"])
    assert shown.exit_code == 0
    assert [name for name in COMMANDS if f"  {name}  " not in shown.output] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(myelin: Myelin, command: str) -> None:
    done = myelin(command, "--help")
    assert done.status == 0
    assert "Usage: myelin" in done.out


def test_without_a_command_the_help_is_shown(myelin: Myelin) -> None:
    done = myelin()
    assert done.status == 0
    assert "Usage: myelin" in done.out


def test_the_version(myelin: Myelin) -> None:
    assert myelin("--version") == (0, f"myelin {engine.versions.own_version()}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], "check"),
        (["check"], "FILE"),
        (["check", "--jsn", "x"], "--json"),
        (["data"], "command"),
        (["train", "x.myelin", "--epochs", "many"], "--epochs"),
        (["run", "x.myelin", "--seed", "1.5"], "--seed"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(myelin: Myelin, arguments: list[str], words: str) -> None:
    done = myelin(*arguments)
    assert done.status == 2
    assert done.err.startswith("myelin: ")
    assert done.err.count("\n") == 1
    assert words in done.err


@pytest.mark.parametrize("command", ["check", "compile", "train", "eval", "run"])
@pytest.mark.parametrize("place", ["nowhere.myelin", "."])
def test_an_unreadable_file_is_one_sentence_and_status_2(
    myelin: Myelin, tmp_path: Path, command: str, place: str
) -> None:
    done = myelin(command, tmp_path / place)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert str(tmp_path) in done.err


@pytest.mark.slow
def test_light_commands_load_no_torch(tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    wanted: list[list[str | Path]] = [
        ["--help"],
        ["train", "--help"],
        ["check", file],
        ["compile", file, "--print-after", "all"],
        ["nodes", "lif"],
        ["data", "list"],
        ["doctor"],
        ["new-node", "population", "mine", "--dir", tmp_path],
    ]
    for arguments in wanted:
        done = started(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1] == "HEAVY", arguments


def test_the_probe_sees_torch_where_it_is_loaded(tmp_path: Path) -> None:
    done = started("run", oscillator(tmp_path / "osc.myelin"), "--duration", "5")
    assert "torch" in done.stderr.splitlines()[-1]


def test_debug_shows_the_traceback_wherever_it_stands(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine.cli"]
    for arguments in (["--debug", "compile", "no.myelin"], ["compile", "no.myelin", "--debug"]):
        done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100)
        assert done.returncode != 0
        assert "Traceback" in done.stderr
        assert "DocumentError" in done.stderr


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MyelinError("no data\nhere"), 1, "no data here"),
        (DataError("lost"), 1, "lost"),
        (_failures.UsageError("what?"), 2, "what?"),
        (KeyboardInterrupt(), 130, "stopped"),
        (MemoryError(), 1, "memory"),
        (OSError(28, "No space left on device", "/tmp/x"), 1, "/tmp/x: the disk is full"),
        (PermissionError(13, "Permission denied", "/etc/x"), 1, "/etc/x: permission denied"),
        (ModuleNotFoundError("No module named 'nir'", name="nir"), 1, "pip install nir"),
        (ZeroDivisionError("division\nby zero"), 1, "unexpected ZeroDivisionError: division by zero"),
    ],
)
def test_every_failure_is_one_line(error: BaseException, status: int, words: str) -> None:
    sentence, found = _failures.explain(error)
    assert found == status
    assert words in sentence
    assert "\n" not in sentence


def test_an_unexpected_failure_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(engine.cli, "application", broken)
    assert main(["check"]) == 1
    assert capsys.readouterr().err == "myelin: unexpected RuntimeError: boom (--debug shows where)\n"
    with pytest.raises(RuntimeError, match="boom"):
        main(["check", "--debug"])


@pytest.mark.skipif(os.name == "nt", reason="there is no head")
def test_a_reader_that_leaves_early_is_no_failure() -> None:
    command = f"{sys.executable} -m engine.cli nodes --json | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_the_worker_answers_and_leaves_when_its_input_ends() -> None:
    command = [sys.executable, "-m", "engine.cli", "worker"]
    done = subprocess.run(command, cwd=ROOT, input=b"", capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr


def test_json_is_json(myelin: Myelin, tmp_path: Path) -> None:
    file = oscillator(tmp_path / "osc.myelin")
    for arguments in (["check", file], ["nodes"], ["nodes", "lif"], ["data", "list"], ["doctor"]):
        json.loads(myelin(*arguments, "--json").out)
