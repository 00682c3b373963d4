"""Documents for commands: opened, changed as the command line says, compiled, their problems told."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from engine.cli._failures import PROBLEM, UsageError, nearest, one_line
from engine.compile import Compiled, Diagnostic, compile_document
from engine.document import Document, Node, delete_nodes
from engine.document.ops import set_op
from engine.program import Program
from engine.recipe import SCHEMAS
from nodes import registry
from nodes.spec import Param

TEXTS = ("str", "path", "choice")  # kinds of parameters whose values need no quotes on the command line


def program_of(document: Document, path: Path) -> Program:
    """The compiled document; its errors and warnings go to standard error, and an error ends the command."""
    compiled = compile_document(document)
    for diagnostic in compiled.diagnostics:
        if diagnostic.severity in ("error", "warning"):  # a chip's limits are for `check` and exports
            print(line(path, diagnostic), file=sys.stderr)
    return required(compiled)


def required(compiled: Compiled) -> Program:
    """The program; a document without one ends the command."""
    if compiled.program is None:
        raise typer.Exit(PROBLEM)
    return compiled.program


def line(path: Path, diagnostic: Diagnostic) -> str:
    """A problem as one line."""
    return one_line(f"{path}: {diagnostic}")


def assign(document: Document, settings: Iterable[str]) -> None:
    """Apply settings ``node.param=value`` as one edit."""
    document.edit("--set", [_assignment(document, text) for text in settings])


def _assignment(document: Document, text: str) -> dict[str, Any]:
    place, equals, value = text.partition("=")
    name, _, parameter = place.rpartition(".")
    if not (equals and name and parameter):
        raise UsageError(f"--set takes node.param=value, not {text!r}")
    node_id = _node_id(document, name)
    param = _param(document.nodes[node_id], name, parameter)
    return set_op(["nodes", node_id, "params", parameter], _value(value, param))


def _node_id(document: Document, name: str) -> str:
    known = document.names() | set(document.nodes)
    if name not in known:
        raise UsageError(f"there is no node {name!r} ({nearest(name, document.names(), 'there are')})")
    return document.find(name)


def _param(node: Node, name: str, parameter: str) -> Param | None:
    """The declaration of a parameter; None for a node type that is not installed."""
    spec = registry.get(node.type)
    if spec is None:
        return None
    if parameter not in spec.params:
        hint = nearest(parameter, spec.params, "it has")
        raise UsageError(f"'{name}' ({spec.label}) has no parameter {parameter!r} ({hint})")
    return spec.params[parameter]


def _value(text: str, param: Param | None) -> Any:
    """A value from the command line: JSON where it is JSON, else text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if param and param.kind in TEXTS and not isinstance(value, str) else value


def set_recipe(document: Document, kind: str, settings: Iterable[str]) -> None:
    """Apply settings ``key=value`` to the recipe ``kind`` as one edit."""
    pairs = [_setting(kind, text) for text in settings]
    if pairs and kind not in document.recipes:
        document.edit(f"recipe {kind}", [set_op(["recipes", kind], {})])
    document.edit(f"recipe {kind}", [set_op(["recipes", kind, key], value) for key, value in pairs])


def _setting(kind: str, text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    schema = SCHEMAS[kind]
    if not equals:
        raise UsageError(f"--recipe takes key=value, not {text!r}")
    if key not in schema:
        raise UsageError(f"the recipe {kind} has no setting {key!r} ({nearest(key, schema, 'it has')})")
    return key, _value(value, schema[key])


def set_delays(document: Document, arm: str) -> None:
    """``learned``, ``fixed``: whether learnable delays learn; ``none``: without delays; empty: as drawn."""
    if arm == "none":
        document.edit("remove delays", delete_nodes(document, _delays(document)))
    elif arm:
        paths = [["nodes", key, "params", "learn"] for key in learnable(document)]
        document.edit(f"{arm} delays", [set_op(path, arm == "learned") for path in paths])


def learnable(document: Document) -> list[str]:
    """The ids of all delays that can be learned."""
    return [key for key, node in document.nodes.items() if node.type == "delays.learnable"]


def _delays(document: Document) -> list[str]:
    specs = {key: registry.get(node.type) for key, node in document.nodes.items()}
    return [key for key, spec in specs.items() if spec is not None and spec.role == "delays"]
