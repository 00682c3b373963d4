"""Runs one node by itself, step by step, in numpy or any other maths: the slow and obvious reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nodes.ops import NumpyOps
from nodes.spec import Node, Shape, Values, defaults

Arrays = dict[str, Any]
ATTACHMENTS = ("delays", "rule", "modulator", "loss")
OPS = NumpyOps()


def parameters(spec: type[Node], **given: Any) -> Values:
    """Defaults and what is given, as the equations expect them."""
    chosen = defaults(spec) | given
    assert set(chosen) == set(spec.params), f"unknown parameters {set(chosen) - set(spec.params)}"
    for name, value in chosen.items():
        assert spec.params[name].problem(value) is None, (name, value)
    return Values({name: param.coerce(chosen[name]) for name, param in spec.params.items()})


def signal_ports(spec: type[Node]) -> list[str]:
    return [port for port in (*spec.inputs, *spec.outputs) if port not in ATTACHMENTS]


def prepare(
    spec: type[Node],
    shapes: dict[str, Shape | None],
    dt: float,
    ops: Any = OPS,
    convert: Callable[[np.ndarray], Any] = lambda array: array,
    training: bool = False,
    **given: Any,
) -> Values:
    """What a step reads as ``p``: parameters, tensors from their initialisers, shapes and constants."""
    p = parameters(spec, **given)
    rng = np.random.default_rng(5)
    tensors = {name: convert(t.init(rng, t.shape)) for name, t in spec.tensors(p, shapes).items()}
    p.update(tensors, shapes=shapes, training=training)
    constants = spec.constants(ops, p, dt)
    # a coefficient made of plain numbers stays a plain number, so that it does not widen float32
    p.update(
        {
            name: float(c) if np.ndim(c) == 0 and not hasattr(c, "requires_grad") else c
            for name, c in constants.items()
        }
    )
    return p


def initial_state(spec: type[Node], p: Values, shape: Shape, batch: int, dtype: Any = np.float32) -> Arrays:
    def fill(first: str | float) -> np.ndarray:
        value = np.asarray(p[first] if isinstance(first, str) else first)
        return (np.zeros((batch, *shape)) + value).astype(dtype)

    return {name: fill(first) for name, first in spec.state_of(p).items()}


def scan(
    spec: type[Node],
    p: Values,
    inputs: Mapping[str, Any],
    state: Arrays,
    steps: int,
    dt: float,
    ops: Any = OPS,
) -> tuple[list[Arrays], Arrays]:
    """Outputs of every step and the last state.  ``inputs`` are ``[time, batch, *shape]``."""
    outputs = []
    for t in range(steps):
        x = Values({port: signal[t] for port, signal in inputs.items()})
        state, out = spec.step(ops, Values(state), x, p, dt)
        outputs.append(out)
    return outputs, state


def simulate(
    spec: type[Node], current: np.ndarray, dt: float = 1.0, /, *, dtype: Any = np.float32, **given: Any
) -> dict[str, np.ndarray]:
    """Outputs ``[time, *shape]`` of a population driven by ``current`` ``[time, *shape]`` (or ``[time]``)."""
    current = np.asarray(current, dtype)
    driven = current[:, None] if current.ndim == 1 else current
    shape = driven.shape[1:]
    shapes: dict[str, Shape | None] = dict.fromkeys(signal_ports(spec), shape)
    p = prepare(spec, shapes, dt, **given)
    state = initial_state(spec, p, shape, 1, dtype)
    outputs, _ = scan(spec, p, {"input": driven[:, None]}, state, len(driven), dt)
    stacked = {port: np.stack([out[port] for out in outputs])[:, 0] for port in outputs[0]}
    return {port: signal[:, 0] if current.ndim == 1 else signal for port, signal in stacked.items()}


def spike_steps(spikes: np.ndarray) -> list[int]:
    return [int(t) for t in np.flatnonzero(spikes)]
