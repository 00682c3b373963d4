"""How far a target can be trusted with the drawing: an icon, a colour and a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Badge:
    """``icon`` and ``role`` (a colour of the theme) never stand without ``word``."""

    icon: str
    role: str
    word: str
    help: str


VERDICTS = {
    "complete": Badge("circle", "muted", "possible", "Takes everything that is drawn; not verified yet"),
    "partial": Badge("warning", "warning", "partial", "Takes it with changes, which are listed"),
    "impossible": Badge("error", "error", "impossible", "Cannot take this network; the list says why"),
}
WAITING = Badge("circle", "disabled", "...", "Being looked at")
EXACT = Badge("check", "good", "verified", "Ran in its own software: equal, spike for spike")
CHANGED = Badge("check", "warning", "verified, partial", "Ran as it should; what was converted is listed")
DIFFERS = Badge("error", "error", "differs", "Ran in its own software and did something else")
UNRUN = Badge("info", "info", "not run", "Not verified by execution: its software is not here")


def badge_of(report: dict[str, Any]) -> Badge:
    """The badge that a report earns."""
    if report["status"] == "verified":
        return EXACT if report["exact"] else CHANGED
    return DIFFERS if report["status"] == "differs" else UNRUN
