"""Xylo: XyloSim does, spike for spike, what our whole numbers say; what the chip cannot take is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.arrays import drawn
from engine.document import Document
from engine.errors import MyelinError
from engine.export.freeze import freeze
from engine.export.frozen import Frozen
from engine.export.peers import installed
from engine.export.simulate import Signals, simulate
from engine.export.target import checked, get, options_of, verdict
from engine.export.targets._xylo.run import lost, run
from engine.export.targets._xylo.specified import HIGH, Specified, latencies, specify
from tests.compile.drawing import new_document, program_of, project, set_param
from tests.export.networks import GALLERY, network

xylosim = pytest.mark.skipif(not installed()["rockpool"], reason="`myelin peers install rockpool`")

XYLO: dict[str, Any] = {
    "integration": "exponential",
    "arrival": "decay",
    "reset": "subtract",
    "max_spikes": 31,
}
HALVES = float(1 / np.log(8 / 7)), float(1 / np.log(4 / 3))  # time constants in steps that are shifts of bits


def listener(**given: Any) -> Document:
    """Events -> hidden neurons in a loop, with biases -> more hidden neurons -> readouts that fire."""
    document = new_document()
    inputs = given.pop("inputs", 12)
    xylo = {**XYLO, "tau_mem": HALVES[0], "tau_syn": HALVES[1], **given}
    source = document.add("population.poisson", name="source", size=[inputs], rate=80.0)
    first = document.add("population.cuba", name="first", size=[20], **xylo)
    second = document.add("population.cuba", name="second", size=[10], **xylo)
    last = document.add("population.cuba", name="last", size=[5], **{**xylo, "max_spikes": 1})
    project(document, source, first, gain=1.0, bias=True)
    project(document, first, first, gain=0.3, lag=1)
    project(document, first, second, gain=0.7, name="on")
    project(document, second, last, gain=2.0)
    return document


def frozen_of(document: Document) -> Frozen:
    program = program_of(document)
    arrays = drawn(program)
    for own in arrays.values():
        if "offset" in own:
            own["offset"] = np.linspace(-0.02, 0.02, own["offset"].size, dtype=np.float32)
    return freeze(program, arrays)


def events(frozen: Frozen, mean: float = 0.1) -> Signals:
    ((source, shape),) = frozen.inputs.items()
    return {source: np.random.default_rng(0).poisson(mean, (80, *shape)).astype(np.float32)}


def errors(document: Document, chip: str = "audio2") -> list[str]:
    target = get("rockpool")
    found = checked(target, program_of(document), options_of(target, {"chip": chip}))
    return [f"{d.code} {d.message}" for d in found if d.severity == "error"]


@xylosim
@pytest.mark.parametrize("mean", [0.1, 20.0], ids=["usual", "saturated"])
def test_a_network_runs_in_xylosim(mean: float, tmp_path: Path) -> None:
    """Also where sums of 16 bits overflow and channels have more events than they take."""
    target = get("rockpool")
    options = options_of(target)
    deployed = target.convert(frozen_of(listener()), options).frozen
    inputs = events(deployed, mean)
    expected = target.predict(deployed, inputs, 90, options)
    assert len(expected) == 3
    assert all(signal.sum() > 5 for signal in expected.values())
    target.write(deployed, tmp_path, options)
    found = target.execute(tmp_path, deployed, inputs, 90, options)
    assert all(np.array_equal(found[source], expected[source]) for source in expected)


def test_quantising_moves_few_spikes() -> None:
    """Time constants that are shifts of bits stay; the rest of the cost is that of weights."""
    frozen = frozen_of(listener())
    deployed, conversions = specify(frozen)
    inputs = events(frozen)
    ours, theirs = simulate(frozen, inputs, 90), run(deployed, inputs, 90)
    for source, signal in theirs.items():
        assert np.mean(ours[source] != signal) < 0.15
        assert signal.sum() == pytest.approx(ours[source].sum(), rel=0.1)
    assert not any("keeps" in conversion.message for conversion in conversions)
    assert any("'last' comes 2 steps later" in conversion.message for conversion in conversions)


def test_potentials_are_in_their_own_unit() -> None:
    document = new_document()
    source = document.add("population.poisson", size=[4], rate=50.0)
    cells = document.add("population.cuba", size=[6], **XYLO)
    out = document.add("population.cuba_li", name="out", size=[3], tau_mem=HALVES[0], tau_syn=HALVES[1])
    project(document, source, cells, gain=1.0)
    project(document, cells, out)
    frozen = frozen_of(document)
    deployed, _ = specify(frozen)
    (output,) = (s for s in frozen.outputs if s.port == "v")
    inputs = events(frozen, 0.3)
    cells_spike = next(s for s in frozen.outputs if s.port == "spikes")
    theirs = run(deployed, inputs, 90)
    assert theirs[cells_spike].sum() > 20
    alone = simulate(frozen, inputs, 90)
    assert np.corrcoef(alone[output].ravel(), theirs[output].ravel())[0, 1] > 0.8


def test_what_decays_goes_towards_zero() -> None:
    x, dash = np.array([100, -100, 3, -3, 0, 1, -1]), np.full(7, 3)
    assert (x - lost(x, dash)).tolist() == [88, -87, 2, -2, 0, 0, 0]


def test_numbers_fit_the_chip() -> None:
    deployed, _ = specify(frozen_of(listener()))
    assert isinstance(deployed, Specified)
    for layer in (deployed.hidden, deployed.readout):
        assert layer is not None
        assert all(np.abs(matrix).max() <= 127 for matrix in layer.weights)
        assert 0 < layer.threshold.min() <= layer.threshold.max() <= HIGH


@pytest.mark.parametrize("name", GALLERY)
def test_what_xylo_cannot_do_is_named_for_the_gallery(name: str) -> None:
    target, program = get("rockpool"), network(name).program
    found = checked(target, program, options_of(target))
    assert verdict(found) == "impossible"
    spread = {op.id for op in program.of_role("projection") if op.smallest_delay != op.largest_delay}
    assert {node for d in found if d.code == "MYL286" for node in d.nodes} >= spread
    neurons = {op.id for op in program.of_role("population") if op.type != "population.poisson"}
    assert {node for d in found if d.code == "MYL285" for node in d.nodes} >= neurons


def test_every_limit_is_named() -> None:
    assert errors(listener()) == []
    assert any("17 input channels" in found for found in errors(listener(inputs=17)))
    assert any("resets by `zero`" in found for found in errors(listener(reset="zero", max_spikes=1)))
    assert any("tau_syn" in found for found in errors(listener(tau_syn=0.5)))
    wide = listener()
    many = wide.add("population.cuba", name="many", size=[70], **{**XYLO, "max_spikes": 1})
    first = next(key for key, node in wide.nodes.items() if node.name == "first")
    project(wide, first, many)
    assert any("75 readout neurons" in found for found in errors(wide))
    assert any("sends to 100 others" in found for found in errors(wide))
    assert not any("sends to" in found for found in errors(wide, "audio3"))
    assert any("75 readout neurons; Xylo Audio 3 has 32" in found for found in errors(wide, "audio3"))


def test_every_delay_is_named() -> None:
    late = listener()
    on = next(key for key, node in late.nodes.items() if node.name == "on")
    delays = late.add("delays.random", granularity="synapse", low=0.0, high=3.0)
    late.connect(delays, "delays", on, "delays")
    assert [found for found in errors(late) if found.startswith("MYL286")] == [
        "MYL286 'on' delays its spikes by up to 3 steps: Xylo has no delays"
    ]
    with pytest.raises(MyelinError, match="has different delays"):
        specify(frozen_of(late))


def test_steps_of_the_chip_stand_for_delays_of_one() -> None:
    assert latencies({"a": [("", 0), ("a", 1)], "b": [("a", 1)]}) == {"a": 0, "b": 0}
    assert latencies({"a": [("", 0)], "b": [("a", 0)], "c": [("b", 0)]}) == {"a": 0, "b": 1, "c": 2}
    with pytest.raises(MyelinError, match="do not fit"):
        latencies({"a": [("", 0), ("a", 2)]})
    with pytest.raises(MyelinError, match="do not fit"):
        latencies({"a": [("", 0)], "b": [("a", 0), ("", 0)]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("resistance", 1.7), ("v_th", 1.3), ("compare", ">"), ("max_spikes", 3), ("tau_mem", 20.0),
        ("tau_syn", 8.0), ("v_leak", 0.2), ("arrival", "add"), ("decay_input", True),
        ("integration", "exact"), ("current", "old"), ("reset", "none"),
    ],
)  # fmt: skip
def test_every_parameter_of_a_neuron_matters(name: str, value: Any) -> None:
    before, after = listener(), listener()
    key = next(key for key, node in after.nodes.items() if node.name == "last")
    set_param(after, key, name, value)
    assert told(before) != told(after) or numbers(before) != numbers(after)


def told(document: Document) -> list[str]:
    target = get("rockpool")
    return [d.message for d in checked(target, program_of(document), options_of(target))]


def numbers(document: Document) -> list[Any]:
    made = specify(frozen_of(document))[0]
    layer = made.readout
    assert layer is not None
    arrays = (*layer.weights, layer.threshold, layer.bias, layer.dash_syn, layer.dash_mem)
    return [[array.tolist() for array in arrays], layer.shifts, made.late]
