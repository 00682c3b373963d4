"""Compiling is a pure function, the same everywhere, without torch, and bounded."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compile import compile_document
from engine.compile.pipeline import pipeline
from engine.document import Document, dumps, new_node
from engine.document.ops import add_node
from tests.backend.graphs import random_document
from tests.compile.drawing import codes, counted, program_of
from tests.compile.test_diagnostics import CASES
from tests.compile.test_golden import blocks, recurrent


def outcome(document: Document) -> str:
    compiled = compile_document(document, print_after="all")
    return repr((compiled.diagnostics, compiled.printed, compiled.program and compiled.program.text()))


def shuffled(document: Document, rng: Random) -> Document:
    """The same document, its nodes, wires and groups in another order."""
    copy = document.copy()
    for name in ("nodes", "wires", "groups"):
        items = list(getattr(document, name).items())
        rng.shuffle(items)
        setattr(copy, name, dict(items))
    return copy


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_outcome_depends_on_nothing_but_the_document(seed: int, rng: Random) -> None:
    document = random_document(Random(seed))
    before = dumps(document)
    expected = outcome(document)
    assert outcome(document) == expected
    assert outcome(shuffled(document, rng)) == expected
    assert dumps(document) == before


@pytest.mark.parametrize("code", CASES)
def test_diagnostics_do_not_depend_on_order(code: str) -> None:
    document = CASES[code][0]()
    assert outcome(shuffled(document, Random(1))) == outcome(document)


def test_outcome_is_the_same_under_another_hash_seed_and_needs_no_torch() -> None:
    program = """
import sys
from engine.compile import compile_document
from tests.compile.test_diagnostics import CASES
from tests.compile.test_golden import DOCUMENTS
for draw in [*DOCUMENTS, *(draw for draws in CASES.values() for draw in draws)]:
    compiled = compile_document(draw(), print_after="all")
    print(compiled.diagnostics, compiled.printed)
heavy = sorted({"torch", "lightning", "PySide6"} & {name.partition(".")[0] for name in sys.modules})
assert not heavy, heavy
"""
    texts = set()
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert run.returncode == 0, run.stderr
        texts.add(run.stdout)
    assert len(texts) == 1


def test_every_pass_is_a_file_and_says_what_it_follows() -> None:
    order = list(pipeline())
    wanted = [
        "build",
        "expand_groups",
        "check_params",
        "check_ports",
        "attach",
        "infer_shapes",
        "discretise",
        "schedule",
        "prune",
        "fuse",
        "probes",
        "lower",
    ]
    assert [name for name in order if name in wanted] == wanted


def test_programs_do_not_share_what_can_change() -> None:
    a, b = program_of(recurrent()), program_of(recurrent())
    assert a == b
    assert a != program_of(blocks())


@pytest.mark.timeout(60)
def test_five_thousand_nodes() -> None:
    """Ids fall against the direction of the wires, so shapes travel against the order of asking."""
    document, ops = Document.new(mint=counted()), []
    keys = [f"k{5000 - n:05}" for n in range(4999)]
    kinds = ["projection.dense" if n % 2 else "population.lif" for n in range(4999)]
    for n, (key, kind) in enumerate(zip(keys, kinds, strict=True)):
        given = {"size": [2]} if kind == "population.lif" else {"lag": int(n % 200 == 1)}
        ops.append(add_node(key, new_node(kind, key, **given)))
    for n, (a, b) in enumerate(pairwise(keys)):
        port = "output" if kinds[n] == "projection.dense" else "spikes"
        ops.append({"op": "add_wire", "id": f"w{n}", "wire": {"from": [a, port], "to": [b, "input"]}})
    document.edit("chain", ops)
    compiled = compile_document(document)
    assert codes(compiled) == []
    assert len(program_of(document).ops) == 4999
