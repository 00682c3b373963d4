"""Programs and the graph after every pass as text, as files.  MYELIN_GOLDEN=write makes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.compile import compile_document
from engine.document import Document
from tests.compile.drawing import group, new_document, project, set_groups

GOLDEN = Path(__file__).parent / "golden"


def classifier() -> Document:
    """A data set, learnable delays, batch norm, a readout, a loss and probes."""
    d = new_document("classifier", dt=10.0, seed=3)
    data = d.add("dataset.spikes_npz", name="spoken digits")
    hidden = d.add("population.lif", name="hidden", size=[64])
    out = d.add("population.leaky_integrator", name="out")
    first, norm = d.add("projection.dense", name="first"), d.add("structure.batch_norm", name="norm")
    late = d.add("delays.learnable", name="late", max_delay=240.0, extend=240.0)
    readout, loss = d.add("readout.softmax_sum", name="votes"), d.add("loss.cross_entropy", name="loss")
    d.connect(data, "data", first, "input")
    d.connect(late, "delays", first, "delays")
    d.connect(first, "output", norm, "input")
    d.connect(norm, "output", hidden, "input")
    project(d, hidden, out)
    d.connect(out, "v", readout, "input")
    d.connect(readout, "output", loss, "prediction")
    d.connect(data, "label", loss, "label")
    for kind, source, port in (("spikes", hidden, "spikes"), ("delays", first, "output")):
        d.connect(source, port, d.add(f"probe.{kind}", name=f"{kind} of first"), "input")
    return d


def recurrent() -> Document:
    """Two loops with delays that share a population, and something behind them."""
    d = new_document("recurrent", dt=0.5)
    noise = d.add("population.poisson", name="noise", size=[5])
    e, i = d.add("population.lif", name="E", size=[8]), d.add("population.lif", name="I", size=[2])
    after = d.add("population.cuba", name="after", size=[3])
    project(d, noise, e)
    project(d, e, e, delay=3.0)
    project(d, e, i, delay=1.0)
    project(d, i, e, lag=1)
    project(d, i, after)
    return d


def blocks() -> Document:
    """A block of layers repeated within a repeated block."""
    d = new_document("blocks")
    source = d.add("population.poisson", name="source", size=[4])
    a, b = d.add("population.lif", name="a", size=[4]), d.add("population.lif", name="b", size=[4])
    into_a, into_b = project(d, source, a), project(d, a, b)
    end = d.add("population.lif", name="end", size=[4])
    project(d, b, end)
    set_groups(
        d,
        outer=group([into_a, a], (into_a, "input"), (b, "spikes"), 3),
        inner=group([into_b, b], (into_b, "input"), (b, "spikes"), 2, parent="outer"),
    )
    return d


def vision() -> Document:
    """Convolution and pooling of an event camera, delays per source, and a node that leads nowhere."""
    d = new_document("vision", dt=2.0)
    camera = d.add("dataset.npz_events", name="camera", size=[2, 8, 8])
    conv, late = (
        d.add("projection.conv2d", name="conv", channels=3),
        d.add("delays.random", granularity="axonal"),
    )
    cells, pool = d.add("population.if", name="cells"), d.add("projection.pool", name="pool")
    last = d.add("population.alif", name="last")
    d.connect(camera, "data", conv, "input")
    d.connect(late, "delays", conv, "delays")
    d.connect(conv, "output", cells, "input")
    d.connect(cells, "spikes", pool, "input")
    d.connect(pool, "output", last, "input")
    d.connect(last, "threshold", d.add("projection.dense", name="nowhere", size=[2]), "input")
    return d


DOCUMENTS = (classifier, recurrent, blocks, vision)


@pytest.mark.parametrize("draw", DOCUMENTS, ids=lambda draw: draw.__name__)
def test_text_after_every_pass(draw: Callable[[], Document]) -> None:
    compiled = compile_document(draw(), print_after="all")
    assert compiled.program is not None, [str(d) for d in compiled.errors]
    notes = [str(d) for d in compiled.diagnostics]
    before = ["", *compiled.printed.values()]
    parts = [
        f"## {name}\n{text if text != old else 'as before'}"
        for (name, text), old in zip(compiled.printed.items(), before, strict=False)
    ]
    text = "\n".join([*parts, "## program", compiled.program.text(), *notes, ""])
    file = GOLDEN / f"{draw.__name__}.txt"
    if os.environ.get("MYELIN_GOLDEN") == "write":
        file.write_text(text, encoding="utf-8", newline="\n")
    assert text == file.read_text(encoding="utf-8")


def test_print_after_one_pass_prints_that_alone() -> None:
    printed = compile_document(recurrent(), print_after="schedule").printed
    assert list(printed) == ["schedule"]
    assert "chunk" in printed["schedule"]
