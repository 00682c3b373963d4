"""A frozen network as the ONNX graph of one step.

Everything carries a leading axis for the batch.  Neurons compute in single precision, sums over synapses in
double precision, rounded once.  Synapses of one delay are a matrix product; others gather: every target has a
row of places in the line of the last steps, and a row of weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from engine.codegen.expr import Call, Constant, Expr, Symbol, order
from engine.errors import MyelinError
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.targets._names import op_names, signal_names
from engine.program import Source
from engine.versions import own_version
from nodes.spec import Shape

OPSET, IR = 18, 8
DENSE = 0.3  # part of all pairs that are joined, from which synapses of one delay are a matrix
_PLAIN = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "pow": "Pow", "neg": "Neg", "lt": "Less",
    "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual", "and": "And", "or": "Or", "exp": "Exp",
    "log": "Log", "sqrt": "Sqrt", "abs": "Abs", "tanh": "Tanh", "sigmoid": "Sigmoid", "floor": "Floor",
    "minimum": "Min", "maximum": "Max", "where": "Where", "detach": "Identity",
}  # fmt: skip


@dataclass
class Graph:
    """Builds the graph of one network.

    ``state``: name -> (name afterwards, first value for one sample).  ``values``: what signals are called in
    the graph.  ``lines``: signals, summed, of which the past is kept -> how many steps of it.
    """

    frozen: Frozen
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    state: dict[str, tuple[str, np.ndarray]] = field(default_factory=dict)
    values: dict[Source, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[str, str]:
        """What the ops are called."""
        ops = [self.frozen.program.ops[source.op] for source in self.frozen.inputs]
        return op_names([*ops, *(part.op for part in self.frozen.parts)])

    @cached_property
    def signals(self) -> dict[Source, str]:
        """What inputs and outputs are called."""
        return signal_names(self.frozen, [*self.frozen.inputs, *self.frozen.outputs])

    @cached_property
    def lines(self) -> dict[tuple[Source, ...], int]:
        """How much of the past synapses read, by what arrives at them."""
        found: dict[tuple[Source, ...], int] = {}
        for synapses in self.frozen.synapses:
            found[synapses.inputs] = max(found.get(synapses.inputs, 0), synapses.longest)
        return found

    def model(self) -> Any:
        """The ``onnx.ModelProto``."""
        from onnx import helper

        self.values = {source: self.signals[source] for source in self.frozen.inputs}
        for part in self.frozen.parts:
            if isinstance(part, Synapses):
                self.values[Source(part.id, "output")] = self._synapses(part)
            else:
                self._unit(part)
        for inputs, span in self.lines.items():
            self._go_on(inputs, span)
        for source in self.frozen.outputs:
            self._name(self.values[source], self.signals[source])
        model = helper.make_model(
            self._graph(), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR
        )
        model.producer_name, model.producer_version = "Myelin Studio", own_version()
        helper.set_model_props(model, self._properties())
        return model

    def _graph(self) -> Any:
        from onnx import helper

        frozen = self.frozen
        signals = {source: self._value(self.signals[source], frozen.shape(source)) for source in self.signals}
        first = {name: value for name, (_, value) in self.state.items()}
        return helper.make_graph(
            self.nodes,
            "step",
            [*(signals[s] for s in frozen.inputs), *(self._like(name, x) for name, x in first.items())],
            [*(signals[s] for s in frozen.outputs), *(self._like(out, x) for out, x in self.state.values())],
            [_tensor(name, value) for name, value in {**first, **self.constants}.items()],
            doc_string=f"{frozen.program.title}: one time step of {frozen.dt:g} ms",
        )

    def _properties(self) -> dict[str, str]:
        frozen = self.frozen
        signals = {
            "inputs": {self.signals[source]: frozen.name(source) for source in frozen.inputs},
            "outputs": {self.signals[source]: frozen.name(source) for source in frozen.outputs},
            "state": {name: after for name, (after, _) in self.state.items()},
        }
        return {"title": frozen.program.title, "dt_ms": repr(frozen.dt), "signals": json.dumps(signals)}

    def _value(self, name: str, shape: Shape) -> Any:
        from onnx import TensorProto, helper

        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    def _like(self, name: str, first: np.ndarray) -> Any:
        from onnx import helper

        kind = helper.np_dtype_to_tensor_dtype(first.dtype)
        return helper.make_tensor_value_info(name, kind, ["batch", *first.shape[1:]])

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator; the name of its result."""
        from onnx import helper

        result = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def _name(self, value: str, name: str) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """The name of a number or an array."""
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 16 else None
        if key not in self._known or key is None:
            name = f"c{len(self.constants)}"
            self.constants[name] = array
            self._known[key] = name
        return self._known[key]

    @cached_property
    def _known(self) -> dict[Any, str]:
        return {}

    def _double(self, x: str) -> str:
        return self.node("Cast", x, to=_kind(np.float64))

    def _single(self, x: str) -> str:
        return self.node("Cast", x, to=_kind(np.float32))

    def _remember(self, name: str, after: str, first: np.ndarray) -> None:
        """A variable of the state; what it is afterwards goes by its name with ``.next``."""
        self.state[name] = (f"{name}.next", first)
        self._name(after, f"{name}.next")

    # synapses

    def _synapses(self, synapses: Synapses) -> str:
        """The current ``[batch, *targets]``."""
        delays = np.unique(synapses.delay)
        dense = synapses.pre.size >= DENSE * synapses.source_size * synapses.target_size
        total = self._product(synapses) if len(delays) <= 1 and dense else self._gathered(synapses)
        current = self._single(total)
        if synapses.offset is not None:
            current = self.node("Add", current, self._offset(synapses, synapses.offset))
        return self._shaped(current, synapses.target_shape)

    def _product(self, synapses: Synapses) -> str:
        line, first = self._line(synapses)
        size, row = synapses.source_size, synapses.shortest - first
        if synapses.longest:
            places = [self.constant([k], np.int64) for k in (row * size, (row + 1) * size, 1)]
            line = self.node("Slice", line, places[0], places[1], places[2])
        weights = self.constant(synapses.matrix().T.astype(np.float32))
        return self.node("MatMul", self._double(line), self._double(weights))

    def _gathered(self, synapses: Synapses) -> str:
        """Every target reads the places of its synapses in the line, and sums them weighted."""
        line, first = self._line(synapses)
        order = np.argsort(synapses.post, kind="stable")
        post = synapses.post[order]
        count = np.bincount(post, minlength=synapses.target_size)
        column = np.arange(post.size) - np.repeat(np.cumsum(count) - count, count)
        shape = synapses.target_size, max(1, int(count.max(initial=0)))
        places, weights = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        places[post, column] = (synapses.delay[order] - first) * synapses.source_size + synapses.pre[order]
        weights[post, column] = synapses.weight[order]
        arriving = self.node("Gather", line, self.constant(places, np.int32), axis=1)
        each = self.node("Mul", self._double(arriving), self._double(self.constant(weights)))
        return self.node("ReduceSum", each, self.constant([-1], np.int64), keepdims=0)

    def _line(self, synapses: Synapses) -> tuple[str, int]:
        """The steps that synapses read, side by side, latest first; and the delay of the first of them."""
        first = 1 if synapses.shortest else 0
        span = self.lines[synapses.inputs] if synapses.longest else 0
        parts = [] if first else [self._now(synapses.inputs)]
        if span:
            parts.append(self.node("Flatten", self._past(synapses.inputs), axis=1))
        return (parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)), first

    def _now(self, inputs: tuple[Source, ...]) -> str:
        """What arrives in this step, flat; the sum of several in double precision."""
        flat = [self.node("Flatten", self.values[source], axis=1) for source in inputs]
        if len(flat) == 1:
            return flat[0]
        total = self._double(flat[0])
        for other in flat[1:]:
            total = self.node("Add", total, self._double(other))
        return total

    def _past(self, inputs: tuple[Source, ...]) -> str:
        return "+".join(f"{self.names[source.op]}.{source.port}" for source in inputs) + ".past"

    def _go_on(self, inputs: tuple[Source, ...], span: int) -> None:
        """Keep this step, and forget the oldest."""
        if not span:
            return
        size = math.prod(self.frozen.shape(inputs[0]))
        after, name = self._now(inputs), self._past(inputs)
        if span > 1:
            ends = [self.constant([k], np.int64) for k in (0, (span - 1) * size, 1)]
            kept = self.node("Slice", self.node("Flatten", name, axis=1), ends[0], ends[1], ends[2])
            after = self.node("Concat", after, kept, axis=1)
        shape = span, *self.frozen.shape(inputs[0])
        first = np.zeros((1, *shape), np.float32 if len(inputs) == 1 else np.float64)
        self._remember(name, self._shaped(after, shape), first)

    def _offset(self, synapses: Synapses, offset: np.ndarray) -> str:
        """What is added in every step, from the step on in which it arrives."""
        constant = self.constant(offset)
        if synapses.onset is None:
            return constant
        name = f"{self.names[synapses.id]}.step"
        heard = self.node("GreaterOrEqual", name, self.constant(synapses.onset))
        later = self.node("Add", name, self.constant(1.0))
        latest = self.constant(float(synapses.onset.max(initial=0) + 1))
        self._remember(name, self.node("Min", later, latest), np.zeros((1, 1), np.float32))
        return self.node("Where", heard, constant, self.constant(0.0))

    def _shaped(self, x: str, shape: Shape) -> str:
        return self.node("Reshape", x, self.constant([-1, *shape], np.int64))

    # units

    def _unit(self, unit: Unit) -> None:
        name, traced = self.names[unit.id], unit.traced
        step = _Step(self, unit)
        outputs = {port: step.of(expr) for port, expr in traced.outputs.items()}
        for variable, expr in traced.new_state.items():
            first = np.ascontiguousarray(unit.first[variable][None], np.float32)
            after = step.full(expr, first.shape[1:])
            self._remember(f"{name}.{variable}", after, first)
        for port, value in outputs.items():
            shape = unit.op.shapes.get(port) or unit.shape
            self.values[Source(unit.id, port)] = step.spread(value, traced.outputs[port], shape)

    def arriving(self, unit: Unit, port: str) -> str:
        """The sum of what arrives at a port."""
        found = [self.values[source] for source in unit.inputs.get(port, ())]
        if not found:
            return self.constant(np.zeros((1, *(unit.op.shapes[port] or unit.shape))))
        total = found[0]
        for other in found[1:]:
            total = self.node("Add", total, other)
        return total


