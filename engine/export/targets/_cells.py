"""Populations as native cells of simulators: the parameters with which NEST steps exactly as we do.

LIF, IF and integrators are NEST's iaf_psc_delta (V decays, then takes the weights of the spikes that arrive);
CuBa is iaf_psc_exp, Izhikevich by half steps is izhikevich.  NEST integrates by exact propagators; a decay a
by another rule becomes the time constant -h / ln a, and what scales the input goes into the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.codegen.expr import Symbol
from engine.export.freeze import traced_step
from engine.export.frozen import Unit
from engine.program import Op
from nodes.ops import NumpyOps
from nodes.populations._integration import current_to_potential
from nodes.spec import Values

DELTA = ("population.lif", "population.if", "population.leaky_integrator", "population.integrator")
EXPONENTIAL = ("population.cuba", "population.cuba_li")
IZHIKEVICH = "population.izhikevich"
NEVER = 1e30  # a threshold that no potential reaches
FOREVER = 1e300  # a time constant in ms of a membrane without leak: exp(-h / FOREVER) is exactly 1


@dataclass(frozen=True)
class Cell:
    """``model``: delta, exp or izhikevich.  ``p``: its parameters in ms and mV, a number or one per neuron.

    ``scale``: factor on all weights that arrive.  ``early``: steps by which spikes must arrive before
    the step that uses them.  ``fires``: whether it has a threshold.
    """

    model: str
    p: Mapping[str, np.ndarray]
    scale: np.ndarray
    early: int
    fires: bool


def unsupported(op: Op, dt: float) -> Iterator[str]:
    """Why a population has no native cell, in words."""
    if op.type not in (*DELTA, *EXPONENTIAL, IZHIKEVICH):
        yield f"'{op.name}' is a {op.spec.label}, for which there is no native cell"
        return
    if op.p.get("reset") == "none":
        yield f"'{op.name}' is not reset after a spike, but native cells always are"
    tau = min(op.p.get("tau_mem", np.inf), op.p.get("tau_syn", np.inf))
    if op.p.get("integration") == "euler" and dt > tau:
        yield f"'{op.name}' is integrated by Euler with a step longer than {tau:g} ms: its decay is negative"


def changes(op: Op) -> dict[str, tuple[Any, str]]:
    """Parameters that native cells do not have so: their new value, and the change in words."""
    p = op.p
    found: dict[str, tuple[Any, str]] = {}
    if p.get("reset") == "subtract":
        found["reset"] = ("zero", "is reset to 0, where it subtracted its threshold")
    if p.get("reset_step") == "next":
        found["reset_step"] = ("same", "is reset in the step of its spike, where it was in the next")
    if p.get("max_spikes", 1) > 1:
        found["max_spikes"] = (1, f"fires at most once in a step, where it could {p.max_spikes} times")
    if op.type == IZHIKEVICH and p.integration == "euler":
        found["integration"] = ("half_step", "takes two half steps, where it took one Euler step")
    return found


def changed(unit: Unit, values: Mapping[str, Any], dt: float) -> Unit:
    """A unit with other parameters; its trained ones stay."""
    op = replace(unit.op, p=Values({**unit.op.p, **values}))
    traced = traced_step(op, dt)
    wanted = {found.name for found in traced.order() if isinstance(found, Symbol)}
    known = (
        {**traced.coefficients(NumpyOps(), _tensors(unit)), **unit.values}
        if traced.constants
        else unit.values
    )
    states = {name: unit.first.get(name, np.zeros(unit.shape, np.float32)) for name in traced.state}
    kept = {name: value for name, value in known.items() if name in wanted}
    return replace(unit, op=op, traced=traced, values=kept, first=states)


def _tensors(unit: Unit) -> Values:
    """Tensors by name; one that the step does not read itself has its first value."""
    return Values(
        {name: unit.values.get(name, np.float32(unit.op.p[name])) for name in unit.op.p.get("train", ())}
    )


def cell_of(unit: Unit, dt: float) -> Cell:
    """The native cell of a population that has been ``changed``."""
    if unit.op.type == IZHIKEVICH:
        return _izhikevich(unit)
    if unit.op.type in EXPONENTIAL:
        return _exponential(unit, dt)
    return _delta(unit, dt)


def _coefficient(unit: Unit, name: str, dt: float) -> np.ndarray:
    """A number, or one per neuron, that the step works with."""
    if name in unit.values:
        found = np.asarray(unit.values[name], np.float64)
        return found.reshape(-1) if found.ndim else found
    made = unit.op.spec.constants(NumpyOps(), unit.op.p, dt)
    return np.asarray(made[name] if name in made else unit.op.p[name], np.float64)


def _time_constant(unit: Unit, decay: str, parameter: str, dt: float) -> np.ndarray:
    """The time constant that decays in a step as the unit does."""
    if unit.op.p.integration != "euler" and parameter not in unit.op.p.get("train", ()):
        return np.asarray(unit.op.p[parameter], np.float64)
    a = np.maximum(_coefficient(unit, decay, dt), 1e-300)
    return np.asarray(-dt / np.log(a))


def _membrane(unit: Unit, dt: float) -> dict[str, np.ndarray]:
    """What every integrate-and-fire cell has."""
    p, fires = unit.op.p, "v_th" in unit.op.p
    leak = _coefficient(unit, "v_leak", dt) if "v_leak" in p else np.asarray(0)
    found = {"v_rest": leak, "v_init": np.asarray(unit.first["v"], np.float64).reshape(-1)}
    if not fires:
        return found | {"v_th": np.asarray(NEVER), "v_reset": leak, "t_ref": np.asarray(0)}
    v_th = _coefficient(unit, "v_th", dt)
    reached = np.nextafter(v_th, np.inf) if p.compare == ">" else v_th  # NEST compares by >=
    reset = p.v_reset if p.reset == "value" else 0.0
    return found | {
        "v_th": reached,
        "v_reset": np.asarray(reset),
        "t_ref": np.asarray(round(p.refractory / dt) * dt),
    }


def _delta(unit: Unit, dt: float) -> Cell:
    leaky = "tau_mem" in unit.op.p
    tau = _time_constant(unit, "a", "tau_mem", dt) if leaky else np.asarray(FOREVER)
    scale = _coefficient(unit, "gain" if leaky else "resistance", dt)
    return Cell("delta", {**_membrane(unit, dt), "tau_m": tau}, scale, 0, "v_th" in unit.op.p)


def _exponential(unit: Unit, dt: float) -> Cell:
    """The cell takes the current of the step before: for the new one, spikes arrive a step earlier."""
    tau_m = _time_constant(unit, "a", "tau_mem", dt)
    tau_s = _time_constant(unit, "s", "tau_syn", dt)
    s = _coefficient(unit, "s", dt)
    entry = {"add": np.ones_like(s), "scale": 1 - s, "decay": s}[unit.op.p.arrival]
    one = np.vectorize(lambda m, n: current_to_potential(NumpyOps(), float(m), float(n), dt))(tau_m, tau_s)
    scale = entry * _coefficient(unit, "gain", dt) / one
    early = int(unit.op.p.current == "new")
    p = {**_membrane(unit, dt), "tau_m": tau_m, "tau_syn": tau_s}
    return Cell("exp", p, scale, early, "v_th" in unit.op.p)


def _izhikevich(unit: Unit) -> Cell:
    p = {name: np.asarray(unit.op.p[name]) for name in ("a", "b", "c", "d")}
    p["v_th"] = np.asarray(unit.op.p.v_peak)
    p |= {f"{name}_init": np.asarray(unit.first[name], np.float64).reshape(-1) for name in ("v", "u")}
    return Cell("izhikevich", p, np.asarray(1), 0, True)
