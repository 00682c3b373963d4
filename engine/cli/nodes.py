"""``myelin nodes``: what can stand on a canvas, and the help page of each node."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding

from engine.cli._console import out, print_json, table
from engine.cli._failures import UsageError, nearest
from nodes import registry
from nodes.spec import Node, Param, Port


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nodes")(nodes)


def nodes(
    type: Annotated[str, typer.Argument(metavar="[TYPE]", help="A node, for its help page.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List all nodes, or show one's help page."""
    chosen = {spec.type: spec for spec in ([find(type)] if type else registry.all().values())}
    if as_json:
        print_json({name: as_dict(spec) for name, spec in chosen.items()})
    else:
        out().print(page(chosen.popitem()[1]) if type else listing(chosen))


def find(name: str) -> type[Node]:
    """The node of that type, or the only one whose last part or label is ``name``."""
    known = registry.all()
    found = [
        spec for spec in known.values() if name.lower() in (spec.type.partition(".")[2], spec.label.lower())
    ]
    if name in known or len(found) == 1:
        return known.get(name) or found[0]
    names = [*known, *(spec.type.partition(".")[2] for spec in known.values())]
    raise UsageError(f"there is no node {name!r} ({nearest(name, names, '`myelin nodes` lists all')})")


def listing(chosen: dict[str, type[Node]]) -> Group:
    """All nodes by category, with the first sentence of each."""
    blocks: list[RenderableType] = []
    for category in sorted({spec.category for spec in chosen.values()}):
        rows = table(category, "", "")
        for spec in (s for s in chosen.values() if s.category == category):
            rows.add_row(f"  {spec.type}", spec.label, summary(spec))
        blocks += [rows, ""]
    return Group(*blocks[:-1])


def summary(spec: type[Node]) -> str:
    """The first sentence of a node's docstring."""
    first = (inspect.getdoc(spec) or "").splitlines()[0]
    return first.partition(".  ")[0].partition(". ")[0].rstrip(".")


def page(spec: type[Node]) -> Group:
    """The help page of a node, from its declaration."""
    words = f"keywords: {', '.join(spec.keywords)}" if spec.keywords else ""
    parts: list[RenderableType] = [
        f"{spec.label}  ({spec.type}, version {spec.version})  {spec.category}",
        words,
        "",
    ]
    parts += [Padding(inspect.getdoc(spec) or "", (0, 0, 0, 2)), ""]
    for title, ports in (("Inputs", spec.inputs), ("Outputs", spec.outputs)):
        parts += [_ports(title, ports), ""] if ports else []
    parts += [_params(spec.params), ""] if spec.params else []
    presets: dict[str, Any] = getattr(spec, "presets", dict)()
    parts += [f"Presets of conventions: {', '.join(presets)}"] if presets else []
    return Group(*parts)


def _ports(title: str, ports: dict[str, Port]) -> RenderableType:
    rows = table(title, "carries", "")
    for name, port in ports.items():
        notes = [port.doc] + ["several wires are summed"] * port.many + ["optional"] * port.optional
        rows.add_row(f"  {name}", " or ".join(port.kinds), "; ".join(filter(None, notes)))
    return rows


def _params(params: dict[str, Param]) -> RenderableType:
    rows = table("Parameters", "default", "unit", "range or choices", "")
    for name, param in params.items():
        doc = param.doc + (" (trainable)" if param.trainable else "")
        rows.add_row(f"  {name}", show(param.default), param.unit, bounds(param), doc)
    return rows


def show(value: Any) -> str:
    """A default value as a person would type it."""
    return (
        value
        if isinstance(value, str) and value
        else repr(value).replace("True", "true").replace("False", "false")
    )


def bounds(param: Param) -> str:
    """The range or the choices of a parameter."""
    if param.choices:
        return ", ".join(param.choices)
    low, high = (None if end is None else f"{end:g}" for end in (param.low, param.high))
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else ""


def as_dict(spec: type[Node]) -> dict[str, Any]:
    """A declaration as JSON."""
    return {
        "type": spec.type,
        "label": spec.label,
        "category": spec.category,
        "role": spec.role,
        "version": spec.version,
        "keywords": list(spec.keywords),
        "doc": inspect.getdoc(spec) or "",
        "inputs": {name: _port(port) for name, port in spec.inputs.items()},
        "outputs": {name: _port(port) for name, port in spec.outputs.items()},
        "params": {name: _param(param) for name, param in spec.params.items()},
    }


def _port(port: Port) -> dict[str, Any]:
    return {"kinds": list(port.kinds), "doc": port.doc, "many": port.many, "optional": port.optional}


def _param(param: Param) -> dict[str, Any]:
    return {
        "default": param.default,
        "kind": param.kind,
        "unit": param.unit,
        "low": param.low,
        "high": param.high,
        "choices": list(param.choices),
        "trainable": param.trainable,
        "doc": param.doc,
    }
