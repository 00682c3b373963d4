"""The one-command setup: what it decides and says, without installing anything."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine import bootstrap
from engine.bootstrap import SetupError


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for an environment that does not exist yet."""
    folder = tmp_path / "env"
    monkeypatch.setenv("MYELIN_VENV", str(folder))
    return folder


class Commands:
    """Stands in for subprocess.run: records the commands; making an environment leaves a Python file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[list[str]] = []
        self.pip_says = ""

    def __call__(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.seen.append(list(command))
        if "venv" in command:
            for python in ("bin/python", "Scripts/python.exe"):
                (self.folder / python).parent.mkdir(parents=True)
                (self.folder / python).touch()
        failed = "pip" in command and "install" in command and self.pip_says
        if failed:
            options["stderr"].write(self.pip_says.encode())
        return subprocess.CompletedProcess(list(command), 1 if failed else 0, "", "")

    @property
    def installs(self) -> list[str]:
        return [command[-1] for command in self.seen if "pip" in command and "install" in command]


@pytest.fixture
def commands(environment: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    fake = Commands(environment)
    monkeypatch.setattr(subprocess, "run", fake)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    return fake


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 14), (4, 0)])
def test_another_python_is_refused_by_its_number(version: tuple[int, int]) -> None:
    with pytest.raises(SetupError, match=rf"3\.11 to 3\.13 and this is {version[0]}\.{version[1]}"):
        bootstrap.check_version(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_supported_pythons_pass(version: tuple[int, int]) -> None:
    bootstrap.check_version(version)


def test_torch_is_installed_first_and_a_second_start_installs_nothing(commands: Commands) -> None:
    first = bootstrap.ready_python(("test",))
    assert commands.installs == ["torch", f"{bootstrap.ROOT}[test]"]
    ran = len(commands.seen)
    assert bootstrap.ready_python(("test",)) == first
    assert bootstrap.ready_python(()) == first
    assert len(commands.seen) == ran


def test_a_new_extra_is_added_to_those_before(commands: Commands) -> None:
    bootstrap.ready_python(("test",))
    bootstrap.ready_python(("sweep",))
    assert commands.installs[-1] == f"{bootstrap.ROOT}[sweep,test]"


def test_changed_project_files_install_again(commands: Commands, environment: Path) -> None:
    bootstrap.ready_python(())
    stamp = environment / bootstrap.STAMP
    stamp.write_text(json.dumps({"inputs": "of last week", "extras": ["test"]}))
    bootstrap.ready_python(())
    assert commands.installs[2:] == ["torch", f"{bootstrap.ROOT}[test]"]


@pytest.fixture
def started(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The last command of every start, which is not run; Linux without a display."""
    seen: list[list[str]] = []

    def popen(command: Sequence[str], **options: Any) -> SimpleNamespace:
        seen.append(list(command)[1:])
        return SimpleNamespace(wait=lambda: 0)

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in bootstrap.DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    return seen


@pytest.mark.parametrize("name", bootstrap.DISPLAYS)
def test_with_a_display_the_studio_opens_with_the_files_named(
    started: list[list[str]], commands: Commands, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, ":0")
    assert bootstrap.start_studio(["some.myelin"]) == 0
    assert started == [["-m", "studio.app", str(Path("some.myelin").absolute())]]
    assert commands.installs[-1] == f"{bootstrap.ROOT}[studio]"


def test_without_a_display_the_main_job_runs_and_no_window_library_is_installed(
    started: list[list[str]], commands: Commands, capfd: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.start_studio(["--epochs", "1"]) == 0
    assert started == [["-c", bootstrap.RUN_MYELIN, *bootstrap.MAIN_JOB, "--epochs", "1"]]
    assert commands.installs[-1] == str(bootstrap.ROOT)
    assert "no display" in capfd.readouterr().err


def test_the_tests_start_with_the_extras_and_peers_that_they_need(
    started: list[list[str]], commands: Commands
) -> None:
    assert bootstrap.start_tests(["-x"]) == 0
    assert commands.installs[-1] == f"{bootstrap.ROOT}[export,studio,test]"
    assert commands.seen[-1][1:] == bootstrap.INSTALL_PEERS
    assert started == [["-m", "pytest", *bootstrap.SHARED_AMONG_CORES, "-x"]]


def test_peers_that_cannot_be_installed_keep_no_test_from_running(
    started: list[list[str]], commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        done = commands(command, **options)
        return subprocess.CompletedProcess(done.args, int(command[-2:] == ["peers", "install"]), "", "")

    monkeypatch.setattr(subprocess, "run", fails)
    assert bootstrap.start_tests([]) == 0
    assert len(started) == 1


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_always_have_a_display(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    for name in bootstrap.DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert bootstrap.has_display()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"inputs": 1}'])
def test_a_damaged_stamp_counts_as_none(commands: Commands, environment: Path, content: str) -> None:
    bootstrap.ready_python(())
    (environment / bootstrap.STAMP).write_text(content)
    bootstrap.ready_python(())
    assert len(commands.installs) == 4


@pytest.mark.parametrize(
    ("pip_says", "reason"),
    [
        (
            "WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for torch\n",
            "index cannot be reached",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device\n", "disk is full"),
        ("ERROR: Cannot install a and b.\nERROR: ResolutionImpossible\n", "ResolutionImpossible"),
        ("error: command 'gcc' failed: No such file or directory\n", "no C++ compiler"),
        ("Killed\n", "without giving a reason"),
    ],
)
def test_a_failed_install_says_why_in_one_sentence_and_is_tried_again(
    commands: Commands, capfd: pytest.CaptureFixture[str], pip_says: str, reason: str
) -> None:
    commands.pip_says = pip_says
    assert bootstrap.start_tests([]) == 1
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("myelin: PyTorch could not be installed")
    assert reason in said
    commands.pip_says = ""
    bootstrap.ready_python(())
    assert commands.installs == ["torch", "torch", str(bootstrap.ROOT)]


def test_a_folder_of_something_else_is_left_alone(commands: Commands, environment: Path) -> None:
    environment.mkdir()
    (environment / "thesis.tex").touch()
    with pytest.raises(SetupError, match="something other than a virtual environment"):
        bootstrap.ready_python(())
    assert [found.name for found in environment.iterdir()] == ["thesis.tex"]
    assert commands.seen == []


@pytest.mark.usefixtures("commands")
def test_a_python_without_ensurepip_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(SetupError, match="python3-venv"):
        bootstrap.ready_python(())


def test_a_full_disk_is_seen_before_anything_is_made(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    with pytest.raises(SetupError, match=r"1\.0 GB free"):
        bootstrap.ready_python(())
    assert commands.seen == []


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests do not run in a virtual environment")
def test_an_own_environment_is_used_where_it_has_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MYELIN_VENV", raising=False)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "_required_packages", lambda extras: ["pytest", *extras])
    assert bootstrap._own_environment_suffices(())
    assert not bootstrap._own_environment_suffices(("surely-not-installed",))


def test_required_packages_are_those_of_the_project_file() -> None:
    assert {"numpy", "torch"} <= set(bootstrap._required_packages(()))
    assert {"pytest", "brian2"} <= set(bootstrap._required_packages(("test",)))


def test_every_direct_dependency_is_pinned() -> None:
    lines = bootstrap.CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pinned = {bootstrap._plain_name(line.partition("==")[0]) for line in lines if "==" in line}
    extras = ("studio", "export", "sweep", "test", "bench")
    assert set(bootstrap._required_packages(extras)) <= pinned
