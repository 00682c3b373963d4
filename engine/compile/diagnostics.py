"""Diagnostics: problems as data, with a code, their nodes, a sentence, a hint and maybe a fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SEVERITIES = ("error", "limit", "warning", "info")
"""Worst first.  An error leaves no program; a broken limit keeps a sound program off the chip it is for."""


@dataclass(frozen=True)
class Fix:
    """A one-click repair: edit operations of the document under a label."""

    label: str
    ops: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Diagnostic:
    """One problem.  ``severity``: one of SEVERITIES; ``at``: port or param.

    ``alternatives``: other ways to repair it than ``fix``.
    """

    code: str
    severity: str
    nodes: tuple[str, ...]
    message: str
    at: str = ""
    hint: str = ""
    fix: Fix | None = None
    alternatives: tuple[Fix, ...] = ()

    def __str__(self) -> str:
        return f"{self.severity} {self.code}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True)
class Code:
    """A declared problem: its permanent number and what it means.  Call it to report an instance."""

    code: str
    severity: str
    meaning: str

    def __call__(
        self,
        nodes: tuple[str, ...],
        message: str,
        at: str = "",
        hint: str = "",
        fix: Fix | None = None,
        alternatives: tuple[Fix, ...] = (),
    ) -> Diagnostic:
        """A problem of this kind."""
        return Diagnostic(self.code, self.severity, nodes, message, at, hint, fix, alternatives)


CODES: dict[str, Code] = {}


def declare(code: str, severity: str, meaning: str) -> Code:
    """Declare a problem beside the pass that finds it; the table in the help is made from these."""
    if code in CODES:
        raise ValueError(f"{code} is declared twice")
    CODES[code] = Code(code, severity, meaning)
    return CODES[code]
