"""The command in this process: exit status, standard output and standard error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.cli import main


class Done(NamedTuple):
    status: int
    out: str
    err: str


Myelin = Callable[..., Done]


@pytest.fixture
def myelin(capsys: pytest.CaptureFixture[str]) -> Myelin:
    def run(*arguments: str | Path) -> Done:
        status = main([str(argument) for argument in arguments])
        return Done(status, *capsys.readouterr())

    return run
