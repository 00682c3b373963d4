"""Speck: sinabs does, spike for spike, what our whole numbers say; what the chip cannot take is named."""

from __future__ import annotations

from itertools import pairwise
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
from engine.export.simulate import simulate
from engine.export.target import checked, get, options_of, verdict
from engine.export.targets._speck.mapped import Mapped, cores, mapped, run
from tests.compile.drawing import new_document, program_of, set_param
from tests.export.networks import GALLERY, network

sinabs = pytest.mark.skipif(not installed()["sinabs"], reason="`myelin peers install sinabs`")


def vision(reset: str = "subtract", mode: str = "mean", window: int = 2, **given: Any) -> Document:
    """Events -> convolution with biases -> pool -> convolution, batch norm -> dense, and a decision."""
    document = new_document()
    nodes = [
        document.add("population.poisson", size=[2, 12, 12], rate=100.0),
        document.add(
            "projection.conv2d", name="first", window=3, padding=1, bias=True, **{"channels": 6, **given}
        ),
        document.add("population.if", name="edges", reset=reset, max_spikes=9 if reset == "subtract" else 1),
        document.add("structure.pool", name="pool", window=window, mode=mode),
        document.add("projection.conv2d", channels=8, window=3, stride=2),
        document.add("structure.batch_norm"),
        document.add("population.if", name="shapes", reset=reset),
        document.add("structure.flatten"),
        document.add("projection.dense", gain=5.0),
        document.add("population.if", name="classes", size=[5], reset=reset),
        document.add("readout.spike_count", name="votes"),
    ]
    for before, after in pairwise(nodes):
        port = "spikes" if document.nodes[before].type.startswith("population") else "output"
        document.connect(before, port, after, "input")
    return document


def frozen_of(document: Document) -> Frozen:
    program = program_of(document)
    return freeze(program, drawn(program))


def events(frozen: Frozen) -> dict[Any, np.ndarray]:
    ((source, shape),) = frozen.inputs.items()
    return {source: np.random.default_rng(0).poisson(0.2, (40, *shape)).astype(np.float32)}


def errors(document: Document) -> list[str]:
    target = get("sinabs")
    found = checked(target, program_of(document), options_of(target))
    return [f"{d.code} {d.message}" for d in found if d.severity == "error"]


@sinabs
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_a_vision_network_runs_on_speck(reset: str, tmp_path: Path) -> None:
    target = get("sinabs")
    options = options_of(target)
    deployed = target.convert(frozen_of(vision(reset)), options).frozen
    inputs = events(deployed)
    expected = target.predict(deployed, inputs, 50, options)
    assert len(expected) == 4
    assert all(signal.any() for signal in expected.values())
    target.write(deployed, tmp_path, options)
    found = target.execute(tmp_path, deployed, inputs, 50, options)
    assert all(np.array_equal(found[source], expected[source]) for source in expected)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_quantising_moves_few_spikes(reset: str) -> None:
    frozen = frozen_of(vision(reset))
    deployed, conversions = mapped(frozen)
    inputs = events(frozen)
    ours, theirs = simulate(frozen, inputs, 50), run(deployed, inputs, 50)
    edges = next(source for source in frozen.outputs if frozen.name(source) == "edges.spikes")
    assert np.mean(ours[edges] != theirs[edges]) < 0.02
    assert any("8-bit" in conversion.message for conversion in conversions)
    assert any("several times in a step" in c.message for c in conversions) == (reset == "subtract")


def test_the_largest_weight_is_the_largest_number() -> None:
    """Then sinabs' own discretisation finds nothing to scale."""
    deployed, _ = mapped(frozen_of(vision()))
    assert isinstance(deployed, Mapped)
    for layer in deployed.layers:
        assert max(np.abs(layer.kernel).max(), np.abs(layer.bias).max()) == 127
    assert [layer.pool for layer in deployed.layers] == [2, 1, 1]


@pytest.mark.parametrize("name", GALLERY)
def test_what_speck_cannot_do_is_named_for_the_gallery(name: str) -> None:
    target, program = get("sinabs"), network(name).program
    found = checked(target, program, options_of(target))
    assert verdict(found) == "impossible"
    delayed = {op.id for op in program.of_role("projection") if op.delay}
    assert {node for d in found if d.code == "MYL281" for node in d.nodes} == delayed
    neurons = {op.id for op in program.of_role("population") if op.type != "population.poisson"}
    assert {node for d in found if d.code == "MYL280" for node in d.nodes} >= neurons


def test_every_limit_is_named() -> None:
    assert errors(vision()) == []
    assert any("takes the largest" in found for found in errors(vision(mode="max")))
    assert any("pools 3 wide" in found for found in errors(vision(window=3)))
    assert any("stride 3" in found for found in errors(vision(stride=3, window=1)))
    assert any("no core has both" in found for found in errors(vision(channels=1000)))
    loop = vision()
    cells = next(key for key, node in loop.nodes.items() if node.name == "classes")
    back = loop.add("projection.dense", lag=1)
    loop.connect(cells, "spikes", back, "input")
    loop.connect(back, "output", cells, "input")
    assert {found[:6] for found in errors(loop)} == {"MYL281", "MYL282"}


def test_cores_are_shared_out() -> None:
    assert cores([(1024, 65536), (65536, 1024), (1024, 1024)]) is not None
    assert cores([(65536, 1024)] * 2) is not None
    assert cores([(65536, 1024)] * 3) is None
    assert cores([(65536, 65536)]) is None


def test_a_window_that_is_not_square_is_refused() -> None:
    document = new_document()
    source = document.add("population.poisson", size=[1, 2, 3], rate=100.0)
    flat, dense = document.add("structure.flatten"), document.add("projection.dense")
    cells = document.add("population.if", size=[4])
    for before, port, after in ((source, "spikes", flat), (flat, "output", dense), (dense, "output", cells)):
        document.connect(before, port, after, "input")
    with pytest.raises(MyelinError, match="square"):
        mapped(frozen_of(document))


@pytest.mark.parametrize(
    ("name", "value"),
    [("resistance", 1.7), ("v_th", 1.3), ("compare", ">"), ("reset", "zero"), ("max_spikes", 3)],
)
def test_every_parameter_of_a_neuron_matters(name: str, value: Any) -> None:
    before, after = vision(), vision()
    key = next(key for key, node in after.nodes.items() if node.name == "shapes")
    set_param(after, key, name, value)
    assert told(before) != told(after) or numbers(before) != numbers(after)


def told(document: Document) -> list[str]:
    target = get("sinabs")
    return [d.message for d in checked(target, program_of(document), options_of(target))]


def numbers(document: Document) -> list[Any]:
    layers = mapped(frozen_of(document))[0].layers
    return [(layer.kernel.tolist(), layer.v_th, layer.subtract) for layer in layers]
