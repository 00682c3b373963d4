"""Neurons of NIR files as populations of a document, by the rule of a reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.errors import MyelinError
from engine.export.nir.file import NirNode
from engine.export.nir.reading import Reading

EQUAL = 2e-6  # relative; single precision with one rounding more
TYPES = {
    "I": "population.integrator",
    "LI": "population.leaky_integrator",
    "IF": "population.if",
    "LIF": "population.lif",
    "CubaLI": "population.cuba_li",
    "CubaLIF": "population.cuba",
}
SPIKING = ("IF", "LIF", "CubaLIF")


@dataclass
class Drawn:
    """A population: its type, parameters, per-neuron arrays, and a factor on every neuron's input."""

    type: str
    params: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    gain: np.ndarray | None = None

    @property
    def port(self) -> str:
        """The output that goes on to other nodes."""
        return "spikes" if self.type in ("population.if", "population.lif", "population.cuba") else "v"

    def hold(self, name: str, value: np.ndarray) -> None:
        """A parameter that is one number, or one for every neuron."""
        flat = np.asarray(value, np.float64)
        if _uniform(flat):
            self.params[name] = float(flat.flat[0])
            return
        self.params[name] = float(np.median(flat))
        self.params["train"] = [*self.params.get("train", []), name]
        self.arrays[name] = flat.astype(np.float32)


def neurons(name: str, node: NirNode, how: Reading) -> Drawn:
    """The population of a neuron node; MyelinError names what no population can hold."""
    f = {key: np.asarray(value, np.float64) for key, value in node.fields.items()}
    for key in f:
        if key.startswith("tau") and (f[key] <= 0).any():
            raise MyelinError(f"{key} of '{name}' ({node.type}) in the NIR file must be above 0")
    drawn = Drawn(TYPES[node.type])
    size = list(next(s for s in sorted((a.shape for a in f.values()), key=len, reverse=True)))
    drawn.params["size"] = [n for n in size if n] if size != [1] else []
    if node.type in SPIKING:
        _firing(name, node, f, how, drawn)
    if "v_leak" in f:
        drawn.hold("v_leak", f["v_leak"])
    _STEPS[node.type](f, how, drawn)
    return drawn


def _uniform(values: np.ndarray) -> bool:
    return bool(values.size) and float(np.ptp(values)) <= EQUAL * float(np.abs(values).max())


def _firing(name: str, node: NirNode, f: Mapping[str, np.ndarray], how: Reading, drawn: Drawn) -> None:
    p, rule = drawn.params, how.dialect.rule
    drawn.hold("v_th", f["v_threshold"])
    v_reset = f.get("v_reset", np.zeros(1))
    subtract = how.dialect.reset == "subtract"
    if not _uniform(v_reset):
        raise MyelinError(
            f"'{name}' ({node.type}) in the NIR file has a v_reset for every neuron; one is possible"
        )
    if v_reset.any():
        p["v_reset"] = float(v_reset.flat[0])
    p["reset"] = (
        "subtract" if subtract else "value" if v_reset.any() or f["v_threshold"].min() <= 0 else "zero"
    )
    p["compare"] = ">" if rule in ("nir", "spyx") else ">="
    if rule == "sinabs":
        p["max_spikes"] = 1_000_000
    if rule == "rockpool":
        p["max_spikes"] = 65_536
    if rule == "spyx" and node.type == "LIF":
        p["reset_step"] = "next"


def _ms(tau: np.ndarray, how: Reading) -> np.ndarray:
    return tau * how.stretch / how.dt * how.dt_ms


def _input_gain(r: np.ndarray, tau: np.ndarray, how: Reading) -> np.ndarray:
    """What a current of 1 adds to v in a step."""
    if how.dialect.rule != "nir":
        return np.ones(1)
    return np.asarray(r * how.dt / (tau * how.stretch))


def _resist(drawn: Drawn, gain: np.ndarray, tau: np.ndarray | None, how: Reading) -> None:
    """Put the gain into resistance and ``decay_input``, or into a factor on each input."""
    if tau is not None:
        r = gain * (tau * how.stretch) / how.dt
        drawn.params["decay_input"] = bool(_uniform(r) and not _one(gain))
        gain = r if drawn.params["decay_input"] else gain
    if _uniform(gain):
        drawn.params["resistance"] = 1.0 if _one(gain) else float(gain.flat[0])
    else:
        drawn.gain = gain.astype(np.float32)


def _one(gain: np.ndarray) -> bool:
    return bool(np.allclose(gain, 1.0, rtol=EQUAL, atol=0))


def _integrator(f: Mapping[str, np.ndarray], how: Reading, drawn: Drawn) -> None:
    _resist(drawn, f["r"] * how.dt if how.dialect.rule == "nir" else np.ones(1), None, how)


def _integrate_and_fire(f: Mapping[str, np.ndarray], how: Reading, drawn: Drawn) -> None:
    # r = 1 is what Norse, sinabs and spyx write for an input that adds its weight
    per_step = how.dialect.rule != "nir" or (_one(f["r"]) and how.name != "textbook")
    _resist(drawn, np.ones(1) if per_step else f["r"] * how.dt, None, how)


def _leaky(f: Mapping[str, np.ndarray], how: Reading, drawn: Drawn) -> None:
    drawn.params["integration"] = "euler" if how.dialect.rule in ("nir", "spyx") else "exact"
    drawn.hold("tau_mem", _ms(f["tau"], how))
    gain = _input_gain(f["r"], f["tau"], how)
    if how.name == "norse":
        gain = how.dt / (f["tau"] * how.stretch)
    _resist(drawn, gain, f["tau"], how)


def _current_based(f: Mapping[str, np.ndarray], how: Reading, drawn: Drawn) -> None:
    rule, w_in = how.dialect.rule, f.get("w_in", np.ones(1))
    drawn.params["integration"] = "euler" if rule in ("nir", "spyx") else "exponential"
    for key in ("tau_mem", "tau_syn"):
        drawn.hold(key, _ms(f[key], how))
    entry = np.asarray(w_in * how.dt / (f["tau_syn"] * how.stretch)) if rule == "nir" else np.ones(1)
    drawn.params["arrival"] = "decay" if rule == "rockpool" else "add" if _one(entry) else "scale"
    # the synaptic current is linear: w_in may as well act behind it
    behind = np.ones(1) if drawn.params["arrival"] != "scale" else w_in
    _resist(drawn, _input_gain(f["r"], f["tau_mem"], how) * behind, f["tau_mem"], how)


_STEPS = {
    "I": _integrator,
    "IF": _integrate_and_fire,
    "LI": _leaky,
    "LIF": _leaky,
    "CubaLI": _current_based,
    "CubaLIF": _current_based,
}
