"""From an exception to the one sentence a user reads."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from engine.compile import Diagnostic
from engine.errors import MyelinError


class RefusedError(MyelinError):
    """A request cannot be met, because of ``node`` (an id), as ``diagnostics`` of compiling may tell."""

    def __init__(self, text: str, node: str = "", diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(text)
        self.node, self.diagnostics = node, diagnostics


class StoppedError(MyelinError):
    """A stop or quit came while something long was going on."""


def sentence(error: BaseException) -> str:
    """One line for the user; what is a fault of the program itself also leaves its traceback on stderr."""
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "there is not enough memory for this: use fewer neurons, shorter windows or smaller batches"
    text = " ".join(str(error).split())
    if type(error).__module__.startswith(("engine.", "nodes.")) or type(error) is ValueError:
        return text
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or text}"
    traceback.print_exception(error, file=sys.stderr)
    return f"internal error: {type(error).__name__}: {text or 'no more is known'}"


def described(diagnostics: tuple[Diagnostic, ...]) -> list[dict[str, Any]]:
    """Diagnostics as plain data; fixes stay with whoever compiles the document for editing."""
    return [
        {
            "code": d.code,
            "severity": d.severity,
            "nodes": list(d.nodes),
            "message": d.message,
            "at": d.at,
            "hint": d.hint,
        }
        for d in diagnostics
    ]
