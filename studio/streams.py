"""What a run is asked to send, and whether it still is a run of what is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from engine.document import Document


def together(asked: Iterable[list[Any]], signals: Mapping[str, Mapping[str, list[int]]]) -> list[list[Any]]:
    """One entry a signal and form: all neurons as soon as one asks for all; only what there is."""
    found: dict[tuple[str, str, str], set[int] | None] = {}
    for entry in asked:
        node, port, neurons, form = entry + [None, "signal"][len(entry) - 2 :]
        shape = signals.get(node, {}).get(port)
        if shape is None:
            continue
        before = found.get((node, port, form), set())
        both = None if neurons is None or before is None else before | set(neurons)
        found[node, port, form] = both and {n for n in both if n < math.prod(shape)}
    return [
        [node, port, None if neurons is None else sorted(neurons), form]
        for (node, port, form), neurons in sorted(found.items())
    ]


def structure(document: Document) -> object:
    """All that decides which network is drawn, but for the parameters of its nodes."""
    kinds = {key: (node.type, node.extra.get("mode")) for key, node in document.nodes.items()}
    wires = {(wire.source, wire.target) for wire in document.wires.values()}
    groups = {key: group for key, group in document.groups.items() if group.get("repeat")}
    return kinds, wires, groups, document.meta.get("dt_ms"), document.meta.get("seed")
