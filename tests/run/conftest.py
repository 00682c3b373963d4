"""One worker for the tests of a module that do not kill it, and a look for what is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from engine.run.client import Client


@pytest.fixture(scope="module")
def shared_worker() -> Iterator[Client]:
    before = set(threading.enumerate())
    with Client() as client:
        process = client._process
        yield client
    assert process is not None
    assert process.poll() == 0
    assert set(threading.enumerate()) <= before


@pytest.fixture
def worker(shared_worker: Client) -> Iterator[Client]:
    """The shared worker with nothing running and nothing unread."""
    shared_worker.start()
    yield shared_worker
    assert shared_worker.stop(timeout=30)
    shared_worker.result(shared_worker.hello())
    shared_worker._unread.clear()
    shared_worker._callbacks.clear()
