"""``allow_self`` off keeps neurons from hearing themselves, not the i-th neuron of another population."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.compile import compile_document
from engine.document import Document
from tests.compile.drawing import new_document, program_of


def sparse(*, within: bool, through: str = "", **given: Any) -> Document:
    """A sparse projection without self-synapses between two populations of 6, or from one to itself."""
    d = new_document()
    source = d.add("population.lif", name="source", size=[6])
    target = source if within else d.add("population.lif", name="target", size=[6])
    p = d.add("projection.sparse", name="p", allow_self=False, lag=1, **given)
    d.connect(source, "spikes", p, "input")
    out = p, "output"
    if through:
        between = d.add(through)
        d.connect(*out, between, "input")
        out = between, "output"
    d.connect(*out, target, "input")
    return d


def pairs(document: Document) -> set[tuple[int, int]]:
    """The (source, target) of every synapse."""
    op = program_of(document).ops[document.find("p")]
    tensors = op.spec.tensors(op.p, dict(op.shapes))
    pre, post = (tensors[end].init(np.random.default_rng(0), tensors[end].shape) for end in ("pre", "post"))
    return set(zip(pre.tolist(), post.tolist(), strict=True))


@pytest.mark.parametrize("through", ["", "structure.dropout"])
def test_within_one_population_nobody_hears_itself(through: str) -> None:
    everyone = {(i, j) for i in range(6) for j in range(6)}
    found = pairs(sparse(within=True, through=through, probability=1.0))
    assert found == {(i, j) for i, j in everyone if i != j}


@pytest.mark.parametrize("through", ["", "structure.dropout"])
def test_between_two_populations_nothing_is_dropped(through: str) -> None:
    assert len(pairs(sparse(within=False, through=through, probability=1.0))) == 36


def test_every_source_counts_between_two_populations() -> None:
    given = {"connectivity": "fixed_in_degree", "in_degree": 6}
    assert len(pairs(sparse(within=False, **given))) == 36
    told = [str(d) for d in compile_document(sparse(within=True, **given)).errors]
    assert ["besides itself" in sentence for sentence in told] == [True]
