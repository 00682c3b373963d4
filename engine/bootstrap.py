"""Sets the project up from a bare Python: a virtual environment, the dependencies, then the job itself.

Uses the standard library only, because nothing else is there yet, and nothing that an old Python cannot
import, so that it too gets a sentence instead of a traceback.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "resources" / "constraints.txt"
PROJECT_FILE = ROOT / "pyproject.toml"
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_GB = 3.0
STAMP = "myelin-setup.json"
LOG = "myelin-setup.log"

MAIN_JOB = ["train", "projects/spoken-digits/spoken-digits.myelin", "--compare"]
"""What `python -m studio` does where no window can open, as arguments of the `myelin` command."""

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
"""On Linux any of these says where windows are shown; the last names a place by hand."""

SHARED_AMONG_CORES = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
"""How `python -m tests` runs pytest; each file stays in one process, with what it sets up once."""

RUN_MYELIN = "import sys; sys.argv[0] = 'myelin'; from engine.cli import main; sys.exit(main())"

INSTALL_PEERS = ["-c", RUN_MYELIN, "peers", "install"]

NETWORK_SIGNS = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeout",
    "ReadTimeout",
    "ProxyError",
    "SSLError",
    "Max retries exceeded",
    "Network is unreachable",
)
COMPILER_SIGNS = ("command 'gcc' failed: No such file", "Unsupported compiler", "Microsoft Visual C++")
DISK_SIGNS = ("No space left on device", "Errno 28", "not enough space on the disk", "Disk quota exceeded")


class SetupError(Exception):
    """A reason why the environment cannot be set up: one sentence for the user."""


def start_studio(arguments: Sequence[str]) -> int:
    """Set up, then open the window with the files in `arguments`; returns its exit status.

    Where there is no display, run the main job with `arguments` appended instead.
    """
    if has_display():
        return _start(("studio",), ["-m", "studio.app", *map(os.path.abspath, arguments)])
    _say("there is no display for the window, so this trains the gallery's first project instead")
    return _start((), ["-c", RUN_MYELIN, *MAIN_JOB, *arguments])


def has_display() -> bool:
    """Whether this machine has somewhere to show a window."""
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in DISPLAYS)


def start_tests(arguments: Sequence[str]) -> int:
    """Set up with the test tools, then run pytest with `arguments`; returns its exit status.

    The software that exports are verified in is installed too; the tests of what cannot be had here say so.
    """
    pytest = ["-m", "pytest", *SHARED_AMONG_CORES, *arguments]
    return _start(("studio", "test", "export"), pytest, before=INSTALL_PEERS)


def print_python(extras: Sequence[str]) -> int:
    """Set up with `extras` and print which Python the other commands use; returns the exit status."""
    return _start(extras, ["-c", "import sys; print(sys.executable)"])


def _start(extras: Sequence[str], command: Sequence[str], before: Sequence[str] = ()) -> int:
    try:
        python = ready_python(extras)
        if before:
            subprocess.run([str(python), *before], cwd=ROOT)
    except SetupError as error:
        print(f"myelin: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("myelin: setup stopped; run the same command to go on.", file=sys.stderr)
        return 130
    return _wait_for(subprocess.Popen([str(python), *command], cwd=ROOT))


def _wait_for(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child whatever is typed: Ctrl-C reaches it too, and it ends in its own good order."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def ready_python(extras: Sequence[str] = ()) -> Path:
    """Return a Python in which Myelin with `extras` is installed, making its environment first where needed.

    The environment is `.venv` in the project folder, or the folder that MYELIN_VENV names.  Someone who
    starts from a virtual environment of their own that has all that is needed stays in it.

    Raises:
        SetupError: the environment cannot be made.
    """
    check_version(sys.version_info[:2])
    if not PROJECT_FILE.is_file() or _own_environment_suffices(extras):
        return Path(sys.executable)
    folder = environment_folder()
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    inputs = hashlib.sha256(PROJECT_FILE.read_bytes() + CONSTRAINTS.read_bytes()).hexdigest()
    done_inputs, done_extras = _read_stamp(folder)
    if python.is_file() and done_inputs == inputs and done_extras.issuperset(extras):
        return python
    all_extras = sorted(done_extras.union(extras))
    _make_environment(folder, python)
    _install(folder, python, all_extras)
    (folder / STAMP).write_text(json.dumps({"inputs": inputs, "extras": all_extras}), encoding="utf-8")
    return python


def check_version(version: tuple[int, ...]) -> None:
    """Raise SetupError unless `version` (major, minor) is one that Myelin supports."""
    if OLDEST <= version <= NEWEST:
        return
    found, low, high = (".".join(map(str, v)) for v in (version, OLDEST, NEWEST))
    raise SetupError(
        f"Myelin needs Python {low} to {high} and this is {found}; install one of those from python.org "
        "and run the same command with it."
    )


def environment_folder() -> Path:
    """Return the folder of the virtual environment: MYELIN_VENV, else `.venv` in the project folder."""
    return Path(os.environ.get("MYELIN_VENV") or ROOT / ".venv").absolute()


def _own_environment_suffices(extras: Sequence[str]) -> bool:
    is_own = sys.prefix != sys.base_prefix and Path(sys.prefix) != environment_folder()
    return is_own and not os.environ.get("MYELIN_VENV") and not _missing_packages(extras)


def _missing_packages(extras: Sequence[str]) -> list[str]:
    from importlib.metadata import distributions  # absent from Pythons that check_version refuses

    installed = {_plain_name(found.metadata["Name"]) for found in distributions() if found.metadata["Name"]}
    return [name for name in _required_packages(extras) if name not in installed]


def _required_packages(extras: Sequence[str]) -> list[str]:
    import tomllib  # Pythons that check_version refuses have none

    project = tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *(project["optional-dependencies"][name] for name in extras)]
    return [_plain_name(re.split(r"[^\w.-]", line)[0]) for group in groups for line in group]


def _plain_name(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _read_stamp(folder: Path) -> tuple[str, frozenset[str]]:
    """Return what the environment was last made from: the hash of the project files and the extras."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return str(stamp["inputs"]), frozenset(stamp["extras"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", frozenset()


