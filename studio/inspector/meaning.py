"""What a parameter becomes at a time step: steps, spikes a step, coefficients of the update."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engine.codegen.explain import explain
from nodes import registry
from nodes.spec import Node, Param
from nodes.words import number


def equations(spec: type[Node], params: Mapping[str, Any], dt: float) -> list[str]:
    """The update equations with a node's own values; empty where there are none or the values are ill."""
    if any(name not in spec.params or spec.params[name].problem(v) for name, v in params.items()):
        return []
    return list(_traced(spec.type, json.dumps(dict(params), sort_keys=True), dt))


@lru_cache(maxsize=256)
def _traced(type: str, params: str, dt: float) -> tuple[str, ...]:
    spec = registry.get(type)
    if spec is None:
        return ()
    try:
        return tuple(explain(spec, json.loads(params), dt))
    except Exception as error:  # whatever an author did in a step, the rest of the node can be edited
        return (f"(cannot be shown: {' '.join(str(error).split())})",)


def becomes(name: str, param: Param, value: Any, dt: float, lines: list[str]) -> str:
    """What a value stands for in the update, or nothing worth saying.  ``lines``: the node's equations."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or param.problem(value):
        return ""
    parts = [_in_steps(name, value, dt)] if param.unit == "ms" and value else []
    parts += [_per_step(value, dt)] if param.unit == "Hz" and value else []
    parts += [f"= {number(value * dt)} ms"] if param.unit == "steps" and value else []
    return " · ".join(filter(None, [*parts, *_coefficients(name, lines)]))


def _in_steps(name: str, value: float, dt: float) -> str:
    """Time constants count as they are, all other times in whole steps."""
    steps = value / dt
    whole = round(steps)
    if name.startswith("tau") or abs(steps - whole) <= 1e-6:
        return f"= {number(steps)} step" + ("" if steps == 1 else "s")
    return f"= {number(steps)} steps, rounded to {whole:,}"


def _per_step(value: float, dt: float) -> str:
    return f"= {number(value * dt / 1000)} spikes a step"


def _coefficients(name: str, lines: list[str]) -> list[str]:
    """Coefficients that depend on this parameter: ``a = exp(−dt/tau_mem) = 0.951229``."""
    found = []
    for line in lines:
        parts = line.split(" = ")
        if len(parts) == 3 and name in _names(parts[1]) and "dt" in _names(parts[1]):
            found.append(f"{parts[0]} = {_short(parts[2])} a step")
    return found


def _short(number: str) -> str:
    try:
        return f"{float(number):.4g}"
    except ValueError:
        return number


def _names(formula: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in formula).split())
