"""Conventions of other simulators and chips, so that a population can be set to behave like theirs.

The table names only what differs from Myelin's defaults; a preset of a node is every convention that the
node has, so going from one preset to another leaves nothing behind.  Numbers (thresholds, time constants,
weights) are no conventions and stay.  Found by replaying each tool spike by spike against plain numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nodes.roles import Population
from nodes.spec import Node

STEP = ("integration", "decay_input", "current", "arrival")
SPIKE = ("compare", "reset", "reset_step", "max_spikes", "lag")


@dataclass(frozen=True)
class Convention:
    """How one tool steps a neuron: what differs from Myelin's defaults, and where that was read."""

    doc: str
    values: dict[str, Any] = field(default_factory=dict)


CONVENTIONS: dict[str, Convention] = {
    "myelin": Convention("Myelin's own defaults."),
    "nir": Convention(
        "The equations of NIR 1.0.8 by forward Euler: I += dt/tau_syn (x - I), then with the new I "
        "v += dt/tau_mem (v_leak - v + R I); spike when v > v_th; v := v_reset (nir 1.0.4: v := v - v_th).",
        {"integration": "euler", "decay_input": True, "arrival": "scale", "compare": ">", "reset": "value"},
    ),
    "nest": Convention(
        "NEST 3 iaf_psc_exp (CuBa) and iaf_psc_delta (LIF): exact propagators, v sees the current without "
        "this step's arrivals, v >= V_th, v := V_reset, held for t_ref/h steps; the least delay is one step.",
        {"integration": "exact", "current": "old", "reset": "value", "lag": 1},
    ),
    "brian2": Convention(
        "Brian2 method 'exact', schedule state - threshold - synapses - resets: arrivals count from the next "
        "step on, v > v_th, v = v_reset.  Refractory time counts the step of the spike: one dt more there.",
        {"integration": "exact", "decay_input": True, "compare": ">", "reset": "value", "lag": 1},
    ),
    "loihi": Convention(
        "Loihi 1 and 2 (Lava LIF): u decays by 1 - du/4096 and takes the input, v decays by 1 - dv/4096 and "
        "takes the new u; v > v_th; v := 0.  Write tau = 4096 dt / d.",
        {"integration": "euler", "compare": ">", "lag": 1},
    ),
    "xylo": Convention(
        "Rockpool 3.1 (Xylo): I = (I + x) e^(-dt/tau_syn), v = v e^(-dt/tau_mem) + I, up to 31 spikes each "
        "step subtract v_th.  The readout fires once a step at most; only input to hidden has no lag.",
        {"integration": "exponential", "arrival": "decay", "reset": "subtract", "max_spikes": 31, "lag": 1},
    ),
    "sinabs": Convention(
        "sinabs 3.1 (Speck, DYNAP-CNN): v = e^(-dt/tau) v + x, as many spikes as v holds thresholds, each "
        "subtracts v_th.",
        {"integration": "exponential", "reset": "subtract", "max_spikes": 1_000_000},
    ),
}


def conventions(spec: type[Node]) -> dict[str, dict[str, Any]]:
    """Preset name -> value of every convention that ``spec`` has.

    A choice the node does not offer (``exponential`` for a node without synaptic current) keeps its default.
    """
    own = {name: spec.params[name] for name in (*STEP, *SPIKE) if name in spec.params}
    standard = {name: param.default for name, param in own.items()}

    def fits(name: str, value: Any) -> bool:
        return name in own and own[name].problem(value) is None

    return {
        title: standard | {name: value for name, value in convention.values.items() if fits(name, value)}
        for title, convention in CONVENTIONS.items()
    }


class Conventional(Population):
    """A population whose conventions can be set to those of another tool."""

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        """Preset name -> values of parameters."""
        return conventions(cls)


def preset_ops(spec: type[Conventional], node_id: str, preset: str) -> list[dict[str, Any]]:
    """The document operations that set the node ``node_id`` to a preset of its type."""
    place = ["nodes", node_id, "params"]
    return [{"op": "set", "path": [*place, name], "value": v} for name, v in spec.presets()[preset].items()]
