"""Which ports fit each other, and in words why others do not."""

from __future__ import annotations

from functools import cached_property

from engine.compile.passes.check_ports import Kinds
from engine.document import Document, End
from nodes import registry
from nodes.spec import Port, Spec

DEFAULT_PROJECTION = "projection.dense"
ARTICLES = {
    "spikes": "spikes", "current": "a current", "value": "a value", "potential": "a potential",
    "audio": "a sound", "label": "a label", "loss": "a loss", "delays": "delays", "rule": "a rule",
    "modulator": "a modulator",
}  # fmt: skip


def spoken(kind: str) -> str:
    """A kind as one would say it."""
    return ARTICLES.get(kind, kind)


def main_port(ports: dict[str, Port]) -> str | None:
    """The port of one side that a signal takes: ``input`` or ``output``, else the first."""
    return next((name for name in ("input", "output") if name in ports), next(iter(ports), None))


class Ports:
    """The ports of a document as it is now; make a new one after an edit."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._kinds = Kinds(self.spec, self._arriving)

    def spec(self, node: str) -> Spec | None:
        """The declaration of a node's type, if it is installed."""
        return registry.get(self._document.nodes[node].type)

    def kind(self, output: End) -> str | None:
        """What an output carries; None where nothing tells."""
        return self._kinds.of(*output)

    def input(self, end: End) -> Port | None:
        """The declaration of an input."""
        spec = self.spec(end.node)
        return spec.inputs.get(end.port) if spec else None

    @cached_property
    def wires_into(self) -> dict[End, list[str]]:
        """The wires that end in each input."""
        found: dict[End, list[str]] = {}
        for id, wire in self._document.wires.items():
            found.setdefault(wire.target, []).append(id)
        return found

    def _arriving(self, node: str) -> End | None:
        wires = self.wires_into.get(End(node, "input"), ())
        return self._document.wires[min(wires)].source if wires else None

    def replaced(self, target: End) -> list[str]:
        """The wires that a new one into ``target`` replaces: its only one, unless it takes many."""
        port = self.input(target)
        return [] if port is None or port.many else self.wires_into.get(target, [])

    def refusal(self, source: End, target: End) -> str:
        """Why no wire can lead from an output to an input; empty if one can."""
        if self.spec(source.node) is None or self.spec(target.node) is None:
            return self._unknown(source.node if self.spec(source.node) is None else target.node)
        if (port := self.input(target)) is None:
            return f"'{self._name(target.node)}' has no input {target.port}"
        if (kind := self.kind(source)) is None and source.port not in self._outputs(source.node):
            return f"'{self._name(source.node)}' has no output {source.port}"
        if any(self._document.wires[id].source == source for id in self.wires_into.get(target, ())):
            return "these two ports are joined already"
        if kind is not None and kind not in port.kinds:
            return self._misfit(kind, target, port)
        if source.node == target.node:
            return f"'{self._name(source.node)}' cannot feed itself directly: put a projection between"
        return ""

    def bridge(self, source: End, target: End) -> bool:
        """Whether the default projection between them makes an output fit an input."""
        projection, port = registry.get(DEFAULT_PROJECTION), self.input(target)
        kind = self.kind(source)
        if projection is None or port is None or kind is None or kind in port.kinds:
            return False
        return kind in projection.inputs["input"].kinds and "current" in port.kinds

    def reason(self, source: End, target: End) -> str:
        """Why dropping a wire there does nothing; empty if it joins them, be it with a projection between."""
        refusal = self.refusal(source, target)
        return "" if refusal and self.bridge(source, target) else refusal

    def reasons(self, end: End, outgoing: bool, among: list[End]) -> dict[End, str]:
        """For ports of the other side the reason why a wire from ``end`` cannot be dropped there, or ''."""
        if outgoing:
            return {other: self.reason(end, other) for other in among}
        return {other: self.reason(other, end) for other in among}

    def best(self, end: End, outgoing: bool, among: list[End]) -> End | None:
        """Of ports of the other side the one that a wire from ``end`` fits best, or None."""
        pairs = {other: (end, other) if outgoing else (other, end) for other in among}
        fitting = [other for other, pair in pairs.items() if not self.reason(*pair)]
        return min(fitting, key=lambda other: self.rank(*pairs[other]), default=None)

    def rank(self, source: End, target: End) -> int:
        """Of what fits, lower is better: 1 with a projection between, 2 or 3 instead of another wire."""
        return 2 * bool(self.replaced(target)) + bool(self.refusal(source, target))

    def outputs(self, node: str) -> list[End]:
        """The outputs of a node, its main one first."""
        return [End(node, name) for name in _main_first(self._outputs(node))]

    def inputs(self, node: str) -> list[End]:
        """The inputs of a node, its main one first."""
        spec = self.spec(node)
        return [End(node, name) for name in _main_first(spec.inputs if spec else {})]

    def _outputs(self, node: str) -> dict[str, Port]:
        spec = self.spec(node)
        return spec.outputs if spec else {}

    def _name(self, node: str) -> str:
        return self._document.nodes[node].name or node

    def _unknown(self, node: str) -> str:
        return f"'{self._name(node)}' has the type {self._document.nodes[node].type}, which is not installed"

    def _misfit(self, kind: str, target: End, port: Port) -> str:
        takes = " or ".join(port.kinds)
        where = f"the port {target.port} of '{self._name(target.node)}'"
        sentence = f"{spoken(kind)} cannot enter {where}: it takes {takes}"
        between = between_types(kind, port)
        return sentence + (f"; put {between[0]} between" if between else "")


def _main_first(ports: dict[str, Port]) -> list[str]:
    main = main_port(ports)
    return sorted(ports, key=lambda name: name != main)


def between_types(kind: str, port: Port) -> list[str]:
    """Labels of node types that turn ``kind`` into something ``port`` takes."""
    if any(attached in port.kinds for attached in ("delays", "rule", "label", "loss")):
        return []
    found = []
    for spec in registry.all().values():
        entry, exit = main_port(spec.inputs), main_port(spec.outputs)
        if entry and exit and kind in spec.inputs[entry].kinds:
            made = spec.outputs[exit].kinds[0]
            if made in port.kinds and made != "same":
                found.append(spec.label)
    return found


def fitting_port(spec: Spec, kinds: tuple[str, ...], entering: bool) -> str | None:
    """The port of a node type for a wire that carries one of ``kinds`` and enters it, or comes from it.

    The main port comes first; an output of kind ``same`` fits if its input takes the kind.
    """
    ports = spec.inputs if entering else spec.outputs
    for name in _main_first(ports):
        carried = ports[name].kinds
        if carried == ("same",):
            carried = spec.inputs["input"].kinds if "input" in spec.inputs else ()
        if not kinds or any(kind in kinds for kind in carried):
            return name
    return None
