"""The plots of a document: its ``views``, each change one edit."""

from __future__ import annotations

from typing import Any

from engine.document import Document
from engine.document.ops import set_op
from nodes import registry
from nodes.kinds import SIGNALS
from studio.plots import TENSORS, PlotType, fitting, table
from studio.session import Session

View = dict[str, Any]


def views(document: Document) -> list[View]:
    """The views that can be shown: of a known plot and a node that is there."""
    return [
        view for view in document.views if view.get("plot") in table() and view.get("node") in document.nodes
    ]


def view_of(document: Document, view_id: str) -> View | None:
    """One view by its id."""
    return next((view for view in document.views if view.get("id") == view_id), None)


def add_plot(session: Session, plot: str, node: str, port: str, pinned: bool = False) -> str | None:
    """Show a port of a node (or ``weights``, ``delays``) in a new plot; the view's id, None if refused."""
    view_id = session.document.fresh_id(str(view.get("id")) for view in session.document.views)
    view = {"id": view_id, "plot": plot, "node": node, "port": port, "neurons": None, "pinned": pinned}
    done = session.edit(f"Plot {name_of(session.document, node)}", [
        set_op(["views", len(session.document.views)], view)
    ])  # fmt: skip
    return view_id if done else None


def remove_plot(session: Session, view_id: str) -> None:
    """Close a plot for good; undo brings it back."""
    kept = [view for view in session.document.views if view.get("id") != view_id]
    session.edit("Close plot", [set_op(["views"], kept)])


def change_plot(session: Session, view_id: str, label: str, merge: str | None = None, **fields: Any) -> None:
    """Set keys of a view."""
    for index, view in enumerate(session.document.views):
        if view.get("id") == view_id and any(view.get(key) != value for key, value in fields.items()):
            session.edit(label, [set_op(["views", index], {**view, **fields})], merge)


def move_plot(session: Session, view_id: str, before: str | None) -> None:
    """Show a plot before another one (None: last)."""
    moved = view_of(session.document, view_id)
    others = [view for view in session.document.views if view.get("id") != view_id]
    if moved is None or before == view_id:
        return
    ids = [view.get("id") for view in others]
    place = ids.index(before) if before in ids else len(others)
    session.edit("Move plot", [set_op(["views"], [*others[:place], moved, *others[place:]])])


def name_of(document: Document, node: str) -> str:
    """What a node is called."""
    found = document.nodes.get(node)
    if found is None:
        return "a node that is gone"
    spec = registry.get(found.type)
    return found.name or (spec.label if spec else found.type)


def kind_of(document: Document, node: str, port: str, depth: int = 20) -> str | None:
    """The kind of a port, where it carries ``same`` that of what arrives; None if there is no such port."""
    spec = registry.get(document.nodes[node].type) if node in document.nodes else None
    if spec is None:
        return None
    if spec.role == "projection" and port in TENSORS:
        return port
    if port not in spec.outputs:
        return None
    kind = spec.outputs[port].kinds[0]
    if kind != "same" or not depth:
        return kind
    arriving = (w.source for w in document.wires.values() if w.target == (node, "input"))
    return next((kind_of(document, end.node, end.port, depth - 1) for end in arriving), "spikes")


def ports_of(document: Document, node: str) -> list[tuple[str, str]]:
    """What of a node can be plotted: ports and kinds."""
    spec = registry.get(document.nodes[node].type) if node in document.nodes else None
    if spec is None or spec.role in ("dataset", "offline", "loss", "delays", "rule", "probe"):
        return []
    found = [(port, kind_of(document, node, port)) for port in spec.outputs]
    if "init" in spec.params and spec.role == "projection":
        found.append(("weights", "weights"))
    if spec.role == "projection" and any(w.target == (node, "delays") for w in document.wires.values()):
        found.append(("delays", "delays"))
    return [(port, kind) for port, kind in found if kind in SIGNALS or kind in TENSORS]


def seen_through(document: Document, node: str) -> list[tuple[str, str]]:
    """Nodes and ports that stand for a node: of a probe what it is wired to, of delays their projection."""
    spec = registry.get(document.nodes[node].type) if node in document.nodes else None
    if spec is None:
        return []
    if spec.role == "probe":
        tensor = getattr(spec, "records", "signal")
        wired = [w.source for w in document.wires.values() if w.target.node == node]
        return [(end.node, tensor if tensor in TENSORS else end.port) for end in wired]
    if spec.role == "delays":
        return [(w.target.node, "delays") for w in document.wires.values() if w.source.node == node]
    return [(node, port) for port, _ in ports_of(document, node)]


def offers(document: Document, node: str) -> list[tuple[PlotType, str, str]]:
    """What can be plotted of a node: (plot, node, port), that of its probes and delays included."""
    found = []
    for at, port in seen_through(document, node):
        spec = registry.get(document.nodes[at].type)
        kind = kind_of(document, at, port)
        if spec is not None and kind is not None:
            found += [(plot, at, port) for plot in fitting(spec, kind)]
    return found
