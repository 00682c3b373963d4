"""The traced graph computes what the step computes: numpy to the bit, torch with its gradients."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.codegen.explain import example_shapes
from engine.codegen.expr import Call, Constant, TraceError, symbol
from engine.codegen.trace import Traced, trace
from nodes import registry
from nodes.ops import Array, NumpyOps, Ops
from nodes.populations._presets import Conventional
from nodes.roles import Population
from nodes.spec import Node, Param, Shapes, Step, Values
from tests.nodes.harness import initial_state, parameters, prepare
from tests.nodes.test_all_nodes import BATCH, DT, STEPS, state_shape, stimulus

ROOT = Path(__file__).resolve().parents[2]
OPS = NumpyOps()
STEPPING = {name: spec for name, spec in registry.all().items() if spec.step is not Node.step}
every_node = pytest.mark.parametrize("spec", STEPPING.values(), ids=STEPPING.keys())
POPULATIONS = {name: spec for name, spec in STEPPING.items() if issubclass(spec, Population)}
every_population = pytest.mark.parametrize("spec", POPULATIONS.values(), ids=POPULATIONS.keys())

Case = tuple[Shapes, Values, dict[str, Any], dict[str, Any]]


def shapes_of(spec: type[Node], p: Values) -> Shapes:
    shapes = example_shapes(spec, p)
    assert shapes is not None, f"{spec.type} cannot work with any usual shape"
    return shapes


def random_case(spec: type[Node], training: bool, **given: Any) -> Case:
    """Shapes, ``p`` as a step reads it, a state off its start, and inputs of ``STEPS`` steps."""
    shapes = shapes_of(spec, parameters(spec, **given))
    p = prepare(spec, shapes, DT, training=training, **given)
    state = initial_state(spec, p, state_shape(spec, shapes), BATCH)
    rng = np.random.default_rng(8)
    moved = {name: (v + rng.normal(0.3, 1, v.shape)).astype(np.float32) for name, v in state.items()}
    x = stimulus(spec, p, shapes)
    return shapes, p, moved, {name: signal * 2 if name == "input" else signal for name, signal in x.items()}


def at(x: dict[str, Any], t: int) -> Values:
    return Values({name: signal[t] for name, signal in x.items()})


def assert_same_bits(spec: type[Node], training: bool = False, **given: Any) -> None:
    shapes, p, state, x = random_case(spec, training, **given)
    traced = trace(spec, parameters(spec, **given), DT, shapes, training=training)
    assert set(traced.state) == set(traced.new_state) == set(state)
    for t in range(STEPS):
        expected = spec.step(OPS, Values(state), at(x, t), p, DT)
        found = traced.evaluate(OPS, state, at(x, t), p)
        for wanted, got in zip(expected, found, strict=True):
            assert set(wanted) == set(got)
            for name, value in wanted.items():
                assert value.dtype == np.asarray(got[name]).dtype, name
                assert np.array_equal(value, got[name], equal_nan=True), name
        state = expected[0]


def conventions(spec: type[Node]) -> Iterator[dict[str, Any]]:
    """Every preset and every way to reset and compare, with and without refractory time."""
    presets = spec.presets() if issubclass(spec, Conventional) else {"": {}}
    resets: list[dict[str, Any]] = [{}]
    if "reset_step" in spec.params:
        names = ("reset", "reset_step", "compare", "refractory")
        choices = [*(spec.params[name].choices for name in names[:3]), (0.0, 2.0)]
        resets = [dict(zip(names, values, strict=True)) for values in product(*choices)]
    for preset, reset in product(presets.values(), resets):
        counts = preset.get("max_spikes", 1) > 1 and reset.get("reset") != "subtract"
        yield preset | reset | ({"max_spikes": 1} if counts else {})


@pytest.mark.parametrize("training", [False, True])
@every_node
def test_numpy_gives_the_same_bits(spec: type[Node], training: bool) -> None:
    assert_same_bits(spec, training)


@pytest.mark.parametrize("trained", [False, True])
@every_population
def test_every_convention_gives_the_same_bits(spec: type[Node], trained: bool) -> None:
    train = {"train": list(spec.params["train"].choices)} if trained and "train" in spec.params else {}
    for given in conventions(spec):
        assert_same_bits(spec, **given, **train)


@pytest.mark.parametrize(("compare", "spikes"), [(">", 0.0), (">=", 1.0)])
def test_a_potential_on_the_threshold_fires_as_compare_says(compare: str, spikes: float) -> None:
    spec = STEPPING["population.if"]
    p = parameters(spec, compare=compare)
    graph = trace(spec, p, DT, dict.fromkeys((*spec.inputs, *spec.outputs), (1,)))
    zero, one = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    _, outputs = graph.evaluate(OPS, {"v": zero}, {"input": one}, p)
    assert outputs["spikes"] == spikes


@every_node
def test_symbolic_parameters_keep_their_values(spec: type[Node]) -> None:
    """Not to the bit: an expression may take the path for arrays where a number takes the one for numbers."""
    for given in conventions(spec) if spec.type == "population.cuba" else [{}]:
        shapes, p, state, x = random_case(spec, False, **given)
        traced = trace(spec, parameters(spec, **given), DT, shapes, symbolic=True)
        tensors = {name: p[name] for name in spec.tensors(p, shapes)}
        expected = spec.step(OPS, Values(state), at(x, 0), p, DT)
        found = traced.evaluate(OPS, state, at(x, 0), tensors)
        for wanted, got in zip(expected, found, strict=True):
            for name, value in wanted.items():
                np.testing.assert_allclose(got[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_symbolic_parameter_can_be_given_another_value() -> None:
    spec = STEPPING["population.lif"]
    shapes, _, state, x = random_case(spec, False)
    traced = trace(spec, parameters(spec), DT, shapes, symbolic=True)
    other = prepare(spec, shapes, DT, v_th=0.4, tau_mem=7.0)
    expected = spec.step(OPS, Values(state), at(x, 0), other, DT)
    found = traced.evaluate(OPS, state, at(x, 0), {"v_th": 0.4, "tau_mem": 7.0})
    for wanted, got in zip(expected, found, strict=True):
        for name, value in wanted.items():
            np.testing.assert_allclose(got[name], value, rtol=1e-6, err_msg=name)


def torch_results(spec: type[Node], given: dict[str, Any], training: bool, traced: bool) -> dict[str, Any]:
    """Outputs and last state of two steps, and the gradient of their squares by every leaf."""
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("engine.backend.ops").OPS
    shapes, plain, state, x = random_case(spec, training, **given)

    def leaf(array: np.ndarray) -> Any:
        tensor = torch.from_numpy(np.array(array))
        return tensor.requires_grad_() if tensor.is_floating_point() else tensor

    leaves = {name: leaf(plain[name]) for name in spec.tensors(parameters(spec, **given), shapes)}
    for name in ("mean", "var"):  # running statistics, which batch norm writes to
        if name in leaves:
            leaves[name].requires_grad_(False)
    first = {f"state {name}": leaf(value) for name, value in state.items()}
    driven = {f"input {name}": leaf(value) for name, value in x.items()}
    p = Values(parameters(spec, **given) | leaves | {"shapes": shapes, "training": training})
    p.update(spec.constants(ops, p, DT))
    graph = trace(spec, parameters(spec, **given), DT, shapes, training=training)
    s: dict[str, Any] = {name: first[f"state {name}"] for name in state}
    outputs = []
    for t in range(2):
        now = Values({name: driven[f"input {name}"][t] for name in x})
        step = graph.evaluate(ops, s, now, p) if traced else spec.step(ops, Values(s), now, p, DT)
        s, out = step
        outputs.append(out)
    found = {f"{port} {t}": signal for t, out in enumerate(outputs) for port, signal in out.items()} | s
    total = sum((signal**2).sum() for signal in found.values())
    if total.requires_grad:
        total.backward()
    grads = {f"d {name}": value.grad for name, value in {**leaves, **first, **driven}.items()}
    return {name: value.detach() if value is not None else None for name, value in {**found, **grads}.items()}


def assert_torch_agrees(spec: type[Node], training: bool = False, **given: Any) -> dict[str, Any]:
    expected = torch_results(spec, given, training, traced=False)
    found = torch_results(spec, given, training, traced=True)
    assert set(expected) == set(found)
    for name, value in expected.items():
        assert (value is None) == (found[name] is None), name
        if value is not None:
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-7, err_msg=name)
    return found


@pytest.mark.parametrize("training", [False, True])
@every_node
def test_torch_gives_the_same_values_and_gradients(spec: type[Node], training: bool) -> None:
    assert_torch_agrees(spec, training)


@every_population
def test_torch_gives_the_same_gradients_of_trained_parameters(spec: type[Node]) -> None:
    trainable = list(spec.params["train"].choices) if "train" in spec.params else []
    presets = spec.presets().values() if issubclass(spec, Conventional) else [{}]
    for given, detach in product(presets, (True, False)):
        options = {"detach_reset": detach} if "detach_reset" in spec.params else {}
        train = {"train": trainable} if trainable else {}
        found = assert_torch_agrees(spec, True, **given | options | train)
        for name in trainable:
            assert found[f"d {name}"] is not None, name


class Bare(Node):
    """A node for these tests, without registration."""

    inputs = {"input": Population.inputs["input"]}
    outputs = {"output": Population.outputs["v"]}
    tau = Param(10.0, "ms", low=0.1, doc="time constant")


def traced(spec: type[Node], symbolic: bool = False, **given: Any) -> Traced:
    return trace(spec, parameters(spec, **given), DT, {"input": (3,), "output": (3,)}, symbolic=symbolic)


def test_equal_expressions_are_one_object() -> None:
    v, w = symbol("state", "v"), symbol("state", "w")
    assert symbol("state", "v") is v is not symbol("input", "v")
    assert v * 2.0 + w is v * 2.0 + w
    assert v * 2.0 + w is not v * 3.0 + w
    assert v + w is not w + v
    assert v * 2 is not v * 2.0
    assert v * 0.0 is not v * -0.0


def test_only_what_changes_nothing_is_folded() -> None:
    v = symbol("state", "v")
    for same in (v * 1, 1.0 * v, v + 0, 0.0 + v, v - 0, v / 1, v**1, (-v).__neg__()):
        assert same is v
    for other in (v * 0, 0 - v, 1 / v, v**0, 1**v):
        assert isinstance(other, Call)


def test_a_numpy_scalar_is_a_plain_number() -> None:
    v = symbol("state", "v")
    made = np.float64(2.5) * v
    assert made is 2.5 * v
    assert isinstance(made, Call)
    assert isinstance(made.args[0], Constant)


def test_shared_work_is_done_once() -> None:
    class Twice(Bare):
        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            return {}, {"output": ops.exp(x.input / p.tau) + ops.exp(x.input / p.tau)}

    assert [str(expr) for expr in traced(Twice).order() if isinstance(expr, Call)] == [
        "a result of div",
        "a result of exp",
        "a result of add",
    ]


def test_coefficients_leave_the_step_and_are_named_once() -> None:
    class Leak(Bare):
        @staticmethod
        def constants(ops: Ops, p: Values, dt: float) -> dict[str, Array]:
            a = ops.exp(-dt / p.tau)
            return {"a": a, "again": a, "plain": 2.0, "unread": 1 - a}

        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            return {}, {"output": p.a * x.input + p.again * p.plain}

    graph = traced(Leak)
    assert list(graph.constants) == ["a"]
    assert graph.coefficients(OPS, {}) == {"a": pytest.approx(np.exp(-0.1), abs=0)}
    assert isinstance(graph.coefficients(OPS, {})["a"], float)
    assert list(graph.parameters) == []
    assert list(traced(Leak, symbolic=True).parameters) == ["dt", "tau"]


def test_a_parameter_may_decide_a_branch_but_an_array_may_not() -> None:
    class Branch(Bare):
        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            steps = float(round(p.tau / dt))
            return {}, {"output": x.input * steps if p.tau > 5 else x.input}

    class Forbidden(Bare):
        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            return {}, {"output": x.input if x.input > 0 else -x.input}

    class Literal(Bare):
        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            return {}, {"output": x.input * np.ones(3)}

    for symbolic in (False, True):
        assert traced(Branch, symbolic).outputs["output"] is symbol("input", "input") * 10.0
        assert traced(Branch, symbolic, tau=2.0).outputs["output"] is symbol("input", "input")
    with pytest.raises(TraceError, match="cannot branch on the input input"):
        traced(Forbidden)
    with pytest.raises(TypeError, match="ndarray"):
        traced(Literal)


def test_the_tracer_loads_no_torch() -> None:
    code = (
        "import sys; from nodes import registry; from engine.codegen.explain import explain\n"
        "assert explain(registry.get('population.lif'), {}, 1.0)\n"
        "print(*{'torch', 'sympy', 'PySide6'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("", "")
