"""Loihi: Lava and lava-dl do, spike for spike, what our whole numbers say; what they cannot take is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.arrays import drawn
from engine.document import Document
from engine.errors import MyelinError
from engine.export.freeze import freeze
from engine.export.frozen import Frozen, Synapses
from engine.export.peers import installed
from engine.export.report import VERIFIED
from engine.export.simulate import simulate
from engine.export.target import checked, get, options_of, verdict
from engine.export.targets._loihi.deployed import LONGEST, deploy
from engine.export.targets._loihi.run import run
from engine.export.targets._through import pooling
from nodes.ops import NumpyOps
from tests.backend.graphs import random_document
from tests.compile.drawing import new_document, program_of, project
from tests.export.networks import GALLERY, Verified, network

lava = pytest.mark.skipif(not installed()["lava"], reason="`myelin peers install lava`")


def codes(target: str, document: Document) -> set[str]:
    chosen = get(target)
    return {
        d.code for d in checked(chosen, program_of(document), options_of(chosen)) if d.severity == "error"
    }


def chain(**given: Any) -> Document:
    """Random spikes -> LIF -> CuBa LIF, with delays per target and biases."""
    document = new_document()
    source = document.add("population.poisson", name="source", size=[12], rate=150.0)
    first = document.add("population.lif", name="first", size=[8], compare=">", **given)
    last = document.add("population.cuba", name="last", size=[5])
    project(document, source, first, gain=1.5, bias=True)
    late = project(document, first, last, gain=2.0)
    delays = document.add("delays.random", granularity="synapse", low=0.0, high=5.0)
    document.connect(delays, "delays", late, "delays")
    return document


def any_network(seed: int) -> Document:
    """Populations of Loihi's kinds with loops, delays of every granularity, biases and refractory times."""
    rng, document = Random(seed), new_document(seed=seed)
    senders = [document.add("population.poisson", size=[rng.randint(3, 9)], rate=200.0)]
    cells: list[str] = []
    for _ in range(rng.randint(2, 4)):
        cells.append(any_cells(rng, document))
        any_projection(rng, document, rng.choice(senders), cells[-1], least=0)
        senders.append(cells[-1])
    for _ in range(rng.randint(1, 3)):
        any_projection(rng, document, rng.choice(cells), rng.choice(cells), least=4)
    last = document.add("population.leaky_integrator", size=[2], tau_mem=rng.uniform(2.0, 30.0))
    any_projection(rng, document, rng.choice(cells), last, least=0)
    document.connect(last, "v", document.add("readout.softmax_sum"), "input")
    document.connect(cells[0], "v", document.add("readout.max_membrane"), "input")
    return document


def any_cells(rng: Random, document: Document) -> str:
    given: dict[str, Any] = {"size": [rng.randint(2, 6)], "compare": rng.choice([">", ">="])}
    given |= {"v_th": rng.uniform(0.5, 1.5), "reset": rng.choice(["zero", "value"]), "v_reset": -0.3}
    given |= {"refractory": rng.choice([0.0, 0.0, 3.0])}
    type = rng.choice(["lif", "cuba", "if"])
    if type != "if":
        given |= {"v_leak": rng.choice([0.0, 0.1]), "tau_mem": rng.uniform(2.0, 30.0)}
    if type == "cuba":
        given |= {"current": rng.choice(["old", "new"]), "arrival": rng.choice(["add", "scale", "decay"])}
    return document.add(f"population.{type}", **given)


def any_projection(rng: Random, document: Document, source: str, target: str, least: int) -> None:
    granularity = rng.choice(["synapse", "axonal", "dendritic", "projection"])
    given: dict[str, Any] = {"gain": rng.uniform(1.0, 3.0), "bias": rng.random() < 0.3}
    type = rng.choice(["dense", "dense", "sparse"])
    if type == "sparse":
        given |= {"probability": 0.6, "init": "constant"}
    node = document.add(f"projection.{type}", lag=rng.randint(0, 1), **given)
    document.connect(source, "spikes", node, "input")
    document.connect(node, "output", target, "input")
    if least or rng.random() < 0.7:
        spread: dict[str, Any] = {"low": float(least), "high": float(least + 5), "seed": rng.randint(0, 99)}
        delays = document.add("delays.random", granularity=granularity, **spread)
        document.connect(delays, "delays", node, "delays")