def _make_environment(folder: Path, python: Path) -> None:
    if _has_pip(python):
        return
    if folder.is_file() or _is_foreign(folder):
        raise SetupError(f"{folder} holds something other than a virtual environment; choose another folder.")
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise SetupError(
            "this Python cannot make virtual environments; install its venv package (Debian and Ubuntu: "
            "`sudo apt install python3-venv`) and run the same command."
        )
    _check_space(folder)
    _say(f"making a virtual environment in {folder}")
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True)
    if made.returncode:
        last = (made.stderr + made.stdout).strip().splitlines()[-1:]
        raise SetupError(f"the virtual environment {folder} could not be made: {''.join(last)}")


def _has_pip(python: Path) -> bool:
    if not python.is_file():
        return False
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0


def _is_foreign(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file()


def _check_space(folder: Path) -> None:
    existing = next(parent for parent in folder.parents if parent.is_dir())
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < NEEDED_GB:
        raise SetupError(
            f"{existing} has {free_gb:.1f} GB free and the dependencies need about {NEEDED_GB:.0f} GB; free "
            "some space or set MYELIN_VENV to a folder on another disk."
        )


def _install(folder: Path, python: Path, extras: Sequence[str]) -> None:
    (folder / LOG).write_bytes(b"")
    # PyTorch is by far the largest: alone and first, its release is settled before others can ask for one.
    _pip(folder, python, "PyTorch", ["torch"])
    project = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    _pip(folder, python, "Myelin Studio and what else it needs", ["-e", project])


def _pip(folder: Path, python: Path, what: str, packages: Sequence[str]) -> None:
    _say(f"installing {what}")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-c", str(CONSTRAINTS)]
    with (folder / LOG).open("ab") as log:
        # Standard output stays free for what the job itself prints.
        status = subprocess.run([*command, *packages], stdout=sys.stderr, stderr=log).returncode
    if status:
        reason = explain_pip((folder / LOG).read_text(encoding="utf-8", errors="replace"))
        raise SetupError(f"{what} could not be installed: {reason} (pip's own words: {folder / LOG}).")


def explain_pip(log: str, place: str = "MYELIN_VENV") -> str:
    """Return in one clause why pip failed, from what it wrote; the variable `place` names the folder."""
    if any(sign in log for sign in DISK_SIGNS):
        return f"the disk is full; free some space or set {place} to a folder on another disk"
    if any(sign in log for sign in NETWORK_SIGNS):
        return "the package index cannot be reached; check the network or proxy and run the same command"
    if any(sign in log for sign in COMPILER_SIGNS):
        return "there is no C++ compiler to build it with; install one and run the same command"
    errors = re.findall(r"^ERROR: (.+)$", log, flags=re.MULTILINE)
    return errors[-1].rstrip(".") if errors else "pip failed without giving a reason"


def _say(text: str) -> None:
    print(f"myelin: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(print_python(sys.argv[1:]))
