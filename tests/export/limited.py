"""Chips made up for a test, small networks that break them, and what it means that a fix mends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.compile import Diagnostic, compile_document
from engine.document import Document
from engine.export.hardware.chips import Chip, read
from engine.export.hardware.limits import lint
from tests.compile.drawing import new_document, program_of, project

MODEL = (
    '[[neuron]]\ntypes = ["population.lif"]\nonly = { reset = ["zero"], max_spikes = [1] }\nsource = "a b"'
)


def chip_of(tmp_path: Path, text: str) -> Chip:
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\nmaker = "me"\nabout = "made up"\n' + text, encoding="utf-8")
    return read(file)


def limited(tmp_path: Path, name: str, value: str) -> Chip:
    return chip_of(tmp_path, f'[limits]\n{name} = {{ {value}, source = "page 7" }}\n')


def found(document: Document, target: Chip) -> list[Diagnostic]:
    return lint(program_of(document), target, document)


def broken(document: Document, target: Chip) -> list[Diagnostic]:
    return [d for d in found(document, target) if d.severity == "limit"]


def key(d: Diagnostic) -> tuple[str, tuple[str, ...], str]:
    return d.code, d.nodes, d.at


def mended(document: Document, target: Chip, problem: Diagnostic) -> list[Document]:
    """The document after each of the fixes that a problem offers; none leaves the problem or an error."""
    made = []
    for fix in (problem.fix, *problem.alternatives):
        if fix is not None:
            copy = document.copy()
            copy.edit(fix.label, fix.ops)
            assert not compile_document(copy).errors, (fix.label, compile_document(copy).errors)
            left = [d for d in found(copy, target) if key(d) == key(problem)]
            assert not left, (problem.message, fix.label, left[0].message)
            made.append(copy)
    return made


def net(size: int = 6, **lif: Any) -> Document:
    """A source of 4, a hidden population, a readout population of 3."""
    d = new_document()
    source = d.add("population.poisson", name="source", size=[4])
    hidden = d.add("population.lif", name="hidden", size=[size], **lif)
    out = d.add("population.lif", name="out", size=[3])
    project(d, source, hidden, name="in")
    project(d, hidden, out, name="up")
    return d


def with_delays(type: str = "delays.fixed", name: str = "in", **given: Any) -> Document:
    d = net()
    d.connect(d.add(type, name="late", **given), "delays", d.find(name), "delays")
    return d


def looped() -> Document:
    d = net()
    project(d, d.find("hidden"), d.find("hidden"), name="back", lag=1)
    return d


def convolved() -> Document:
    d = new_document()
    source = d.add("population.poisson", size=[2, 5, 5])
    conv, cells = d.add("projection.conv2d", name="conv", window=5), d.add("population.if", name="cells")
    d.connect(source, "spikes", conv, "input")
    d.connect(conv, "output", cells, "input")
    return d


def two_targets() -> Document:
    d = net()
    project(d, d.find("hidden"), d.add("population.lif", name="other", size=[2]), name="aside")
    return d


def driven() -> Document:
    d = net()
    d.connect(
        d.add("readout.spike_count", name="count"), "output", d.add("encoder.direct", name="dc"), "input"
    )
    d.connect(d.find("out"), "spikes", d.find("count"), "input")
    d.connect(d.find("dc"), "output", d.add("population.lif", name="told", size=[3]), "input")
    return d


def watched() -> Document:
    d = net()
    d.connect(d.find("out"), "v", d.add("readout.max_membrane", name="peak"), "input")
    return d