def frozen_of(document: Document) -> Frozen:
    program = program_of(document)
    return freeze(program, drawn(program))


@lava
@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_runs_in_lava(name: str, verified: Callable[..., Verified]) -> None:
    """Quantising moves few spikes; where a network is chaotic, its rate stays."""
    report = verified("lava", name).report
    assert report.status == VERIFIED
    for cost in (cost for cost in report.cost if cost.spikes):
        assert cost.differing <= 0.04 * cost.values
        assert cost.theirs == pytest.approx(cost.ours, rel=0.2)


@lava
@pytest.mark.parametrize("seed", range(4))
def test_any_network_runs_as_predicted(seed: int, tmp_path: Path) -> None:
    target = get("lava")
    options = options_of(target)
    program = program_of(any_network(seed))
    assert verdict(checked(target, program, options)) == "partial"
    deployed = target.convert(freeze(program, drawn(program)), options).frozen
    rng = np.random.default_rng(seed)
    inputs = {s: (rng.random((40, *shape)) < 0.3).astype(np.float32) for s, shape in deployed.inputs.items()}
    expected = target.predict(deployed, inputs, 60, options)
    assert sum(signal.any() for signal in expected.values()) > 1
    target.write(deployed, tmp_path, options)
    found = target.execute(tmp_path, deployed, inputs, 60, options)
    assert expected.keys() == found.keys()
    assert all(np.array_equal(found[source], expected[source]) for source in expected)


@lava
def test_a_chain_runs_in_lava_dl(tmp_path: Path) -> None:
    """Delays per synapse, biases, two time constants, and counts as input."""
    target = get("netx")
    options = options_of(target)
    deployed = target.convert(frozen_of(chain()), options).frozen
    (source,) = deployed.inputs
    inputs = {source: np.random.default_rng(0).poisson(0.4, (40, 12)).astype(np.float32)}
    expected = target.predict(deployed, inputs, 40, options)
    assert all(x.sum() > 10 for x in expected.values())
    target.write(deployed, tmp_path, options)
    found = target.execute(tmp_path / "network.net", deployed, inputs, 40, options)
    assert all(np.array_equal(found[key], expected[key]) for key in expected)


@lava
def test_what_pools_and_flattens_becomes_weights(tmp_path: Path) -> None:
    """Convolution, batch norm, pool, flatten; the current that v sees is the old one, a step later."""
    document = new_document()
    nodes = [
        document.add("population.poisson", size=[2, 8, 8], rate=100.0),
        document.add("projection.conv2d", channels=3, window=3, stride=2, bias=True, gain=2.0),
        document.add("structure.batch_norm"),
        document.add("population.lif"),
        document.add("structure.pool", mode="mean"),
        document.add("structure.flatten"),
        document.add("projection.dense", gain=3.0),
        document.add("population.cuba", size=[5], current="old"),
    ]
    for before, after in pairwise(nodes):
        port = "spikes" if document.nodes[before].type.startswith("population") else "output"
        document.connect(before, port, after, "input")
    target, frozen = get("lava"), frozen_of(document)
    options = options_of(target)
    assert verdict(checked(target, frozen.program, options)) == "partial"
    (source,) = frozen.inputs
    inputs = {source: (np.random.default_rng(0).random((40, 2, 8, 8)) < 0.2).astype(np.float32)}
    deployed, conversions = deploy(frozen)
    assert any("worked into the weights" in conversion.message for conversion in conversions)
    ours, expected = simulate(frozen, inputs, 50), run(deployed, inputs, 50)
    for output, signal in expected.items():
        assert np.mean(ours[output] != signal) < 0.03
        assert signal.any()
    target.write(deployed, tmp_path, options)
    found = target.execute(tmp_path, deployed, inputs, 50, options)
    assert all(np.array_equal(found[output], expected[output]) for output in expected)


