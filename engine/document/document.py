"""The document: what is saved, what an edit changes, and the short way to build one from a script."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.document import ops as operations
from engine.document.errors import DocumentError, EditError, show
from engine.document.groups import check_groups
from engine.document.records import Json, Node, Wire
from engine.document.values import ENVELOPE, MAX_DEPTH, plain

SCHEMA = 1
"""The version of the file format that this program writes."""

APP = "myelin-studio"

# Without l, o, 0 and 1, which are easily mistaken for one another; the first is a letter so that an id
# never reads as a number in a shell or a table.
_LETTERS = "abcdefghijkmnpqrstuvwxyz"
_SIGNS = _LETTERS + "23456789"


def random_id() -> str:
    """Eight random characters."""
    return secrets.choice(_LETTERS) + "".join(secrets.choice(_SIGNS) for _ in range(7))


@dataclass(frozen=True)
class Edit:
    """One committed change: ``inverse`` applied to the document after it restores the bytes before it.

    Edits with the same ``merge`` key, one right after the other, are one undo step (a slider being dragged).
    """

    label: str
    ops: list[Json]
    inverse: list[Json]
    merge: str | None = None


Observer = Callable[[Edit], None]


@dataclass
class Document:
    """A network with everything that is saved beside it.

    Read the fields freely; change them only by ``edit``. ``extra`` holds the unknown top-level keys.
    """

    meta: Json = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    wires: dict[str, Wire] = field(default_factory=dict)
    groups: Json = field(default_factory=dict)
    layout: Json = field(default_factory=dict)
    views: list[Any] = field(default_factory=list)
    recipes: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    app: str = APP
    mint: Callable[[], str] = field(default=random_id, repr=False, compare=False)
    _observers: list[Observer] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def new(
        cls, title: str = "", dt_ms: float = 1.0, seed: int = 0, mint: Callable[[], str] = random_id
    ) -> Document:
        """An empty document with time step ``dt_ms`` (ms)."""
        document = cls(mint=mint)
        document.edit(
            "New document",
            [
                operations.set_op(["meta", "title"], title),
                operations.set_op(["meta", "dt_ms"], dt_ms),
                operations.set_op(["meta", "seed"], seed),
            ],
        )
        return document

    def edit(self, label: str, ops: Iterable[Json], merge: str | None = None) -> Edit:
        """Apply all operations or, with an EditError of one sentence, none; then tell the observers."""
        done: list[Json] = []
        undo: list[Json] = []
        try:
            for op in ops:
                clean = plain(op, "the operation", MAX_DEPTH + ENVELOPE)
                undo.append(operations.apply(self, clean))
                done.append(clean)
            self._check(done)
        except DocumentError as error:
            for op in reversed(undo):
                operations.apply(self, op)
            raise EditError(f"{label}: {error}") from None
        edit = Edit(label, done, undo[::-1], merge)
        if done:
            for observer in list(self._observers):
                observer(edit)
        return edit

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Call ``observer`` with every Edit from now on; the function returned ends that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def copy(self) -> Document:
        """An independent document without observers; shares the records, which no edit changes in place."""
        return Document(
            dict(self.meta),
            dict(self.nodes),
            dict(self.wires),
            dict(self.groups),
            dict(self.layout),
            list(self.views),
            dict(self.recipes),
            dict(self.extra),
            self.app,
            self.mint,
        )

    def fresh_id(self, taken: Iterable[str] = ()) -> str:
        """A new id that no node, wire or group has, nor is in ``taken``."""
        reserved = set(taken)
        while True:
            candidate = self.mint()
            if not any(candidate in used for used in (self.nodes, self.wires, self.groups, reserved)):
                return candidate

    def names(self) -> set[str]:
        """The names of all nodes."""
        return {node.name for node in self.nodes.values()}

    def find(self, name: str) -> str:
        """The id of the node with this id or, if only one has it, this name; DocumentError otherwise."""
        if name in self.nodes:
            return name
        found = [node_id for node_id, node in self.nodes.items() if node.name == name]
        if not found:
            raise DocumentError(f"there is no node {show(name)}")
        if len(found) > 1:
            ids = ", ".join(sorted(found))
            raise DocumentError(f"{len(found)} nodes are named {show(name)}, use one's id: {ids}")
        return found[0]

    def wires_of(self, nodes: Iterable[str]) -> list[str]:
        """The ids of the wires that touch any of these nodes, sorted."""
        ids = set(nodes)
        return sorted(
            wire_id
            for wire_id, wire in self.wires.items()
            if wire.source.node in ids or wire.target.node in ids
        )

    def add(
        self, node_type: str, /, name: str | None = None, at: Sequence[float] | None = None, **params: Any
    ) -> str:
        """Add a node with all its parameters (defaults where not given), drawn at ``at`` [x, y]; its id."""
        node_id = self.fresh_id()
        wanted = distinct(node_type.rsplit(".", 1)[-1], self.names()) if name is None else name
        ops = [operations.add_node(node_id, new_node(node_type, wanted, **params))]
        if at is not None:
            ops.append(operations.set_op(["layout", node_id], {"at": at}))
        self.edit(f"Add {wanted}", ops)
        return node_id

    def connect(self, source: str, source_port: str, target: str, target_port: str) -> str:
        """Add a wire from one node's port to another's; its id."""
        wire_id = self.fresh_id()
        wire = {"from": [source, source_port], "to": [target, target_port]}
        self.edit("Connect", [{"op": "add_wire", "id": wire_id, "wire": wire}])
        return wire_id

    def _check(self, ops: list[Json]) -> None:
        """What must hold of the whole document after an edit; only what the operations could have broken."""
        removed = {op["id"] for op in ops if op["op"] == "del_node"}.difference(self.nodes)
        attached = self.wires_of(removed) if removed else []
        if attached:
            raise EditError(f"the node still has the wire {attached[0]!r}, delete that first")
        if (removed and self.groups) or any(op.get("path", [""])[0] == "groups" for op in ops):
            check_groups(self.groups, self.nodes)


def distinct(wanted: str, taken: Container[str]) -> str:
    """``wanted``, or ``wanted_2``, ``wanted_3``, ... if that is taken; what ends in a number counts on.

    Words are counted with a space: ``batch norm``, ``batch norm 2``.
    """
    gap = " " if " " in wanted else "_"
    base, _, last = wanted.rpartition(gap)
    counted = bool(base) and last.isascii() and last.isdigit() and len(last) < 6
    stem, number = (base, int(last) + 1) if counted else (wanted, 2)
    candidate = wanted
    while candidate in taken:
        candidate, number = f"{stem}{gap}{number}", number + 1
    return candidate


def new_node(node_type: str, name: str = "", **params: Any) -> Node:
    """A node with every parameter that its type declares, so that a file never depends on later defaults."""
    declared, version = _declared(node_type)
    return Node(node_type, version, name, plain({**declared, **params}, f"a parameter of {node_type}"))


def _declared(node_type: str) -> tuple[Json, int]:
    """Defaults and version of a node type; of an unknown one (a placeholder) nothing and 1."""
    try:
        from nodes import registry
    except ImportError:
        return {}, 1
    spec: Any = registry.get(node_type)
    if spec is None:
        return {}, 1
    return {key: param.default for key, param in spec.params.items()}, int(getattr(spec, "version", 1))
