"""A repeated group is what one would draw by hand."""

from __future__ import annotations

import re

import torch

from engine.backend.network import Network
from engine.compile import compile_document
from engine.document import Document
from engine.program import Program, Source
from tests.compile.drawing import group, new_document, program_of, project, set_groups

CONSTANT = {"init": "constant", "gain": 0.4}


def shape_of(program: Program) -> str:
    """The text of a program with ids by their place and without names."""
    order = {key: f"op{n}" for n, key in enumerate(canonical(program))}
    lines = []
    for key in order:
        op = program.ops[key]
        wired = {
            port: sorted(f"{order[s.op]}.{s.port}" for s in sources) for port, sources in op.inputs.items()
        }
        lines.append(
            f"{order[key]} {op.type} {wired} {dict(op.shapes)} {op.delay} {op.lag} {op.tail} {dict(op.p)}"
        )
    return "\n".join([*lines, *(f"{s.chunk}" for s in program.stages)])


def canonical(program: Program) -> list[str]:
    """Ops in the order of their longest way from a source: the same for equal chains."""
    depth: dict[str, int] = {}
    for key, op in program.ops.items():
        depth[key] = 1 + max(
            (depth.get(s.op, 0) for sources in op.inputs.values() for s in sources), default=0
        )
    return sorted(program.ops, key=lambda key: (depth[key], program.ops[key].type, key))


def spikes_of(program: Program, last: str) -> torch.Tensor:
    network = Network(program)
    network.eval()
    with torch.no_grad():
        result = network.run({}, steps=40, keep=[Source(last, "spikes")])
    return result.signals[Source(last, "spikes")]


def start(d: Document) -> str:
    source = d.add("population.poisson", name="source", size=[3], rate=300.0)
    return source


def layer(d: Document, before: str, delay: float | None = None) -> tuple[str, str]:
    """A projection and a population behind ``before``."""
    cells = d.add("population.lif", size=[3])
    return project(d, before, cells, delay=delay, **CONSTANT), cells


def test_repeat_equals_drawing_by_hand() -> None:
    short, long = new_document(), new_document()
    here = start(short)
    projection, cells = layer(short, here, delay=2.0)
    late = next(w.source.node for w in short.wires.values() if w.target.port == "delays")
    set_groups(short, g=group([projection, cells, late], (projection, "input"), (cells, "spikes"), 4))
    _, end = layer(short, cells)
    there = start(long)
    for _ in range(4):
        _, there = layer(long, there, delay=2.0)
    _, last = layer(long, there)
    assert shape_of(program_of(short)) == shape_of(program_of(long))
    found, expected = spikes_of(program_of(short), end), spikes_of(program_of(long), last)
    assert torch.equal(found, expected)
    assert expected.any()


def test_nested_repeats_equal_drawing_by_hand() -> None:
    """[a [b b]] [a [b b]] [a [b b]]; the copies chain from the last b of one block to the a of the next."""
    short, long = new_document(), new_document()
    here = start(short)
    into_a, a = layer(short, here, delay=1.0)
    late = next(w.source.node for w in short.wires.values() if w.target.port == "delays")
    into_b, b = layer(short, a)
    set_groups(
        short,
        outer=group([into_a, a, late], (into_a, "input"), (b, "spikes"), 3),
        inner=group([into_b, b], (into_b, "input"), (b, "spikes"), 2, parent="outer"),
    )
    _, end = layer(short, b)
    there = start(long)
    for _ in range(3):
        _, there = layer(long, there, delay=1.0)
        for _ in range(2):
            _, there = layer(long, there)
    _, last = layer(long, there)
    assert len(program_of(short).ops) == 1 + 2 * 9 + 2
    assert shape_of(program_of(short)) == shape_of(program_of(long))
    assert torch.equal(spikes_of(program_of(short), end), spikes_of(program_of(long), last))


def test_wires_from_outside_reach_every_copy_but_for_the_chained_port() -> None:
    d = new_document()
    projection, cells = layer(d, start(d))
    drive = d.add("encoder.direct", offset=0.5, size=[3])
    d.connect(drive, "output", cells, "input")
    set_groups(d, g=group([projection, cells], (projection, "input"), (cells, "spikes"), 3))
    program = program_of(d)
    driven = [op.id for op in program.ops.values() if Source(drive, "output") in op.inputs.get("input", ())]
    assert sorted(driven) == [cells, f"{cells}~1", f"{cells}~2"]
    readers = [op.id for op in program.ops.values() if any(s.op == "n1" for s in op.inputs.get("input", ()))]
    assert readers == [projection]


def test_ids_of_copies_name_every_level() -> None:
    d = new_document()
    into_a, a = layer(d, start(d))
    into_b, b = layer(d, a)
    set_groups(
        d,
        outer=group([into_a, a], (into_a, "input"), (b, "spikes"), 2),
        inner=group([into_b, b], (into_b, "input"), (b, "spikes"), 2, parent="outer"),
    )
    copies = sorted(key for key in program_of(d).ops if re.match(rf"{b}(~|$)", key))
    assert copies == sorted([b, f"{b}~0-1", f"{b}~1", f"{b}~1-1"])


def test_a_problem_in_a_copy_points_at_the_node_that_was_drawn() -> None:
    d = new_document()
    projection, cells = layer(d, start(d))
    d.edit("set", [{"op": "set", "path": ["nodes", cells, "params", "tau_mem"], "value": "x"}])
    set_groups(d, g=group([projection, cells], (projection, "input"), (cells, "spikes"), 3))
    assert {x.nodes for x in compile_document(d).errors} == {(cells,)}