@pytest.mark.parametrize("shape", [(7,), (2, 5), (3, 5, 4)])
@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_pools_are_matrices(shape: tuple[int, ...], mode: str) -> None:
    x = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    pooled = NumpyOps().pool(x, 2, max(1, len(shape) - 1), mode)
    np.testing.assert_allclose(pooling(shape, 2, mode) @ x.ravel(), np.ravel(pooled), atol=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_not_named_can_be_converted(seed: int) -> None:
    target = get("lava")
    program = program_of(random_document(Random(seed)) if seed % 2 else any_network(seed))
    if verdict(checked(target, program, options_of(target))) != "impossible":
        deploy(freeze(program, drawn(program)))


def test_quantising_is_the_only_change() -> None:
    """Weights on the grid and a decay of 1/2: Loihi does what was drawn, spike for spike."""
    document = new_document()
    source = document.add("population.poisson", size=[20], rate=100.0)
    tau = float(1 / np.log(2))
    cells = document.add("population.lif", size=[10], tau_mem=tau, reset="value", compare=">")
    project(document, source, cells, init="constant", gain=0.3, sign="any", delay=2.0)
    frozen = frozen_of(document)
    (given,) = frozen.inputs
    stimulus = {given: (np.random.default_rng(0).random((300, 20)) < 0.1).astype(np.float32)}
    deployed, conversions = deploy(frozen)
    drawn_spikes = simulate(frozen, stimulus, 300)
    found = run(deployed, stimulus, 300)
    (output,) = frozen.outputs
    assert drawn_spikes[output].sum() > 100
    assert np.array_equal(found[output], drawn_spikes[output])
    assert not any("keeps" in conversion.message for conversion in conversions)


def test_latency_is_put_back_in_time() -> None:
    deployed, conversions = deploy(frozen_of(chain()))
    assert [cells.late for cells in deployed.cells] == [1, 2]
    assert any("'last' comes 2 steps later" in conversion.message for conversion in conversions)


def test_long_delays_are_cut_and_counted() -> None:
    document = new_document()
    source = document.add("population.poisson", size=[3], rate=100.0)
    cells = document.add("population.lif", size=[3], name="cells")
    project(document, source, cells, name="late", delay=80.0)
    deployed, conversions = deploy(frozen_of(document))
    assert deployed.wires[0].delay.max() == LONGEST
    assert any("9 of 9 delays of 'late' are cut to 62 steps" in c.message for c in conversions)
    target = get("lava")
    assert "MYL274" in {d.code for d in checked(target, program_of(document), options_of(target))}


def test_what_loihi_cannot_do_is_named() -> None:
    assert codes("lava", chain(reset="subtract")) == {"MYL272"}
    assert codes("lava", chain(reset="subtract", reset_step="next")) == {"MYL272"}
    assert codes("lava", chain(train=["tau_mem"])) == {"MYL272"}
    fast = chain()
    back = [key for key, node in fast.nodes.items() if node.name in ("first", "last")]
    project(fast, back[1], back[0], lag=1)
    assert codes("lava", fast) == {"MYL273"}
    other = new_document()
    cells = other.add("population.izhikevich", size=[2])
    project(other, other.add("population.poisson", size=[2]), cells)
    assert codes("lava", other) == {"MYL271"}


def test_a_signal_that_is_not_read_from_the_chip_is_named() -> None:
    document = chain()
    last = next(key for key, node in document.nodes.items() if node.name == "last")
    document.connect(last, "i", document.add("readout.max_membrane"), "input")
    assert codes("lava", document) == {"MYL271"}


def test_lava_dl_names_what_is_no_chain() -> None:
    for name in ("coincidence", "ei-network"):
        target = get("netx")
        found = checked(target, network(name).program, options_of(target))
        assert "MYL278" in {d.code for d in found}
    assert codes("netx", chain(refractory=3.0)) == {"MYL272"}
    assert codes("netx", chain()) == set()


def test_currents_that_are_no_counts_are_refused() -> None:
    frozen = frozen_of(chain())
    deployed, _ = deploy(frozen)
    (source,) = frozen.inputs
    with pytest.raises(MyelinError, match="fractions"):
        run(deployed, {source: np.full((3, 12), 0.5)}, 3)


def test_every_weight_matters() -> None:
    """A weight that changes by more than the grid changes what is written."""
    frozen = frozen_of(chain())
    before = deploy(frozen)[0]
    one = frozen.synapses[0]
    weight = one.weight.copy()
    weight[0] += 0.1 * np.abs(weight).max()
    parts = [
        replace(p, weight=weight) if isinstance(p, Synapses) and p.id == one.id else p for p in frozen.parts
    ]
    after = deploy(frozen.with_parts(parts))[0]
    assert any(not np.array_equal(a.weight, b.weight) for a, b in zip(before.wires, after.wires, strict=True))
