"""Document <-> the JSON tree of its file: names every wrong field, keeps every unknown key."""

from __future__ import annotations

from typing import Any

from engine.document.document import APP, SCHEMA, Document
from engine.document.errors import DocumentError, show
from engine.document.groups import check_groups
from engine.document.migrations import migrate
from engine.document.ops import CHECKS
from engine.document.records import Json, Node, Wire
from engine.document.values import expect

FORMAT = "myelin"


def to_tree(document: Document) -> Json:
    """The JSON object of the file; nested values are shared with the document."""
    return {
        **document.extra,
        "format": FORMAT,
        "schema": SCHEMA,
        "app": document.app,
        "meta": document.meta,
        "nodes": {key: node.to_json() for key, node in document.nodes.items()},
        "wires": {key: wire.to_json() for key, wire in document.wires.items()},
        "groups": document.groups,
        "layout": document.layout,
        "views": document.views,
        "recipes": document.recipes,
    }


def from_tree(tree: Any) -> Document:
    """The document of a JSON value of any schema up to ours; DocumentError names what is wrong."""
    _check_format(tree)
    rest = dict(migrate(tree, SCHEMA))
    del rest["format"], rest["schema"]
    document = Document(
        app=expect(rest.pop("app", APP), str, "app"),
        nodes={key: Node.from_json(node, f"nodes.{key}") for key, node in _required(rest, "nodes").items()},
        wires={key: Wire.from_json(wire, f"wires.{key}") for key, wire in _required(rest, "wires").items()},
        meta=rest.pop("meta", {}),
        groups=rest.pop("groups", {}),
        layout=rest.pop("layout", {}),
        views=rest.pop("views", []),
        recipes=rest.pop("recipes", {}),
        extra=rest,
    )
    _check(document)
    return document


def _check_format(tree: Any) -> None:
    if type(tree) is not dict or tree.get("format") != FORMAT:
        raise DocumentError('it is not a Myelin document (it does not say "format": "myelin")')
    schema = expect(tree.get("schema"), int, "schema")
    if schema > SCHEMA:
        raise DocumentError(
            f"it was made by a newer Myelin Studio (schema {schema}, this one reads up to "
            f"{SCHEMA}), so update Myelin Studio to open it"
        )


def _required(rest: Json, name: str) -> Json:
    """A section without which the file is not whole."""
    if name not in rest:
        raise DocumentError(f"{name} is missing")
    section: Json = expect(rest.pop(name), dict, name)
    if "" in section:
        raise DocumentError(f"{name} has an empty id")
    return section


def _check(document: Document) -> None:
    for name, check in CHECKS.items():
        check(getattr(document, name))
    for key, wire in document.wires.items():
        for side, end in (("from", wire.source), ("to", wire.target)):
            if end.node not in document.nodes:
                raise DocumentError(f"wires.{key}.{side} names the missing node {show(end.node)}")
    check_groups(document.groups, document.nodes)
