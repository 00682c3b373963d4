"""The printed equations are read by people and are right: run as a program they do what the step does."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from engine.cli import main
from engine.codegen.equations import equations
from engine.codegen.explain import explain
from engine.codegen.expr import Expr, symbol
from engine.codegen.printer import fitting, readable, text
from engine.codegen.trace import trace
from nodes import registry
from nodes.ops import NumpyOps, Ops
from nodes.roles import Population
from nodes.spec import Node, Param, Shape, Step, Values, defaults
from tests.codegen.test_trace import conventions
from tests.nodes.harness import initial_state, parameters, prepare

ALL = registry.all()
POPULATIONS = {name: spec for name, spec in ALL.items() if issubclass(spec, Population)}

LIF = """
a = exp(−dt/tau_mem) = 0.951229
v ← v_leak + a·(v − v_leak) + resistance·input
spikes = v ≥ v_th
v ← v·(1 − spikes)
"""
CUBA = """
a = exp(−dt/tau_mem) = 0.951229
s = exp(−dt/tau_syn) = 0.818731
i ← s·i + input
v ← v_leak + a·(v − v_leak) + resistance·i
spikes = v ≥ v_th
v ← v·(1 − spikes)
"""
CUBA_NEST = """
a = exp(−dt/tau_mem) = 0.951229
gain = f(dt, tau_mem, tau_syn, resistance) = 0.0441662
s = exp(−dt/tau_syn) = 0.818731
v ← v_leak + a·(v − v_leak) + gain·i if hold < 0.5 else v
spikes = [v ≥ v_th]·[hold < 0.5]
v ← v·(1 − spikes) + spikes·v_reset
hold ← 2 if spikes > 0.5 else max(hold − 1, 0)
i ← s·i + input
"""
ALIF = """
a = exp(−dt/tau_mem) = 0.951229
gain = (1 − a)·resistance = 0.0487706
rho = exp(−dt/tau_adapt) = 0.995012
jump = 1 − rho = 0.00498752
v ← v_leak + a·(v − v_leak) + gain·input
threshold = v_th + beta·b
spikes = v ≥ threshold
v ← v − spikes·threshold
b ← rho·b + jump·spikes
"""
ALIF_YIN = """
a = exp(−dt/tau_mem) = 0.951229
gain = (1 − a)·resistance = 0.0487706
rho = exp(−dt/tau_adapt) = 0.995012
jump = 1 − rho = 0.00498752
threshold = v_th + beta·b
v ← v_leak + a·(v − v_leak) + gain·input − fired·threshold
spikes = v > threshold
fired ← spikes
b ← rho·b + jump·spikes
"""
LIF_XYLO = """
a = exp(−dt/tau_mem) = 0.951229
v ← v_leak + a·(v − v_leak) + resistance·input
h1 = min(max(⌊v/v_th + 0.5⌋, 1), 31)
spikes = h1 − 1 + [v ≥ h1·v_th]
v ← v − spikes·v_th
"""
IZHIKEVICH = """
v ← v + dt/2·(0.04·v² + 5·v + 140 − u + input)
v ← v + dt/2·(0.04·v² + 5·v + 140 − u + input)
spikes = v ≥ v_peak
u ← u + dt·a·(b·v − u) + spikes·d
v ← v·(1 − spikes) + spikes·c
"""


@pytest.mark.parametrize(
    ("name", "preset", "more", "expected"),
    [
        ("lif", "", {}, LIF),
        ("lif", "xylo", {}, LIF_XYLO),
        ("cuba", "", {}, CUBA),
        ("cuba", "nest", {"refractory": 2.0}, CUBA_NEST),
        ("alif", "", {}, ALIF),
        ("alif", "yin2021", {}, ALIF_YIN),
        ("izhikevich", "", {}, IZHIKEVICH),
    ],
)
def test_equations_of_known_neurons(name: str, preset: str, more: dict[str, Any], expected: str) -> None:
    spec: Any = ALL[f"population.{name}"]
    chosen = (spec.presets()[preset] if preset else {}) | more
    assert "\n".join(explain(spec, chosen, 1.0)) == expected.strip()


def test_coefficients_of_trained_parameters_have_no_value() -> None:
    lines = explain(ALL["population.cuba"], {"train": ["tau_mem"], "integration": "exact"}, 1.0)
    assert lines[:3] == [
        "a = exp(−dt/tau_mem)",
        "gain = f(dt, tau_mem, tau_syn, resistance)",
        "s = exp(−dt/tau_syn) = 0.818731",
    ]


SIGNS = {
    "←": "=", "·": "*", "−": "-", "²": "**2", "³": "**3", "^": "**", "≥": ">=", "≤": "<=",
    "⌊": "floor(", "⌋": ")", "[": "float(", "]": ")",
}  # fmt: skip


def execute(lines: list[str], known: dict[str, Any]) -> dict[str, Any]:
    """The printed lines as a Python program on numbers; a long coefficient counts by its value."""
    scope = dict(known) | {"exp": math.exp, "floor": math.floor}
    for line in lines:
        for sign, python in SIGNS.items():
            line = line.replace(sign, python)
        name, formula, *value = line.split(" = ")
        exec(f"{name} = {value[0] if value and formula.startswith('f(') else formula}", scope)
    return scope


def one_number(array: Any) -> float:
    return float(np.asarray(array).reshape(()))


@pytest.mark.parametrize("spec", POPULATIONS.values(), ids=POPULATIONS.keys())
def test_printed_equations_do_what_the_step_does(spec: type[Node]) -> None:
    shape: Shape = (1,)
    shapes = dict.fromkeys((*spec.inputs, *spec.outputs), shape)
    rng = np.random.default_rng(4)
    fired = 0.0
    for given in conventions(spec):
        p = prepare(spec, shapes, 1.0, **given)
        lines = equations(trace(spec, parameters(spec, **given), 1.0, shapes, symbolic=True))
        start = initial_state(spec, p, shape, 1, np.float64)
        state = {name: value + rng.normal(0.8, 1, value.shape) for name, value in start.items()}
        for t in range(4):
            drive = 200 if spec.type == "population.izhikevich" else 1
            x = {name: drive * rng.normal(0.8, 1, (1, 1)) for name in spec.inputs}
            x |= {name: np.full((1, 1), 0.004 + 0.01 * (t % 2)) for name in spec.noise_of(p)}
            known = {name: one_number(value) for name, value in {**state, **x}.items()}
            numbers = {name: value for name, value in p.items() if isinstance(value, float)}
            got = execute(lines, numbers | known | {"dt": 1.0})
            state, outputs = spec.step(NumpyOps(), Values(state), Values(x), p, 1.0)
            for name, value in {**outputs, **state}.items():
                assert float(got[name]) == pytest.approx(one_number(value), rel=1e-5, abs=1e-5), (given, name)
            fired += one_number(outputs["spikes"]) if "spikes" in outputs else 0.0
    assert fired > 0 or "spikes" not in spec.outputs


class Bare(Node):
    """A node for these tests, without registration."""

    inputs = {"input": Population.inputs["input"]}
    outputs = {"output": Population.outputs["v"]}
    x = Param(1.0, doc="called like a state variable")


def lines_of(spec: type[Node]) -> list[str]:
    return equations(trace(spec, parameters(spec), 1.0, {"input": (3,), "output": (3,)}, symbolic=True))


def test_old_values_are_kept_where_both_need_them() -> None:
    class Rotate(Bare):
        state = {"x": 0.0, "y": 1.0}

        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            new_x, new_y = s.x - dt * s.y, s.y + dt * s.x
            return {"x": new_x, "y": new_y}, {"output": new_x}

    assert lines_of(Rotate) == ["x_old1 = x", "x ← x − dt·y", "output = x", "y ← y + dt·x_old1"]


def test_states_that_change_places() -> None:
    class Swap(Bare):
        state = {"x": 0.0, "y": 1.0}

        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            return {"x": s.y, "y": s.x}, {"output": x.input}

    scope = execute(lines_of(Swap), {"x": 3.0, "y": 5.0, "input": 7.0})
    assert (scope["x"], scope["y"], scope["output"]) == (5.0, 3.0, 7.0)


def test_names_that_clash_tell_their_role() -> None:
    class Clash(Bare):
        state = {"x": 0.0, "output": 0.0}

        @staticmethod
        def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
            return {"x": s.x + p.x, "output": s.output + 1}, {"output": s.output * 2}

    assert lines_of(Clash) == ["x ← x + x_parameter", "output_output = output·2", "output ← output + 1"]


def shown(expr: Expr) -> str:
    letters: dict[Expr, str] = {symbol("state", name): name for name in "abc"}
    return text(readable([expr])[expr], letters)


def test_parentheses_only_where_needed() -> None:
    a, b, c = (symbol("state", name) for name in "abc")
    expected = {
        "a + b·c": a + b * c,
        "(a + b)·c": (a + b) * c,
        "a − (b − c)": a - (b - c),
        "a − b − c": a - b - c,
        "a + b − c": a + (b - c),
        "a/(b·c)": a / (b * c),
        "a/b/c": a / b / c,
        "(a + b)²": (a + b) ** 2,
        "−a·b": -a * b,
        "a·(−b)": a * -b,
        "(−a)²": (-a) ** 2,
        "a − b": a + -b,
        "a − 65": a + -65.0,
        "a − (−65)": a - -65.0,
        "a^b·c": a**b * c,
        "a^1.5": a**1.5,
        "a < b and b < c or a ≥ c": (a < b) & (b < c) | (a >= c),
    }
    assert {line: shown(expr) for line, expr in expected.items()} == {line: line for line in expected}


def test_every_step_can_be_shown() -> None:
    for spec in ALL.values():
        lines = explain(spec, {}, 1.0)
        assert bool(lines) == (spec.step is not Node.step), spec.type
    assert explain(ALL["projection.dense"], {"bias": True}, 1.0) == ["output = weight @ input + offset"]
    assert explain(ALL["structure.batch_norm"], {}, 1.0) == [
        "output = gamma·(input − mean)/sqrt(var + eps) + beta"
    ]


def test_signs_that_a_terminal_has_not_are_spelled_out() -> None:
    assert fitting("v ← a·v − b² ≥ ⌊c⌋", "cp1252") == "v <- a*v - b^2 >= floor(c)"
    assert fitting("v ← a·v", "utf-8") == "v ← a·v"


def test_help_page_shows_equations_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "population.lif"]) == 0
    out = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    start = out.index("Update per step (defaults, dt 1 ms)") + 1
    assert out[start : start + 4] == [f"  {line}" for line in LIF.strip().splitlines()]
    assert "  nest    reset value" in out


def test_help_page_under_other_conventions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "lif", "--preset", "nir", "--set", "v_reset=-1"]) == 0
    out = capsys.readouterr().out
    title = (
        "Update per step (integration euler, decay_input true, compare >, reset value, v_reset -1, dt 1 ms)"
    )
    assert title in out
    assert "a = 1 − dt/tau_mem = 0.95" in out
    assert "spikes = v > v_th" in out


def test_json_carries_equations_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    lif = found["population.lif"]
    assert lif["equations"] == {"dt_ms": 1.0, "set": {}, "lines": LIF.strip().splitlines()}
    assert lif["presets"]["loihi"]["compare"] == ">"
    assert found["dataset.shd"]["equations"]["lines"] == []
    assert found["dataset.shd"]["presets"] == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["lif", "--set", "reset=foo"], "LIF: reset must be one of subtract, zero, value, none, not 'foo'"),
        (["lif", "--set", "v_th=-1"], "LIF: v_th must be above 0 when reset is `zero`, not -1"),
        (["lif", "--set", "v_thh=1"], "LIF has no parameter 'v_thh' (did you mean v_th?)"),
        (["lif", "--set", "v_th"], "--set takes PARAM=VALUE, not 'v_th'"),
        (["lif", "--preset", "nests"], "LIF has no preset 'nests' (did you mean nest?)"),
        (["--preset", "nest"], "--set and --preset need a node: `myelin nodes TYPE --set PARAM=VALUE`"),
    ],
)
def test_what_a_node_does_not_have_is_named(
    given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["nodes", *given]) == 2
    assert capsys.readouterr().err == f"myelin: {sentence}\n"


def test_a_step_that_resists_does_not_take_its_page_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = ALL["population.lif"]

    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"v": np.exp(x.input)}

    monkeypatch.setattr(spec, "step", staticmethod(step))
    assert main(["nodes", "lif"]) == 0
    out = capsys.readouterr().out
    assert "(cannot be shown: " in out
    assert list(defaults(spec))[-1] in out
