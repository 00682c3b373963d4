"""Documents to draw, and what a scene shows of them as values to compare."""

from __future__ import annotations

from typing import Any

from engine.document import Document
from engine.document.groups import new_group
from engine.document.ops import set_op
from studio.canvas.box import BoxItem
from studio.canvas.node import NodeItem
from studio.canvas.scene import CanvasScene


def chain() -> Document:
    """noise -> weights -> cells, with delays on the weights; ids are ``n w c d`` and ``nw wc dw``."""
    document = Document.new("Chain", dt_ms=1.0)
    nodes = {
        "n": ("population.poisson", "noise", [0, 0]),
        "w": ("projection.dense", "weights", [240, 0]),
        "c": ("population.lif", "cells", [480, 0]),
        "d": ("delays.fixed", "lag", [240, 100]),
    }
    for key, (kind, name, at) in nodes.items():
        node = {"type": kind, "v": 1, "name": name, "params": {"size": [4]} if kind[0] == "p" else {}}
        document.edit(
            "Add", [{"op": "add_node", "id": key, "node": node}, set_op(["layout", key], {"at": at})]
        )
    for source, out, target, into in (
        ("n", "spikes", "w", "input"),
        ("w", "output", "c", "input"),
        ("d", "delays", "w", "delays"),
    ):
        wire = {"from": [source, out], "to": [target, into]}
        document.edit("Connect", [{"op": "add_wire", "id": source + target, "wire": wire}])
    return document


def grouped(collapsed: bool = False) -> Document:
    """The chain with weights and delays in the group ``g``, which exposes the weights' ports."""
    document = chain()
    group = new_group("block", ["w", "d"])
    group["ports"] = {"in": {"x": ["w", "input"]}, "out": {"y": ["w", "output"]}}
    document.edit(
        "Group",
        [set_op(["groups", "g"], group), set_op(["layout", "g"], {"at": [240, 0], "collapsed": collapsed})],
    )
    return document


def seen(scene: CanvasScene) -> dict[str, Any]:
    """Everything that the scene shows."""
    return {key: _values(item) for key, item in scene.items_by_id.items()}


def _values(item: Any) -> tuple[Any, ...]:
    place = (round(item.pos().x(), 3), round(item.pos().y(), 3))
    if isinstance(item, NodeItem):
        return ("node", place, item.face, item.marks, item.selected)
    if isinstance(item, BoxItem):
        return ("box", place, item.box, item.selected)
    ends = [round(v, 3) for p in (item.start, item.end) for v in (p.x(), p.y())]
    return ("wire", item.look, ends, item.selected)
