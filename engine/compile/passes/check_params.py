"""check_params: every parameter is known, has its type, and lies in its range."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from engine.compile.diagnostics import Fix, declare
from engine.compile.graph import Context, Graph, Vertex, update, vertices
from engine.recipe import SCHEMAS
from nodes.spec import Param, Values
from nodes.words import number

AFTER = ("expand_groups",)
BAD_VALUE = declare("MYL110", "error", "a parameter has a value it cannot have")
TOGETHER = declare("MYL111", "error", "parameters contradict each other")
UNKNOWN_PARAM = declare("MYL112", "error", "a parameter does not exist")
BAD_RECIPE = declare("MYL113", "error", "a recipe has a setting it cannot have")


def run(graph: Graph, context: Context) -> Graph:
    """Coerced parameter values on every vertex, defaults filled in."""
    graph = graph.copy()
    for vertex in list(vertices(graph)):
        if vertex.spec is None:
            continue
        good = not [_report(context, vertex, *found) for found in _problems(vertex.raw, vertex.spec.params)]
        p = _values(context, vertex) if good else Values()
        for name, sentence in vertex.spec.check(p) if good else []:
            context.report(TOGETHER((vertex.origin,), f"'{vertex.name}': {name} {sentence}", at=name))
        update(graph, vertex.id, p=p)
    _check_recipes(context)
    return graph


def _values(context: Context, vertex: Vertex) -> Values:
    """Coerced values; a relative path lies beside the document (a data set's: in the data folder)."""
    assert vertex.spec is not None
    p = Values()
    for name, param in vertex.spec.params.items():
        p[name] = param.coerce(vertex.raw.get(name, param.default))
        if param.kind == "path" and p[name] and vertex.role != "dataset":
            p[name] = str(context.folder / p[name])
    return p


def _problems(raw: Mapping[str, Any], params: Mapping[str, Param]) -> list[tuple[str, str | None]]:
    unknown = [(name, None) for name in raw if name not in params]
    found = [(name, param.problem(raw[name])) for name, param in params.items() if name in raw]
    return [*unknown, *((name, sentence) for name, sentence in found if sentence)]


def _report(context: Context, vertex: Vertex, name: str, sentence: str | None) -> bool:
    assert vertex.spec is not None
    path = ["nodes", vertex.origin, "params", name]
    if sentence is None:
        near = difflib.get_close_matches(name, vertex.spec.params, 1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"it has {', '.join(sorted(vertex.spec.params)) or 'none'}"
        )
        fix = Fix(f"Remove '{name}'", ({"op": "unset", "path": path},))
        context.report(
            UNKNOWN_PARAM((vertex.origin,), f"'{vertex.name}' has no parameter {name}", name, hint, fix)
        )
        return True
    param = vertex.spec.params[name]
    words = number(param.default, param.unit) if param.kind in ("int", "float") else str(param.default)
    fix = Fix(f"Reset '{name}' to {words}", ({"op": "set", "path": path, "value": param.default},))
    context.report(BAD_VALUE((vertex.origin,), f"'{vertex.name}': {name} {sentence}", name, "", fix))
    return True


def _check_recipes(context: Context) -> None:
    for kind, schema in SCHEMAS.items():
        for name, sentence in _problems(context.document.recipes.get(kind, {}), schema):
            words = sentence or f"is not a setting; there are {', '.join(schema)}"
            context.report(BAD_RECIPE((), f"recipe {kind}: {name} {words}", at=name))
