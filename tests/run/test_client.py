"""The process around a worker: it dies, stalls, prints, sits behind a shell, and leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.run import protocol
from engine.run.client import Client, WorkerError, _with_our_code
from engine.run.protocol import Decoder
from engine.run.worker.outbox import Outbox
from tests.run import nets

ROOT = Path(__file__).resolve().parents[2]
MODULE = [sys.executable, "-m", "engine.run.worker"]

NOISY_LIBRARY = """
import os, sys
from engine.run.worker import desk, main
step = desk.Desk._step
def loud(self, message):
    print("a stray print")
    os.write(1, b"raw bytes on descriptor one")
    os.system("echo greeting of a child")
    return step(self, message)
desk.Desk._step = loud
sys.exit(main())
"""

DEAF = """
import time
from engine.run.worker import desk, main
from engine.run.worker.outbox import Outbox
desk.Desk._step = lambda self, message: time.sleep(1000)
main()
"""


def from_here(code: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"]


def test_hello_comes_before_torch() -> None:
    with Client() as client:
        hello = client.result(client.hello())
        assert hello["protocol"] == protocol.VERSION
        assert hello["pid"] == client.pid
        assert not hello["ready"]


def test_a_killed_worker_is_reported_and_the_next_start_works() -> None:
    died = threading.Event()
    heard: list[str] = []
    with Client() as client:
        client.on("error", lambda message: (heard.append(message["text"]), died.set()))
        client.result(client.load(nets.noisy()))
        run = client.run()
        client.wait("records")
        assert client.pid is not None
        os.kill(client.pid, signal.SIGKILL)
        with pytest.raises(WorkerError, match="has ended"):
            client.result(run)
        assert died.wait(30)
        assert heard[0].startswith("the worker has ended (killed by SIGKILL)")
        assert not client.alive
        with pytest.raises(WorkerError, match="SIGKILL"):
            client.run()
        client.start()
        client.result(client.load(nets.noisy()))
        assert client.result(client.step(5))["step"] == 5


def test_last_words_of_a_worker_that_cannot_start() -> None:
    with Client([sys.executable, "-c", "raise SystemExit('no licence for worry')"]) as client:
        assert "exit status 1): no licence for worry" in client.wait("error")["text"]
    with pytest.raises(WorkerError, match="cannot be started"):
        Client(["/no/such/program"]).start()


def test_a_banner_before_the_protocol_is_named() -> None:
    with Client(["sh", "-c", "echo Welcome to Leviathan; exec cat"]) as client:
        assert "Welcome to Leviathan" in client.wait("error")["text"]


def test_stop_kills_a_worker_that_does_not_listen() -> None:
    with Client(from_here(DEAF)) as client:
        client.result(client.load(nets.silent()))
        step = client.step()
        assert client.stop(timeout=0.2) is False
        with pytest.raises(WorkerError, match="has ended"):
            client.result(step)
        client.start()
        assert client.result(client.hello())


def test_stop_ends_a_busy_run_in_time() -> None:
    with Client() as client:
        client.result(client.load(nets.noisy()))
        run = client.run(frame=1_000_000)
        assert client.wait("state")["state"] == "idle"
        assert client.stop(timeout=2.0)
        assert client.result(run)["reason"] == "stopped"


def test_stop_is_heard_while_torch_loads() -> None:
    with Client() as client:
        load = client.load(nets.noisy())
        assert client.stop(timeout=30)
        client.result(load)
        client.result(client.load(nets.noisy()))


def test_a_shell_can_stand_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Client(["sh", "-c", f"{shlex.join(MODULE)}; exit 7"]) as client:
        client.result(client.load(nets.noisy()))
        assert client.result(client.step(5))["step"] == 5


def test_stray_prints_do_not_reach_the_protocol() -> None:
    with Client(from_here(NOISY_LIBRARY)) as client:
        client.result(client.load(nets.noisy()))
        for n in range(1, 4):
            assert client.result(client.step())["step"] == n
        assert client.wait("records")["steps"] == 1
    said = list(client._last_words)
    assert "a stray print" in said
    assert any("raw bytes" in line for line in said)
    assert any("greeting" in line for line in said)


def test_a_slow_reader_misses_frames_and_the_worker_counts_them() -> None:
    shown, skipped, slow = [0], [0], threading.Event()

    def look(message: protocol.Message) -> None:
        shown[0] += message["steps"]
        skipped[0] += message["skipped"]
        assert (message["one_in"] > 1) == (message["skipped"] > 0)
        slow.wait(0.02)

    with Client() as client:
        client.on("records", look)
        client.result(client.load(nets.silent(2000)))
        client.result(client.run(steps=2000, frame=1, stream=[["n1", "v"]]))
        assert client._process is not None
    assert skipped[0] > 0
    assert shown[0] + skipped[0] == 2000


def test_the_outbox_never_waits_and_keeps_the_newest() -> None:
    source, target = os.pipe()
    outbox = Outbox(target)
    blob = b"0" * 100_000  # more than a pipe holds
    for n in range(50):
        outbox.put({"type": "records", "steps": 1, "n": n, "blob": blob})
        outbox.put({"type": "state", "n": n})
    outbox.put({"type": "done"})
    decoder, found = Decoder(), []
    while not found or found[-1]["type"] != "done":
        found += decoder.feed(os.read(source, 1 << 16))
    records = [message for message in found if message["type"] == "records"]
    assert [message["n"] for message in records][-8:] == list(range(42, 50))
    assert sum(message["steps"] + message["skipped"] for message in records) == 50
    assert [message["n"] for message in found if message["type"] == "state"][-1] == 49
    assert len(found) < 25
    outbox.close()
    os.close(source)
    os.close(target)


def speak(stdin: bytes) -> tuple[int, list[protocol.Message], str]:
    """Exit status, messages and stderr of a worker that is given these bytes."""
    done = subprocess.run(MODULE, input=stdin, capture_output=True, env=_with_our_code(), timeout=60)
    decoder = Decoder()
    messages = list(decoder.feed(done.stdout))
    assert not decoder.inside
    return done.returncode, messages, done.stderr.decode()  # type: ignore[return-value]


def test_a_malformed_frame_is_one_error_and_the_worker_goes_on() -> None:
    garbage = b"\x00\x00\x00\x03\xc1\xc1\xc1"
    hello = protocol.encode({"type": "hello", "request": 1})
    status, messages, stderr = speak(garbage + hello)
    assert status == 0
    assert [message["type"] for message in messages] == ["error", "done"]
    assert "Traceback" not in stderr


def test_a_stream_that_is_no_protocol_ends_the_worker_with_one_error() -> None:
    status, messages, stderr = speak(b"GET / HTTP/1.1\r\n\r\n")
    assert status == 0
    assert len(messages) == 1
    assert "no Myelin protocol" in messages[0]["text"]
    assert "Traceback" not in stderr


def test_half_a_request_at_the_end_is_no_request() -> None:
    status, messages, stderr = speak(protocol.encode({"type": "hello", "request": 1})[:-2])
    assert (status, messages) == (0, [])
    assert "ended inside a frame" in stderr


def test_nothing_is_left_behind() -> None:
    threads = set(threading.enumerate())
    descriptors = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    client = Client()
    for _ in range(2):
        with client:
            process = client._process
            client.result(client.hello())
        assert process is not None
        assert process.returncode == 0
    assert set(threading.enumerate()) == threads
    if descriptors is not None:
        assert len(os.listdir("/proc/self/fd")) == descriptors
