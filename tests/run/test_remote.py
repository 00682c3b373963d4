"""A worker on another machine: through `sh -c` in another folder, and through a real sshd on this machine."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.run.client import Client, WorkerError
from engine.run.fetch import FetchError, Fetching
from engine.run.hosts import SSH, Host, version_problem
from engine.runs import RECORD, WEIGHTS
from tests.run import nets

ROOT = Path(__file__).resolve().parents[2]
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def shell(folder: Path) -> list[str]:
    """A transport that has nothing of ours but the code: another folder, and a shell in between."""
    start = f"cd '{folder}' && PYTHONPATH='{ROOT}' exec '{sys.executable}' -P -m engine.run.worker"
    return ["sh", "-c", start]


def same(first: Path, second: Path) -> None:
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_training_elsewhere_comes_home(tmp_path: Path) -> None:
    away, home = tmp_path / "away", tmp_path / "home" / "run"
    away.mkdir()
    with Client(shell(away)) as worker:
        worker.result(worker.load(nets.classifier(tmp_path)))
        folder = Host("", "there").folder(home)
        assert worker.result(worker.train(folder), timeout=120)["reason"] == "finished"
        assert not home.exists()
        worker.fetch(folder, home)
        same(away / folder, home)
        assert {RECORD, WEIGHTS} <= {path.name for path in home.iterdir()}
        assert not list(home.rglob("*.part"))
        with pytest.raises(WorkerError, match="there is no run in"):
            worker.fetch("..", tmp_path / "else")
        with pytest.raises(WorkerError, match="has no file"):
            worker.result(worker.send("fetch", folder=folder, file="../../../secret", offset=0))


def test_files_come_in_pieces_and_are_whole_or_not_there(tmp_path: Path) -> None:
    content = {"run.json": b"{}", WEIGHTS: b"w" * 7, "a/b.csv": b""}
    fetching = Fetching("there", tmp_path)
    assert fetching.next() == ("files", {"folder": "there"})
    fetching.take({"files": [{"name": name, "size": len(data)} for name, data in content.items()]})
    asked = []
    while (request := fetching.next()) is not None:
        _, fields = request
        asked.append(fields["file"])
        data = content[fields["file"]]
        assert not (tmp_path / fields["file"]).exists()
        fetching.take({"data": data[fields["offset"] :][:3], "size": len(data)})
    assert asked[-1] == WEIGHTS, "weights come last"
    assert asked.count(WEIGHTS) == 3
    assert {name: (tmp_path / name).read_bytes() for name in content} == content
    assert fetching.done == fetching.total == 9


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "..\\x", "C:x", ""])
def test_no_file_lands_outside_the_folder(tmp_path: Path, name: str) -> None:
    fetching = Fetching("there", tmp_path)
    with pytest.raises(FetchError, match="is not taken"):
        fetching.take({"files": [{"name": name, "size": 1}]})


def test_too_much_is_not_brought_home(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="too much to bring home"):
        Fetching("there", tmp_path).take({"files": [{"name": "huge", "size": 2**43}]})


def test_devices_are_told_and_hello_does_not_wait_for_them(worker: Client) -> None:
    found = worker.result(worker.devices())["devices"]
    assert found[0]["id"] == "cpu"
    assert "core" in found[0]["name"]
    assert found[0]["memory"] > 2**28
    assert "devices" not in worker.result(worker.hello())


@pytest.mark.parametrize(
    ("said", "status", "was_up", "expected"),
    [
        ("ssh: Could not resolve hostname lab: unknown", 255, False, "there is no host lab"),
        ("me@lab: Permission denied (publickey,password).", 255, False, "set up a key so that `ssh lab`"),
        ("Host key verification failed.", 255, False, "run `ssh lab` once"),
        ("ssh: connect to host lab port 22: Connection refused", 255, False, "no ssh server runs there"),
        ("ssh: connect to host lab port 22: Connection timed out", 255, False, "did not answer in time"),
        ("bash: line 1: myelin: command not found", 127, False, "does not know the command `myelin worker`"),
        ("sh: 1: myelin: not found", 127, False, "does not know the command"),
        ("", 127, False, "does not know the command"),
        ("/usr/bin/python3: No module named engine", 1, False, "a Python without Myelin"),
        ("Connection to lab closed by remote host.", 255, True, "the connection to lab is lost"),
        ("Killed", 137, True, "the worker on lab has ended (exit status 137): Killed"),
    ],
)  # fmt: skip
def test_failures_are_sentences(said: str, status: int, was_up: bool, expected: str) -> None:
    sentence = Host("Lab", "lab").failure(status, said, was_up)
    assert expected in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("address", ["", "  ", "-oProxyCommand=rm", "two words"])
def test_what_is_no_host_is_refused(address: str) -> None:
    assert Host("x", address).problem() is not None


@pytest.mark.parametrize("command", ["", "'open"])
def test_what_is_no_command_is_refused(command: str) -> None:
    assert Host("x", "lab", command).problem() is not None


def test_a_python_stands_for_its_worker() -> None:
    assert Host("x", "lab").argv == [*SSH, "--", "lab", "myelin worker"]
    assert Host("x", "lab", "~/venv/bin/python3").argv[-1] == "~/venv/bin/python3 -P -m engine.run.worker"
    assert Host("x", "lab").problem() is None


def test_another_version_is_told() -> None:
    assert version_problem({"protocol": 1}, "lab") is None
    assert "install a newer Myelin here" in str(version_problem({"protocol": 99}, "lab"))
    assert "install a newer Myelin there" in str(version_problem({"protocol": 0}, "lab"))


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a server on this machine, and the key that it lets in; with nothing of the user's own."""
    keygen = shutil.which("ssh-keygen")
    if not Path(SSHD).exists() or not shutil.which("ssh") or not keygen:
        pytest.skip("there is no sshd here")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    shutil.copy(folder / "user.pub", folder / "authorized")
    lines = [
        f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {folder / 'host'}", "UsePAM no",
        f"AuthorizedKeysFile {folder / 'authorized'}", "StrictModes no", f"PidFile {folder / 'pid'}",
        "PermitRootLogin yes", "PasswordAuthentication no",
    ]  # fmt: skip
    (folder / "config").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where the server insists to live
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.PIPE)
    if not answers(port, process):
        process.kill()
        said = process.communicate()[1].decode(errors="replace").strip()
        pytest.skip(f"sshd does not run here: {said}")
    yield port, folder
    process.terminate()
    process.communicate(timeout=10)


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return True
    return False


