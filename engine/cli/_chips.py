"""Chips named on the command line."""

from __future__ import annotations

from engine.cli._failures import UsageError
from engine.document import Document
from engine.document.ops import set_op
from engine.export.hardware.chips import Chip, ChipError, chip


def known_chip(name: str) -> Chip:
    """The chip with that id or title; UsageError where there is none."""
    try:
        return chip(name)
    except ChipError as error:
        raise UsageError(str(error)) from None


def aim(document: Document, target: str) -> None:
    """Mean the document for a chip, in memory only; an empty name leaves it as it is."""
    if target:
        document.edit("target", [set_op(["meta", "target"], target)])
