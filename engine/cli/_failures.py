"""Every way to fail, as one sentence on standard error and an exit status."""

from __future__ import annotations

import difflib
import errno
import os
import sys
from collections.abc import Iterable

import typer

from engine.document import DocumentError
from engine.errors import MyelinError
from nodes.samples import DataError

PROBLEM, USAGE, STOPPED = 1, 2, 130


class UsageError(MyelinError):
    """The command line asks for something that is not there."""


def report(error: BaseException) -> int:
    """Print the sentence for ``error`` and return the exit status it stands for."""
    if isinstance(error, BrokenPipeError):  # the reader, `head` say, has enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (what is left in the buffer goes there at the end)
        return PROBLEM
    sentence, status = explain(error)
    say(sentence)
    return status


def say(sentence: str) -> None:
    """One line on standard error."""
    print(f"myelin: {sentence}", file=sys.stderr, flush=True)


def explain(error: BaseException) -> tuple[str, int]:
    """The sentence and the exit status of an error."""
    usage = getattr(error, "format_message", None)  # every release of typer has click's errors elsewhere
    if usage is not None:
        return one_line(usage()) or "the command is not complete; see `myelin --help`", USAGE
    match error:
        case typer.Abort() | KeyboardInterrupt():
            return "stopped", STOPPED
        case UsageError() | DocumentError():
            return one_line(str(error)), USAGE
        case MyelinError() | DataError():
            return one_line(str(error)), PROBLEM
        case ModuleNotFoundError():
            return f"the package {error.name} is not installed: run `pip install {error.name}`", PROBLEM
        case MemoryError():
            return (
                "there is not enough memory: close other programs, or use a smaller batch or network",
                PROBLEM,
            )
        case OSError():
            return _of_the_disk(error), PROBLEM
    return f"unexpected {type(error).__name__}: {one_line(str(error))} (--debug shows where)", PROBLEM


def _of_the_disk(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{place}the disk is full; make room or name another folder with --out"
    return f"{place}{(error.strerror or str(error)).lower()}"


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def nearest(wrong: str, known: Iterable[str], what: str) -> str:
    """The half-sentence that helps with a misspelt name."""
    names = list(known)
    near = difflib.get_close_matches(wrong, names, 1, 0.5)
    if near:
        return f"did you mean {near[0]}?"
    shown = ", ".join(sorted(names)[:20]) + (", ..." if len(names) > 20 else "")
    return f"{what}: {shown}" if names else f"{what}: none"
