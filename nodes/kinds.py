"""Kinds: what a port carries.  A wire is legal when the target port accepts the kind of its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One sort of signal, with the sentence shown on hover."""

    name: str
    doc: str


_DECLARED = (
    Kind("spikes", "events: 0 or 1 (or a count) per step"),
    Kind("current", "input to a population, summed over wires"),
    Kind("value", "a real-valued signal"),
    Kind("potential", "a membrane potential or another state variable"),
    Kind("audio", "a waveform at its own sampling rate"),
    Kind("label", "the answer a sample should get"),
    Kind("loss", "a number to minimise"),
    Kind("delays", "an attachment: transmission delays of a projection"),
    Kind("rule", "an attachment: plasticity of a projection"),
    Kind("modulator", "a signal that gates plasticity"),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _DECLARED}
SIGNALS = ("spikes", "current", "value", "potential")
