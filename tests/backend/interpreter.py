"""The reference: a program taken one step and one op at a time in numpy, slow and obvious, in evaluation.

It shares with the executor the program, the tensors, the random numbers and the equations of the nodes, and
nothing of how time, chunks, loops and delays are handled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np

from engine.backend.network import STIMULUS, Network
from engine.backend.noise import Noise
from engine.program import Op, Program, Source
from nodes.ops import NumpyOps, Sparse
from nodes.spec import Values

Arrays = dict[str, np.ndarray]
PASSIVE = ("dataset", "offline", "loss")


@dataclass
class Run:
    """Signals ``[time, batch, *shape]`` by source, and the state of every op after the last step."""

    signals: dict[Source, np.ndarray]
    state: dict[str, Arrays]


def interpret(
    network: Network,
    inputs: Mapping[Source, np.ndarray],
    *,
    steps: int,
    end: int | None = None,
    batch: int = 1,
) -> Run:
    """Run ``steps`` steps; ``end``: length of the input, after which an op lasts for its ``tail``."""
    return _Interpreter(network, inputs, end, batch).run(steps)


@dataclass
class _Interpreter:
    network: Network
    inputs: Mapping[Source, np.ndarray]
    end: int | None
    batch: int
    past: dict[Source, list[np.ndarray]] = field(default_factory=dict)
    state: dict[str, Arrays] = field(default_factory=dict)

    def __post_init__(self) -> None:
        program = self.network.program
        self.ops = [op for op in order(program) if op.role not in PASSIVE]
        self.noise = Noise(program.seed, 0, self.batch)
        self.p = {op.id: parameters(self.network, op) for op in self.ops}
        for op in self.ops:
            self.state[op.id] = self.first_state(op)

    def run(self, steps: int) -> Run:
        for t in range(steps):
            for op in self.ops:
                if self.end is None or t < self.end + op.tail:
                    for port, value in self.step(op, t).items():
                        self.past.setdefault(Source(op.id, port), []).append(np.asarray(value, np.float32))
        return Run({source: np.stack(values) for source, values in self.past.items()}, self.state)

    def first_state(self, op: Op) -> Arrays:
        p = self.p[op.id]
        shape = op.shapes.get("input") or next(iter(op.shapes.values())) or ()
        blank = np.zeros((self.batch, *shape), np.float32)
        return {
            name: (blank + (p[first] if isinstance(first, str) else first)).astype(np.float32)
            for name, first in op.spec.state_of(p).items()
        }

    def signal(self, source: Source, t: int) -> np.ndarray | None:
        """What a source gives at step t; None before the start and after its end."""
        if t < 0:
            return None
        if source in self.inputs:
            known = self.inputs[source]
            return known[t] if t < min(len(known), math.inf if self.end is None else self.end) else None
        values = self.past.get(source, [])
        return values[t] if t < len(values) else None

    def arriving(self, op: Op, port: str, t: int) -> np.ndarray:
        total = np.zeros((self.batch, *(op.shapes.get(port) or ())), np.float32)
        sources = [*op.inputs[port], *([Source(op.id, STIMULUS)] if port == "input" else [])]
        for source in sources:
            signal = self.signal(source, t)
            total = total if signal is None else total + signal
        return total

    def step(self, op: Op, t: int) -> Arrays:
        if op.role == "projection":
            return {"output": self.project(op, t)}
        p = self.p[op.id]
        x = Values({port: self.arriving(op, port, t) for port in op.inputs})
        shape = next(s for port, s in op.shapes.items() if port in op.spec.outputs) or ()
        for name, kind in op.spec.noise_of(p).items():
            once = kind == "sequence"
            drawn = self.noise.draw("uniform" if once else kind, op.id, name, -1 if once else t, shape)
            x[name] = drawn.numpy()
        state, outputs = op.spec.step(NumpyOps(), Values(self.state[op.id]), x, p, self.network.program.dt)
        self.state[op.id] = {name: np.asarray(value, np.float32) for name, value in state.items()}
        return outputs

    def project(self, op: Op, t: int) -> np.ndarray:
        if op.delay is None:
            return self.current(op, self.arriving(op, "input", t - op.lag))
        delay = np.rint(np.clip(self.p[op.id].delay, op.delay.low, op.delay.high)).astype(int) + op.lag
        past = {d: self.arriving(op, "input", t - d) for d in np.unique(delay).tolist()}
        if op.delay.granularity == "synapse":
            return self.current(
                op, self.arriving(op, "input", t), _PerSynapse(past, delay, len(op.shapes["input"] or ()))
            )
        if op.delay.granularity == "dendritic":
            # the whole current of a target, its bias included, is late
            current = {d: self.current(op, x) if t >= d else self.nothing(op) for d, x in past.items()}
            return _pick(current, delay)
        return self.current(op, _pick(past, delay))

    def nothing(self, op: Op) -> np.ndarray:
        return np.zeros((self.batch, *(op.shapes["output"] or ())), np.float32)

    def current(self, op: Op, x: np.ndarray, ops: Any = None) -> np.ndarray:
        _, outputs = op.spec.step(
            ops or NumpyOps(), Values(), Values(input=x), self.p[op.id], self.network.program.dt
        )
        return outputs["output"]


class _PerSynapse(NumpyOps):
    """Sums over synapses in which each synapse reads its own step of the past."""

    def __init__(self, past: dict[int, np.ndarray], delay: np.ndarray, rank: int) -> None:
        self.past = {
            d: x.reshape((*x.shape[: x.ndim - rank], -1)).astype(np.float64) for d, x in past.items()
        }
        self.delay = delay

    def linear(self, x: np.ndarray, weight: Any) -> np.ndarray:
        targets = weight.shape[0]
        total = np.zeros((len(x), targets))
        for o, i, w, d in self.synapses(weight):
            total[:, o] += w * self.past[d][:, i]
        return total.astype(np.float32)

    def synapses(self, weight: Any) -> Any:
        if isinstance(weight, Sparse):
            return zip(weight.post, weight.pre, weight.weight.astype(np.float64), self.delay, strict=True)
        o, i = np.indices(weight.shape)
        return zip(o.ravel(), i.ravel(), weight.astype(np.float64).ravel(), self.delay.ravel(), strict=True)


def _pick(values: dict[int, np.ndarray], delay: np.ndarray) -> np.ndarray:
    """For every place the value of its own delay."""
    result = np.zeros_like(next(iter(values.values())))
    for d, value in values.items():
        result = np.where(delay == d, value, result)
    return result


def order(program: Program) -> list[Op]:
    """Every op after those whose output of the same step it needs."""
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(program.ops))
    for op in program.ops.values():
        late = op.lag + (op.delay.low if op.delay else 0)
        if late == 0:
            graph.add_edges_from((source.op, op.id) for sources in op.inputs.values() for source in sources)
    return [program.ops[key] for key in nx.topological_sort(graph)]


def parameters(network: Network, op: Op) -> Values:
    """What the step of an op reads, in numpy."""
    prefix = f"{op.id}:"
    own = {
        key.removeprefix(prefix): network.tensor(key).detach().numpy().copy()
        for key in network.declared
        if key.startswith(prefix)
    }
    p = Values({**op.p, **own, "shapes": op.shapes, "training": False})
    for name, value in op.spec.constants(NumpyOps(), p, network.program.dt).items():
        p[name] = float(value) if np.ndim(value) == 0 else np.asarray(value, np.float32)
    return p
