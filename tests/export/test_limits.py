"""What breaks the limits of a chip is told, with its number and where that was read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.document import Document
from engine.export.hardware.chips import LIMITS
from tests.compile.drawing import set_param
from tests.export.limited import (
    broken,
    chip_of,
    convolved,
    driven,
    found,
    limited,
    looped,
    mended,
    net,
    two_targets,
    watched,
    with_delays,
)

NOT_LINTED = {"weight_bits", "state_bits", "hop_steps", "neurons_per_core"}
"""Limits that break nothing: the export converts to them, or the budget counts with them."""


CASES: dict[str, tuple[Callable[[], Document], str, str, str]] = {
    "neurons": (net, "max = 5", "MYL213", "the network needs 9 neurons; Mine has 5"),
    "hidden": (net, "max = 5", "MYL213", "needs 6 hidden neurons; Mine has 5"),
    "outputs": (net, "max = 2", "MYL213", "needs 3 readout neurons; Mine has 2"),
    "inputs": (net, "max = 3", "MYL213", "needs 4 input channels; Mine has 3"),
    "input_neurons": (net, "max = 5", "MYL213", "needs 6 neurons behind the input"),
    "output_sources": (net, "max = 5", "MYL213", "needs 6 neurons before the readout"),
    "layers": (net, "max = 1", "MYL213", "needs 2 populations; Mine has 1"),
    "population": (net, "max = 4", "MYL213", "'hidden' has 6 neurons; Mine takes 4"),
    "channels": (net, "max = 4", "MYL213", "'hidden' has 6 channels; Mine takes 4"),
    "synapses": (net, "max = 40", "MYL213", "needs 42 synapses; Mine has 40"),
    "weight_bytes": (net, "max = 160", "MYL213", "needs 168 bytes of weights; Mine has 160"),
    "memory_bytes": (net, "max = 30", "MYL213", "needs 36 bytes of state and delay buffers"),
    "shared_bytes": (net, "max = 200", "MYL213", "needs 204 bytes in all"),
    "fan_in": (net, "max = 5", "MYL214", "a neuron of 'out' hears 6 synapses; Mine allows 5"),
    "fan_out": (net, "max = 2", "MYL214", "a neuron of 'hidden' reaches 3 synapses; Mine allows 2"),
    "projection_weights": (net, "max = 20", "MYL215", "'in' has 24 weights; Mine takes 20"),
    "destinations": (two_targets, "max = 1", "MYL216", "'hidden' projects to 2 populations; Mine allows 1"),
    "loops": (looped, "max = 0", "MYL216", "'hidden' is part of a loop; Mine is feed-forward only"),
    "delay_steps": (
        lambda: with_delays(delay=9.0),
        "max = 4",
        "MYL212",
        "'in' delays by up to 9 steps of 1 ms; Mine holds 4 steps",
    ),
    "dt_ms": (net, "min = 2", "MYL217", "the time step is 1 ms; Mine allows at least 2 ms"),
    "refractory_steps": (
        lambda: net(refractory=5.0),
        "max = 3",
        "MYL217",
        "'hidden' is refractory for 5 steps; Mine allows 3",
    ),
    "output_kinds": (
        watched,
        'choices = ["spikes"]',
        "MYL218",
        "'peak' reads out a potential; Mine gives spikes",
    ),
    "input_kinds": (
        driven,
        'choices = ["spikes"]',
        "MYL218",
        "'dc' gives the chip a current; Mine takes spikes",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_breaking_a_limit_is_told_with_its_number_and_source(tmp_path: Path, name: str) -> None:
    draw, value, code, sentence = CASES[name]
    document, target = draw(), limited(tmp_path, name, value)
    problems = [d for d in broken(document, target) if sentence in d.message]
    assert problems, [d.message for d in found(document, target)]
    (problem,) = problems
    assert (problem.code, problem.severity) == (code, "limit")
    assert "source: page 7" in problem.hint
    assert set(problem.nodes) <= set(document.nodes)
    mended(document, target, problem)


def test_every_limit_has_a_case_or_breaks_nothing() -> None:
    elsewhere = {"cores", "granularities"}  # they need another limit beside them: tests below
    assert set(CASES) | NOT_LINTED | elsewhere == set(LIMITS)


@pytest.mark.parametrize("name", CASES)
def test_a_network_within_the_limit_is_not_blamed(tmp_path: Path, name: str) -> None:
    kinds = 'choices = ["spikes", "current", "potential"]'
    value = kinds if name.endswith("_kinds") else "max = 100000"
    assert broken(CASES[name][0](), limited(tmp_path, name, value)) == []


def test_cores(tmp_path: Path) -> None:
    text = '[limits]\ncores = { max = 2, source = "a b" }\nneurons_per_core = { max = 4, source = "a b" }'
    (problem,) = broken(net(), chip_of(tmp_path, text))
    assert "needs 3 cores; Mine has 2" in problem.message


def test_a_projection_that_is_not_there(tmp_path: Path) -> None:
    target = chip_of(tmp_path, '[[projection]]\ntypes = ["projection.dense"]\nsource = "a b"')
    (problem,) = broken(convolved(), target)
    assert (problem.code, problem.message) == ("MYL215", "Mine has no Conv 2D ('conv')")
    assert "it has Dense" in problem.hint


def test_a_window_too_wide_and_a_bias(tmp_path: Path) -> None:
    text = '[[projection]]\ntypes = ["projection.conv2d"]\nmost = { window = 3 }\nonly = { bias = [false] }\n'
    d = convolved()
    set_param(d, d.find("conv"), "bias", True)
    target = chip_of(tmp_path, text + 'source = "a b"')
    problems = {p.at: p for p in broken(d, target)}
    assert problems["window"].message == "'conv': window is 5; Mine has at most 3"
    assert problems["window"].fix is None
    assert mended(d, target, problems["bias"])


def test_a_readout_that_projects(tmp_path: Path) -> None:
    text = '[limits]\noutputs = { max = 90, source = "a b" }\nhidden = { max = 90, source = "a b" }'
    d = net()
    d.connect(d.find("hidden"), "spikes", d.add("readout.spike_count"), "input")
    (problem,) = broken(d, chip_of(tmp_path, text))
    assert problem.code == "MYL216"
    assert problem.message.startswith("'hidden' is read out and projects on")
