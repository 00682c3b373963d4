"""The presets: whole, valid, and each the rule of the tool it is named after, spike by spike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nodes import registry
from nodes.populations._presets import CONVENTIONS, conventions, preset_ops
from nodes.populations.cuba import CuBa
from nodes.populations.lif import LIF
from tests.nodes.harness import parameters, simulate


def test_presets_are_valid_and_complete() -> None:
    """Every preset of every node sets the same parameters to values that are allowed together."""
    with_presets = [spec for spec in registry.all().values() if hasattr(spec, "presets")]
    assert len(with_presets) >= 6
    for spec in with_presets:
        for values in spec.presets().values():
            assert {
                n: spec.params[n].problem(v) for n, v in values.items() if spec.params[n].problem(v)
            } == {}
            assert spec.check(parameters(spec, **values)) == []
    for name, values in conventions(LIF).items():
        assert set(values) == set(conventions(LIF)["myelin"]), name
        for key in CONVENTIONS[name].values:
            assert key in values or key not in LIF.params
    assert {n: LIF.params[n].default for n in conventions(LIF)["myelin"]} == conventions(LIF)["myelin"]
    assert conventions(registry.all()["projection.dense"])["nest"] == {"lag": 1}


def test_preset_as_document_operations() -> None:
    ops = preset_ops(LIF, "n1", "loihi")
    assert {"op": "set", "path": ["nodes", "n1", "params", "compare"], "value": ">"} in ops
    assert {op["op"] for op in ops} == {"set"}
    assert len(ops) == len(LIF.presets()["loihi"])


def events(seed: int, steps: int = 600, neurons: int = 20) -> np.ndarray:
    """Weighted arrivals, small multiples of 1/8."""
    rng = np.random.default_rng(seed)
    return (rng.integers(-2, 6, (steps, neurons)) * (rng.random((steps, neurons)) < 0.3) / 8).astype(
        np.float32
    )


def rule(name: str, x: np.ndarray, tau_mem: float, tau_syn: float, v_th: float) -> np.ndarray:
    """The published step of each tool, written out in float64, dt = 1 ms."""
    em, es = math.exp(-1 / tau_mem), math.exp(-1 / tau_syn)
    p21 = tau_syn * tau_mem / (tau_mem - tau_syn) * (em - es) / tau_mem  # C = tau_mem / R with R = 1
    v = i = np.zeros(x.shape[1])
    spikes = []
    for drive in x:
        if name == "nest":
            v, i = em * v + p21 * i, es * i + drive
            z = (v >= v_th).astype(float)
            v = v * (1 - z)
        elif name == "nir":
            i = i + (drive - i) / tau_syn
            v = v + (i - v) / tau_mem
            z = (v > v_th).astype(float)
            v = v * (1 - z)
        elif name == "loihi":
            i = i - i / tau_syn + drive
            v = v - v / tau_mem + i
            z = (v > v_th).astype(float)
            v = v * (1 - z)
        elif name == "xylo":
            i = (i + drive) * es
            v = v * em + i
            z = np.clip(np.floor(v / v_th), 0, 31)
            v = v - z * v_th
        elif name == "sinabs":
            i = es * i + drive
            v = em * v + i
            z = np.maximum(np.floor(v / v_th), 0)
            v = v - z * v_th
        elif name == "brian2":  # a spike of step t - 1 has been added to i when step t begins
            v, i = em * v + p21 * (i + drive), es * (i + drive)
            z = (v > v_th).astype(float)
            v = v * (1 - z)
        spikes.append(z)
    return np.stack(spikes)


@pytest.mark.parametrize(
    ("name", "v_th"),
    [("nest", 0.11), ("nir", 0.03), ("loihi", 1.7), ("xylo", 0.9), ("sinabs", 0.9), ("brian2", 0.11)],
)
def test_cuba_preset_is_the_rule_of_the_tool(name: str, v_th: float) -> None:
    x = events(6)
    expected = rule(name, x, 20.0, 5.0, v_th)
    preset = {n: v for n, v in CuBa.presets()[name].items() if n != "lag"}
    found = simulate(CuBa, x, tau_mem=20.0, tau_syn=5.0, v_th=v_th, **preset)["spikes"]
    assert 0.01 < expected.mean() < 5
    assert np.array_equal(found, expected)
    others = [n for n in CuBa.presets() if n not in (name, "myelin")]
    different = [
        not np.array_equal(
            simulate(CuBa, x, tau_mem=20.0, tau_syn=5.0, v_th=v_th, **CuBa.presets()[n])["spikes"], expected
        )
        for n in others
    ]
    assert all(different), "the conventions differ, so a wrong one must show"
