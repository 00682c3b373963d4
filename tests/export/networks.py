"""The gallery's networks as they are exported, and what our engine does with them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from engine.arrays import Arrays, drawn, read
from engine.backend.deployment import Stimuli, Trial, network_of, recordings, stimuli
from engine.compile import compile_document
from engine.document import Document, load
from engine.export.freeze import freeze
from engine.export.frozen import Frozen
from engine.export.report import Report
from engine.export.verify import Recording
from engine.program import Program

ROOT = Path(__file__).resolve().parents[2]
TRAINED = ROOT / "tests" / "fixtures" / "export" / "spoken-digits.safetensors"  # README.md there says how
GALLERY = ("coincidence", "ei-network", "spoken-digits")
STEPS = {"coincidence": 150, "ei-network": 100, "spoken-digits": None}


class Network(NamedTuple):
    """A network to export."""

    document: Document
    program: Program
    arrays: Arrays
    frozen: Frozen


class Verified(NamedTuple):
    """An export with its report."""

    path: Path
    report: Report


@cache
def network(name: str) -> Network:
    """One of the gallery, ``spoken-digits`` trained."""
    return compiled(
        load(ROOT / "projects" / name / f"{name}.myelin"), TRAINED if name == "spoken-digits" else None
    )


def compiled(document: Document, weights: Path | None = None) -> Network:
    """A document as it is exported."""
    program = compile_document(document).program
    assert program is not None
    arrays = read(program, weights) if weights else drawn(program)
    return Network(document, program, arrays, replace(freeze(program, arrays), document=document))


@cache
def recorded(name: str, whole: bool = False) -> tuple[Recording, ...]:
    """What our engine does with the gallery's network: two recordings of digits, else its own sources."""
    found = network(name)
    return record(found, whole=whole, steps=STEPS[name])


def record(found: Network, *, whole: bool = False, steps: int | None = 100) -> tuple[Recording, ...]:
    """What our engine does with any network."""
    given: Stimuli = stimuli(found.program, found.frozen, Trial(2, steps), Path())
    return tuple(recordings(network_of(found.program, found.arrays), found.frozen, given, whole=whole))
