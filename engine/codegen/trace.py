"""Runs a node's constants and step once on symbols.  The result is what kernels, exports and help show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from engine.codegen.expr import Call, Expr, Symbol, as_expr, order, symbol, symbols
from engine.codegen.interpret import interpret
from engine.codegen.ops import TracerOps
from nodes.ops import Array, Ops
from nodes.spec import Node, Shapes, Step, Values


@dataclass(frozen=True)
class Traced:
    """One time step of a node as a graph, every part by name.

    ``inputs``: the inputs that the step reads (role ``input`` or ``noise``); ``parameters``: its arrays (role
    ``tensor``) and, if traced so, symbolic parameters and ``dt``; ``state``: all state variables before the
    step.  ``constants``: coefficients to compute once per run, from parameters alone; the step reads them as
    symbols of role ``constant``.  ``new_state`` has the names of ``state``.
    """

    inputs: dict[str, Symbol]
    parameters: dict[str, Symbol]
    state: dict[str, Symbol]
    constants: dict[str, Expr]
    new_state: dict[str, Expr]
    outputs: dict[str, Expr]

    def order(self) -> list[Expr]:
        """Every expression of the step once, operands first; constants stand in it as symbols."""
        return order([*self.new_state.values(), *self.outputs.values()])

    def evaluate(
        self, ops: Ops, s: Mapping[str, Array], x: Mapping[str, Array], p: Mapping[str, Any]
    ) -> Step:
        """What the node's step returns: ``s`` its state, ``x`` inputs and noise, ``p`` tensors by name.

        A symbolic parameter that ``p`` does not name keeps the value it was traced with.
        """
        scope = {"state": s, "input": x, "noise": x, "constant": self.coefficients(ops, p)}

        def value(found: Symbol) -> Array:
            return _given(found, p) if found.role in GIVEN else scope[found.role][found.name]

        known = interpret(ops, [*self.new_state.values(), *self.outputs.values()], value)
        return _pick(self.new_state, known), _pick(self.outputs, known)

    def coefficients(self, ops: Ops, p: Mapping[str, Any]) -> dict[str, Array]:
        """Values of the constants; those made of plain numbers are plain, so that none widens float32."""
        known = interpret(ops, self.constants.values(), lambda found: _given(found, p))
        return {name: _plain(value) for name, value in _pick(self.constants, known).items()}


GIVEN = ("tensor", "parameter")


def _given(found: Symbol, p: Mapping[str, Any]) -> Array:
    return p[found.name] if found.value is None else p.get(found.name, found.value)


def _pick(named: Mapping[str, Expr], known: Mapping[Expr, Array]) -> dict[str, Array]:
    return {name: known[expr] for name, expr in named.items()}


def _plain(value: Array) -> Array:
    return value.item() if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 else value


def trace(
    spec: type[Node],
    p: Values,
    dt: float,
    shapes: Shapes,
    *,
    training: bool = False,
    symbolic: bool = False,
) -> Traced:
    """The step of ``spec`` with coerced parameters ``p`` and shapes per port, at ``dt`` ms.

    With ``symbolic`` the parameters that are real numbers, and ``dt``, stay names; where Python code needs
    such a number (a branch, a rounding) its value counts.  Raises TraceError where the step treats an array
    in a way that an expression cannot, such as a Python branch on it.
    """
    ops = TracerOps()
    tensors = {name: symbol("tensor", name, t.shape) for name, t in spec.tensors(p, shapes).items()}
    own = Values(p | (_named(spec, p) if symbolic else {}) | tensors)
    own.update(shapes=shapes, training=training)
    # a symbol stands where the step expects a float
    step_dt = cast(float, symbol("parameter", "dt", value=dt)) if symbolic else dt
    constants = spec.constants(ops, own, step_dt)
    own.update(_hoisted(constants))
    state = {name: symbol("state", name) for name in spec.state_of(p)}
    given = {name: symbol("input", name) for name in spec.inputs} | {
        name: symbol("noise", name) for name in spec.noise_of(p)
    }
    new_state, outputs = spec.step(ops, Values(state), Values(given), own, step_dt)
    return _traced(state, constants, _exprs(new_state), _exprs(outputs))


def _named(spec: type[Node], p: Values) -> dict[str, Symbol]:
    real = [name for name, param in spec.params.items() if param.kind == "float"]
    return {name: symbol("parameter", name, value=p[name]) for name in real}


def _hoisted(constants: Mapping[str, Array]) -> dict[str, Array]:
    """How the step reads coefficients: by (the first) name where there is something to compute."""
    first: dict[Any, str] = {}
    for name, value in constants.items():
        if isinstance(value, Call):
            first.setdefault(value, name)
    return {
        name: symbol("constant", first[value]) if isinstance(value, Call) else value
        for name, value in constants.items()
    }


def _exprs(named: Mapping[str, Array]) -> dict[str, Expr]:
    return {name: as_expr(value) for name, value in named.items()}


def _traced(
    state: dict[str, Symbol],
    constants: Mapping[str, Array],
    new_state: dict[str, Expr],
    outputs: dict[str, Expr],
) -> Traced:
    """Only what the step reads is an input, a parameter or a constant of it."""
    read = symbols([*new_state.values(), *outputs.values()])
    used = {found.name: cast(Expr, constants[found.name]) for found in read if found.role == "constant"}
    parameters = {found.name: found for found in (*symbols(used.values()), *read) if found.role in GIVEN}
    inputs = {found.name: found for found in read if found.role in ("input", "noise")}
    return Traced(inputs, parameters, state, used, new_state, outputs)