class _Step:
    """The operators of one unit's step."""

    def __init__(self, graph: Graph, unit: Unit) -> None:
        self.graph, self.unit = graph, unit
        self.known: dict[Expr, str] = {}
        self.batched: dict[Expr, bool] = {}
        roots = [*unit.traced.new_state.values(), *unit.traced.outputs.values()]
        for expr in order(roots):
            self.known[expr] = self._add(expr)
            self.batched[expr] = (
                expr.role in ("state", "input")
                if isinstance(expr, Symbol)
                else any(self.batched[arg] for arg in expr.args)
            )

    def of(self, expr: Expr) -> str:
        """The value of an expression."""
        return self.known[expr]

    def full(self, expr: Expr, shape: Shape) -> str:
        """The same with an axis for the batch, even where it is the same for all."""
        return self.spread(self.known[expr], expr, shape)

    def spread(self, value: str, expr: Expr, shape: Shape) -> str:
        """A value that hangs on nothing that arrives, as large as what does."""
        if self.batched[expr]:
            return value
        return self.graph.node("Expand", value, self.graph.constant([1, *shape], np.int64))

    def _add(self, expr: Expr) -> str:
        match expr:
            case Constant():
                return self.graph.constant(expr.value)
            case Symbol(role="state"):
                return f"{self.graph.names[self.unit.id]}.{expr.name}"
            case Symbol(role="input"):
                return self.graph.arriving(self.unit, expr.name)
            case Symbol():
                return self.graph.constant(self.unit.values[expr.name])
            case Call():
                return self._call(expr, [self.known[arg] for arg in expr.args])
        raise AssertionError(expr)

    def _call(self, expr: Call, args: list[str]) -> str:
        if expr.op in _PLAIN:
            return self.graph.node(_PLAIN[expr.op], *args)
        make = _SPECIAL.get(expr.op)
        if make is None:
            raise MyelinError(f"'{self.unit.op.name}' computes '{expr.op}', for which ONNX has no operator")
        return make(self, expr, args)


