"""Where output goes: results to standard output, progress and problems to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

WIDTH = 120  # of text that goes to a file or a pipe


def out() -> Console:
    """Standard output, without interpretation of what is printed."""
    return _console(stderr=False)


def err() -> Console:
    """Standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    return (
        console
        if console.is_terminal
        else Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=WIDTH)
    )


@contextmanager
def shown(progress: Progress) -> Iterator[Progress]:
    """Show a progress display where someone watches; rich leaves an empty line in files and pipes."""
    if not progress.console.is_terminal:
        yield progress
        return
    with progress:
        yield progress


def print_json(value: Any) -> None:
    """One JSON value on standard output, in ASCII: a pipe may know no other characters."""
    print(json.dumps(value, indent=2))


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns named in ``right`` hold numbers."""
    named = any(columns)
    made = Table(box=None, pad_edge=False, show_header=named, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left")
    return made


def percent(part: float) -> str:
    """A part of one in percent."""
    return f"{100 * part:.1f} %"


def size(count: float) -> str:
    """Bytes in a unit that people read."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
