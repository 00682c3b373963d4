"""Loihi: Lava and lava-dl do, spike for spike, what our whole numbers say; what they cannot take is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from engine.export.targets._loihi import LONGEST, deploy
from engine.export.targets._loihi_run import run
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
@pytest.mark.parametrize("seed", [31, 72, 137, 243])
def test_any_network_runs_as_predicted(seed: int, tmp_path: Path) -> None:
    target, rng = get("lava"), np.random.default_rng(seed)
    options = options_of(target)
    program = program_of(random_document(Random(seed)))
    assert verdict(checked(target, program, options)) == "partial"
    deployed = target.convert(freeze(program, drawn(program)), options).frozen
    inputs = {s: (rng.random((40, *shape)) < 0.3).astype(np.float32) for s, shape in deployed.inputs.items()}
    expected = target.predict(deployed, inputs, 60, options)
    target.write(deployed, tmp_path, options)
    found = target.execute(tmp_path, deployed, inputs, 60, options)
    assert expected
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


@pytest.mark.parametrize("seed", range(40))
def test_what_is_not_named_can_be_converted(seed: int) -> None:
    target = get("lava")
    program = program_of(random_document(Random(seed)))
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
