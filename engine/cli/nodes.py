"""``myelin nodes``: what can stand on a canvas, and the help page of each node."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding

from engine.cli._console import out, print_json, table
from engine.cli._failures import UsageError, nearest
from engine.codegen.explain import explain
from engine.codegen.printer import fitting
from nodes import registry
from nodes.spec import Node, Param, Port, Values, defaults

DT = 1.0  # ms, of the equations on a help page
Chosen = dict[str, Any]  # parameters that differ from the defaults
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PARAM=VALUE", help="Equations with this value; may be repeated."),
]
Preset = Annotated[str, typer.Option(metavar="NAME", help="Equations with the values of a preset.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nodes")(nodes)


def nodes(
    type: Annotated[str, typer.Argument(metavar="[TYPE]", help="A node, for its help page.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sets: Sets = None,
    preset: Preset = "",
) -> None:
    """List all nodes, or show one's help page."""
    if (sets or preset) and not type:
        raise UsageError("--set and --preset need a node: `myelin nodes TYPE --set PARAM=VALUE`")
    chosen = {spec.type: spec for spec in ([find(type)] if type else registry.all().values())}
    values = choose(next(iter(chosen.values())), preset, sets or ()) if type else {}
    if as_json:
        print_json({name: as_dict(spec, values) for name, spec in chosen.items()})
    else:
        out().print(page(chosen.popitem()[1], values) if type else listing(chosen))


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


def choose(spec: type[Node], preset: str, sets: Iterable[str]) -> Chosen:
    """The values of a preset, then of ``name=value``; UsageError for what the node does not have."""
    presets = presets_of(spec)
    if preset and preset not in presets:
        raise UsageError(f"{spec.label} has no preset {preset!r} ({nearest(preset, presets, 'there are')})")
    chosen = presets.get(preset, {}) | dict(_setting(spec, text) for text in sets)
    values = defaults(spec) | chosen
    coerced = Values({name: param.coerce(values[name]) for name, param in spec.params.items()})
    for name, sentence in spec.check(coerced) if chosen else ():
        raise UsageError(f"{spec.label}: {name} {sentence}")
    return chosen


def _setting(spec: type[Node], text: str) -> tuple[str, Any]:
    name, equals, given = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes PARAM=VALUE, not {text!r}")
    if name not in spec.params:
        hint = nearest(name, spec.params, "it has")
        raise UsageError(f"{spec.label} has no parameter {name!r} ({hint})")
    value = _value(given)
    problem = spec.params[name].problem(value)
    if problem:
        raise UsageError(f"{spec.label}: {name} {problem}")
    return name, value


def _value(text: str) -> Any:
    """JSON where it is JSON, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def presets_of(spec: type[Node]) -> dict[str, Chosen]:
    """Preset name -> values of parameters; empty for a node without presets."""
    found: dict[str, Chosen] = getattr(spec, "presets", dict)()
    return found


def update(spec: type[Node], chosen: Chosen) -> list[str]:
    """The update equations; one line that says why where the step of a third party resists."""
    try:
        return [fitting(line, sys.stdout.encoding or "utf-8") for line in explain(spec, chosen, DT)]
    except Exception as error:  # whatever an author did in a step, its page and all others can be read
        return [f"(cannot be shown: {' '.join(str(error).split())})"]


def page(spec: type[Node], chosen: Chosen) -> Group:
    """The help page of a node, from its declaration; the equations are for the values ``chosen``."""
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
    parts += _update(update(spec, chosen), _changed(spec, chosen))
    parts += [_presets(spec), ""] if presets_of(spec) else []
    return Group(*parts[:-1])


def _update(lines: list[str], changed: str) -> list[RenderableType]:
    title = f"Update per step ({changed or 'defaults'}, dt {DT:g} ms)"
    return [title, Padding("\n".join(lines), (0, 0, 0, 2)), ""] if lines else []


def _presets(spec: type[Node]) -> RenderableType:
    rows = table("Presets", "differs from the defaults in")
    for name, values in presets_of(spec).items():
        rows.add_row(f"  {name}", _changed(spec, values) or "nothing")
    return rows


def _changed(spec: type[Node], chosen: Chosen) -> str:
    """The values that are not the defaults."""
    standard = defaults(spec)
    return ", ".join(f"{name} {show(value)}" for name, value in chosen.items() if value != standard[name])


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


def as_dict(spec: type[Node], chosen: Chosen) -> dict[str, Any]:
    """A declaration as JSON, with the equations for the values ``chosen``."""
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
        "equations": {"dt_ms": DT, "set": chosen, "lines": update(spec, chosen)},
        "presets": presets_of(spec),
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