@pytest.fixture
def lab(sshd: tuple[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host called `lab` by an ssh that reads a configuration of ours instead of the user's."""
    port, folder = sshd
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    config = [
        "Host *", "  HostName 127.0.0.1", f"  Port {port}", f"  User {getpass.getuser()}",
        "  IdentitiesOnly yes", "  GlobalKnownHostsFile /dev/null",
        f"  IdentityFile {folder / 'user'}", f"  UserKnownHostsFile {known}",
        "  IdentityAgent none",
    ]  # fmt: skip
    (tmp_path / "config").write_text("\n".join(config) + "\n")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    wrapper = binaries / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F "{tmp_path / "config"}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    start = f"cd '{tmp_path}' && PYTHONPATH='{ROOT}' exec '{sys.executable}' -P -m engine.run.worker"
    return Host("Lab", "lab", start)


def test_over_ssh_a_network_runs_trains_and_comes_home(lab: Host, tmp_path: Path) -> None:
    home = tmp_path / "home" / "run"
    with Client(host=lab) as worker:
        assert version_problem(worker.result(worker.hello()), lab.address) is None
        worker.result(worker.load(nets.noisy()))
        assert worker.result(worker.run(steps=200, stream=[["n3", "spikes"]]))["reason"] == "finished"
        assert worker.wait("records")["records"]["n3.spikes"].shape[1] == 10
        worker.result(worker.load(nets.classifier(tmp_path)))
        folder = lab.folder(home)
        worker.result(worker.train(folder), timeout=120)
        worker.fetch(folder, home)
    same(tmp_path / folder, home)


def refused(host: Host) -> str:
    with pytest.raises(WorkerError) as caught, Client(host=host) as worker:
        worker.result(worker.hello())
    return str(caught.value)


def test_over_ssh_a_command_that_is_not_there_is_told(lab: Host) -> None:
    assert "does not know the command `no-such-myelin worker`" in refused(
        Host("", "lab", "no-such-myelin worker")
    )


def test_over_ssh_a_key_that_is_not_let_in_is_told(lab: Host, sshd: tuple[int, Path], tmp_path: Path) -> None:
    keygen = shutil.which("ssh-keygen")
    assert keygen
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    config = tmp_path / "config"
    config.write_text(config.read_text().replace(str(sshd[1] / "user"), str(tmp_path / "other")))
    assert "does not let us in" in refused(lab)


def test_over_ssh_an_unknown_key_of_the_host_is_told(lab: Host, tmp_path: Path) -> None:
    (tmp_path / "known").write_text("")
    assert "run `ssh lab` once in a terminal" in refused(lab)


def test_over_ssh_a_host_that_does_not_answer_is_told(lab: Host, tmp_path: Path) -> None:
    config = tmp_path / "config"
    lines = ["  Port 1" if line.startswith("  Port") else line for line in config.read_text().splitlines()]
    config.write_text("\n".join(lines) + "\n")
    assert "no ssh server runs there" in refused(lab)


def test_over_ssh_a_lost_connection_is_told(lab: Host) -> None:
    with Client(host=lab) as worker:
        worker.result(worker.load(nets.noisy()))
        request = worker.run(stream=[])
        worker.wait("state")
        assert worker.pid
        os.kill(worker.pid, 15)
        with pytest.raises(WorkerError, match=r"has ended|is lost"):
            worker.result(request)
