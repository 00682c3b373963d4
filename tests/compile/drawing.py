"""Documents for tests of the compiler: ids in the order of minting, and no torch."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from engine.compile import Compiled, compile_document
from engine.document import Document
from engine.program import Program


def counted() -> Callable[[], str]:
    """Ids n1, n2, ... in the order of minting."""
    numbers = count(1)
    return lambda: f"n{next(numbers)}"


def new_document(title: str = "", dt: float = 1.0, seed: int = 0) -> Document:
    return Document.new(title, dt, seed, mint=counted())


def program_of(document: Document) -> Program:
    compiled = compile_document(document)
    assert not compiled.errors, [str(d) for d in compiled.errors]
    assert compiled.program is not None
    return compiled.program


def codes(compiled: Compiled) -> list[str]:
    return [d.code for d in compiled.diagnostics]


def project(document: Document, source: str, target: str, port: str = "spikes", **given: Any) -> str:
    """A dense projection between two nodes; ``delay`` in ms hangs fixed delays on it."""
    delay = given.pop("delay", None)
    node = document.add("projection.dense", **given)
    document.connect(source, port, node, "input")
    document.connect(node, "output", target, "input")
    if delay is not None:
        late = document.add("delays.fixed", delay=delay)
        document.connect(late, "delays", node, "delays")
    return node


def group(
    nodes: list[str],
    into: tuple[str, str],
    out: tuple[str, str],
    repeat: int,
    parent: str | None = None,
) -> dict[str, Any]:
    """A group that exposes one input and one output."""
    ports = {"in": {"x": list(into)}, "out": {"y": list(out)}}
    return {"name": "block", "nodes": nodes, "ports": ports, "parent": parent, "repeat": repeat}


def set_groups(document: Document, **groups: dict[str, Any]) -> None:
    document.edit(
        "group", [{"op": "set", "path": ["groups", key], "value": value} for key, value in groups.items()]
    )


def set_param(document: Document, node: str, name: str, value: Any) -> None:
    document.edit("set", [{"op": "set", "path": ["nodes", node, "params", name], "value": value}])
