"""The records of a document: Node, Wire and the shapes of the plain-JSON sections.

Records are values: an edit replaces a record and never changes one in place, so whoever holds a Node
(a compile pass in another thread, an undo entry) keeps what it saw.

``layout`` maps the id of a node, group or wire to ``{"at": [x, y], ...}``; moving a box changes one line.
``recipes`` maps a name to an object; ``views`` is a list of objects.
Shape of ``groups``: see ``engine.document.groups``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.document.errors import DocumentError, show
from engine.document.values import expect, expect_number

Json = dict[str, Any]


class End(NamedTuple):
    """One end of a wire."""

    node: str
    port: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node as saved: its type, that type's version, the user's name for it, and every parameter."""

    type: str
    v: int = 1
    name: str = ""
    params: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)

    def to_json(self) -> Json:
        """A new object of the form in the file; nested values are shared."""
        return {**self.extra, "type": self.type, "v": self.v, "name": self.name, "params": self.params}

    @staticmethod
    def from_json(tree: Any, where: str) -> Node:
        """The record of a JSON object; DocumentError names the wrong field under ``where``."""
        rest = dict(expect(tree, dict, where))
        if "type" not in rest:
            raise DocumentError(f"{where}.type is missing")
        node_type = expect(rest.pop("type"), str, f"{where}.type")
        return Node(
            type=node_type,
            v=expect(rest.pop("v", 1), int, f"{where}.v"),
            name=expect(rest.pop("name", ""), str, f"{where}.name"),
            params=expect(rest.pop("params", {}), dict, f"{where}.params"),
            extra=rest,
        )


@dataclass(frozen=True, slots=True)
class Wire:
    """A bare wire; ``source`` is ``from`` and ``target`` is ``to`` in the file."""

    source: End
    target: End
    extra: Json = field(default_factory=dict)

    def to_json(self) -> Json:
        """A new object of the form in the file; nested values are shared."""
        return {**self.extra, "from": list(self.source), "to": list(self.target)}

    @staticmethod
    def from_json(tree: Any, where: str) -> Wire:
        """The record of a JSON object; DocumentError names the wrong field under ``where``."""
        rest = dict(expect(tree, dict, where))
        source = _end(rest.pop("from", None), f"{where}.from")
        return Wire(source, _end(rest.pop("to", None), f"{where}.to"), rest)


def _end(value: Any, where: str) -> End:
    match value:
        case [str(node), str(port)]:
            return End(node, port)
    raise DocumentError(f"{where} must be [node, port], not {show(value)}")


def check_meta(meta: Any) -> None:
    """``meta`` is an object; its title, dt_ms (> 0), seed and weights (a path) have their types."""
    expect(meta, dict, "meta")
    for name in ("title", "weights"):
        if name in meta:
            expect(meta[name], str, f"meta.{name}")
    if "seed" in meta:
        expect(meta["seed"], int, "meta.seed")
    if "dt_ms" in meta and expect_number(meta["dt_ms"], "meta.dt_ms") <= 0:
        raise DocumentError(f"meta.dt_ms must be above 0, not {meta['dt_ms']}")


def check_layout(layout: Any) -> None:
    """``layout`` maps ids to objects."""
    for key, entry in expect(layout, dict, "layout").items():
        check_place(entry, f"layout.{key}")


def check_place(entry: Any, where: str) -> None:
    """One layout entry: an object whose ``at``, if any, is [x, y]."""
    at = expect(entry, dict, where).get("at", [0, 0])
    if len(expect(at, list, f"{where}.at")) != 2:
        raise DocumentError(f"{where}.at must be [x, y], not {show(at)}")
    for number in at:
        expect_number(number, f"{where}.at")


def check_recipes(recipes: Any) -> None:
    """``recipes`` maps names to objects."""
    for name, recipe in expect(recipes, dict, "recipes").items():
        expect(recipe, dict, f"recipes.{name}")


def check_views(views: Any) -> None:
    """``views`` is a list of objects."""
    for index, view in enumerate(expect(views, list, "views")):
        expect(view, dict, f"views.{index}")