def _cast(step: _Step, expr: Call, args: list[str]) -> str:
    return step.graph.node("Cast", args[0], to=_kind(np.float32))


def _spike(step: _Step, expr: Call, args: list[str]) -> str:
    operator = "Greater" if expr.options[0] else "GreaterOrEqual"
    above = step.graph.node(operator, args[0], step.graph.constant(0.0))
    return step.graph.node("Cast", above, to=_kind(np.float32))


def _sum(step: _Step, expr: Call, args: list[str]) -> str:
    axes = list(range(-int(str(expr.options[0])), 0))
    return step.graph.node("ReduceSum", args[0], step.graph.constant(axes, np.int64), keepdims=0)


def _softmax(operator: str) -> Callable[[_Step, Call, list[str]], str]:
    return lambda step, expr, args: step.graph.node(operator, args[0], axis=-1)


def _reshape(step: _Step, expr: Call, args: list[str]) -> str:
    shape = expr.options[1]
    assert isinstance(shape, tuple)
    whole = [-1, *shape] if step.batched[expr.args[0]] else list(shape)
    return step.graph.node("Reshape", args[0], step.graph.constant(whole, np.int64))


def _pool(step: _Step, expr: Call, args: list[str]) -> str:
    """Windows that do not overlap, as axes of their own; what is left over is cut."""
    graph, (window, rank, mode) = step.graph, expr.options
    assert isinstance(window, int)
    assert isinstance(rank, int)
    shape = step.unit.op.shapes["input"] or ()
    lead, space = shape[: len(shape) - rank], shape[len(shape) - rank :]
    axes = list(range(1 + len(lead), 1 + len(shape)))
    cropped = [n // window * window for n in space]
    ends = [graph.constant(k, np.int64) for k in ([0] * rank, cropped, axes)]
    x = graph.node("Slice", args[0], *ends)
    split = [part for n in space for part in (n // window, window)]
    x = graph.node("Reshape", x, graph.constant([-1, *lead, *split], np.int64))
    inner = graph.constant([1 + len(lead) + 2 * k + 1 for k in range(rank)], np.int64)
    return graph.node(
        {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax"}[str(mode)], x, inner, keepdims=0
    )


_SPECIAL: dict[str, Callable[[_Step, Call, list[str]], str]] = {
    "cast": _cast,
    "spike": _spike,
    "sum": _sum,
    "softmax": _softmax("Softmax"),
    "log_softmax": _softmax("LogSoftmax"),
    "reshape": _reshape,
    "pool": _pool,
}
OPERATIONS = frozenset({*_PLAIN, *_SPECIAL, "batch_norm"})  # batch norm is frozen to a product and a sum


def _kind(dtype: Any) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _tensor(name: str, value: np.ndarray) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(value), name)
