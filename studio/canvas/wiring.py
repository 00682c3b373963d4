"""Which wires touch which nodes, and what kind each carries, kept up to date edit by edit.  No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.document import Document, Wire
from nodes import registry


class Wiring:
    """An index of a document's wires."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._ends: dict[str, Wire] = {}
        self._touching: dict[str, set[str]] = {}
        self.passing: dict[str, str] = {}
        """The kind that each node passes on whose output carries whatever arrives."""
        for key, wire in document.wires.items():
            self._add(key, wire)
        self.settle()

    def of(self, node: str) -> set[str]:
        """The wires that touch a node."""
        return self._touching.get(node, set())

    def update(self, ops: Iterable[dict[str, Any]]) -> set[str]:
        """Follow an edit; the nodes at the ends of wires that came or went."""
        touched: set[str] = set()
        for key in {op["id"] for op in ops if op["op"] in ("add_wire", "del_wire")}:
            touched |= self._drop(key)
            if key in self._document.wires:
                touched |= self._add(key, self._document.wires[key])
        return touched

    def settle(self) -> set[str]:
        """Find anew what is passed on; the nodes for which that is another kind than before."""
        before = self.passing
        self.passing = {}
        for node, record in self._document.nodes.items():
            spec = registry.get(record.type)
            if spec is not None and any(port.kinds[0] == "same" for port in spec.outputs.values()):
                self.passing[node] = ""
        for node in self.passing:
            self.passing[node] = self._arriving(node, set())
        return {node for node, kind in self.passing.items() if before.get(node) != kind}

    def kind(self, node: str, port: str) -> str:
        """The kind an output carries: ``any`` where nothing tells."""
        record = self._document.nodes.get(node)
        spec = registry.get(record.type) if record else None
        if spec is None or port not in spec.outputs:
            return "any"
        declared = spec.outputs[port].kinds[0]
        return (self.passing.get(node) or "any") if declared == "same" else declared

    def into(self, node: str, port: str) -> list[str]:
        """The wires that end at an input, sorted."""
        wires = self._document.wires
        return sorted(key for key in self.of(node) if wires[key].target == (node, port))

    def out_of(self, node: str, port: str) -> list[str]:
        """The wires that begin at an output, sorted."""
        wires = self._document.wires
        return sorted(key for key in self.of(node) if wires[key].source == (node, port))

    def _arriving(self, node: str, seen: set[str]) -> str:
        while node not in seen:
            seen.add(node)
            arriving = self.into(node, "input")
            if not arriving:
                return "any"
            source = self._document.wires[arriving[0]].source
            if source.node not in self.passing:
                return self.kind(source.node, source.port)
            node = source.node
        return "any"

    def _add(self, key: str, wire: Wire) -> set[str]:
        self._ends[key] = wire
        for end in (wire.source.node, wire.target.node):
            self._touching.setdefault(end, set()).add(key)
        return {wire.source.node, wire.target.node}

    def _drop(self, key: str) -> set[str]:
        wire = self._ends.pop(key, None)
        if wire is None:
            return set()
        for end in (wire.source.node, wire.target.node):
            self._touching[end].discard(key)
        return {wire.source.node, wire.target.node}
