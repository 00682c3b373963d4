"""The executor on its own: every node in any chunks, input that ends or not, current from outside, losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backend.network import STIMULUS, Network
from engine.backend.state import State
from engine.document import Document
from engine.program import Source
from nodes import registry
from nodes.spec import Node, Values
from tests.backend.graphs import everything, network_of, random_inputs
from tests.backend.interpreter import interpret
from tests.backend.test_interpreter import assert_equal_to_reference, assert_same_bits, chunked, whole
from tests.compile.drawing import new_document, project, set_param

STEPS = 12
RUNNING = {
    type: spec
    for type, spec in registry.all().items()
    if spec.role in ("population", "projection", "encoder", "structure", "readout")
}
SHAPES = {"projection.conv1d": [2, 5], "projection.conv2d": [2, 4, 4], "projection.pool": [1, 4, 4]}


FIRING: dict[str, dict[str, Any]] = {
    "encoder.poisson": {"max_rate": 1000.0},
    "encoder.latency": {"t_max": 4.0},
    "encoder.threshold": {"threshold": 0.3},
    "population.poisson": {"rate": 900.0},
    "population.izhikevich": {"v_init": -40.0},
}


def source_of(d: Document, kinds: tuple[str, ...], shape: list[int]) -> tuple[str, str]:
    """Something that gives one of these kinds in a shape."""
    if "spikes" in kinds or "potential" in kinds:
        cells = d.add("population.lif", size=shape)
        d.connect(d.add("encoder.direct", offset=0.3), "output", cells, "input")
        return cells, "spikes" if "spikes" in kinds else "v"
    if "current" in kinds:
        return d.add("encoder.direct", offset=1.1, size=shape), "output"
    return d.add("dataset.csv", channels=shape[0]), "data"


def alone(spec: type[Node]) -> Document:
    """A document in which a node of this type has what it needs."""
    d = new_document(dt=0.5)
    shape = SHAPES.get(spec.type, [3])
    own = FIRING.get(spec.type, {}) | ({"window": 2} if "window" in spec.params else {})
    node = d.add(spec.type, **own, **({"size": shape} if "size" in spec.params else {}))
    for port, declared in spec.inputs.items():
        if port not in ("delays", "rule"):
            here, out = source_of(d, declared.kinds, shape)
            d.connect(here, out, node, port)
    if spec.role in ("projection", "encoder", "structure"):
        kind = next(iter(spec.outputs.values())).kinds[0]
        target = d.add("population.cuba", **({} if kind == "current" else {"size": [2]}))
        port = next(iter(spec.outputs))
        d.connect(node, port, target, "input") if kind == "current" else project(d, node, target, port)
    return d


def parts(lengths: list[int]) -> Iterator[int]:
    """The lengths, cut or filled up to the number of steps."""
    left = STEPS
    for length in [*lengths, STEPS]:
        if left:
            yield min(length, left)
            left -= min(length, left)


@pytest.mark.parametrize("type", RUNNING)
@settings(max_examples=5)
@given(st.lists(st.integers(1, 5), max_size=6))
def test_every_node_in_any_chunks(type: str, lengths: list[int]) -> None:
    network = network_of(alone(RUNNING[type]))
    inputs = random_inputs(network.program, STEPS, 2, 3)
    result = whole(network, inputs, None, STEPS, 2)
    assert_same_bits(chunked(network, inputs, None, list(parts(lengths)), 2), result)
    reference = interpret(network, {s: x.numpy() for s, x in inputs.items()}, steps=STEPS, batch=2)
    assert_equal_to_reference(network, result, reference)
    keys = [source for source in result.signals if network.program.ops[source.op].type == type]
    assert any(bool(result.signals[source].any()) for source in keys)


def pair(**given: Any) -> tuple[Network, Source, Source, str]:
    """Two spikes trains into a neuron through a projection: (network, input, spikes, neuron)."""
    d = new_document()
    data = d.add("dataset.spikes_npz", channels=2, pool=1, classes=2)
    cells = d.add("population.lif", size=[1], tau_mem=1e6, v_th=1e3)
    project(d, data, cells, port="data", init="constant", gain=1.0, **given)
    return network_of(d), Source(data, "data"), Source(cells, "v"), cells


@torch.no_grad()
def test_input_is_zero_beyond_its_end_and_the_network_runs_on() -> None:
    network, data, v, _ = pair(delay=4.0)
    result = network.run({data: torch.ones(2, 1, 2)}, steps=10, keep=[v])
    assert result.signals[v].shape == (10, 1, 1)
    assert result.signals[v][:, 0, 0].tolist() == pytest.approx([0, 0, 0, 0, 2, 4, 4, 4, 4, 4], abs=1e-3)
    assert result.state.step == 10


@torch.no_grad()
def test_whole_sequences_last_as_long_as_their_tail() -> None:
    d = new_document()
    data, cells = (
        d.add("dataset.spikes_npz", channels=2, pool=1, classes=2),
        d.add("population.lif", size=[1]),
    )
    projection = project(d, data, cells, port="data")
    d.connect(d.add("delays.fixed", delay=3.0, extend=3.0), "delays", projection, "delays")
    network, spikes = network_of(d), Source(cells, "spikes")
    result = network.run({Source(data, "data"): torch.ones(5, 2, 2)}, keep=[spikes, Source(data, "data")])
    assert result.signals[spikes].shape == (8, 2, 1)
    assert result.signals[Source(data, "data")].shape == (5, 2, 2)
    assert set(result.state.values) == {cells}


@torch.no_grad()
def test_current_from_outside_adds_to_that_of_projections() -> None:
    network, data, v, cells = pair()
    outside = {data: torch.ones(3, 1, 2), Source(cells, STIMULUS): torch.full((3, 1, 1), 0.5)}
    assert network.run(outside, steps=3, keep=[v]).signals[v][:, 0, 0].tolist() == pytest.approx(
        [2.5, 5, 7.5], abs=1e-3
    )


@torch.no_grad()
def test_current_from_outside_enters_a_loop() -> None:
    d = new_document()
    cells = d.add("population.if", size=[1], v_th=1.0)
    project(d, cells, cells, delay=2.0, init="constant", gain=1.0)
    network, spikes = network_of(d), Source(cells, "spikes")
    kick = torch.zeros(1, 1, 1) + 1.0
    result = network.run({Source(cells, STIMULUS): kick}, steps=9, keep=[spikes])
    assert result.signals[spikes][:, 0, 0].tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 1]


@torch.no_grad()
def test_a_changed_tensor_counts_after_eval() -> None:
    network, data, v, _ = pair(delay=0.0)
    once = network.run({data: torch.ones(1, 1, 2)}, keep=[v]).signals[v]
    (key,) = [key for key in network.declared if key.endswith(":weight")]
    network.tensor(key).mul_(3)
    network.eval()
    assert torch.allclose(network.run({data: torch.ones(1, 1, 2)}, keep=[v]).signals[v], 3 * once, rtol=1e-4)


@torch.no_grad()
def test_a_state_can_be_run_from_twice() -> None:
    network, data, v, _ = pair(delay=2.0)
    state = network.run({data: torch.ones(4, 1, 2)}, State(), steps=4).state
    first = network.run({data: torch.ones(4, 1, 2)}, state, steps=4, keep=[v])
    second = network.run({data: torch.ones(4, 1, 2)}, state, steps=4, keep=[v])
    assert torch.equal(first.signals[v], second.signals[v])
    assert state.step == 4


def test_long_sequences_give_the_gradients_of_short_memory() -> None:
    """Beyond 16 steps states are computed again in the backward pass; the gradient stays the same."""
    from engine.backend import scan

    grads = []
    for segment in (16, 1000):
        d = new_document()
        data, cells = (
            d.add("dataset.spikes_npz", channels=3, pool=1, classes=2),
            d.add("population.lif", size=[4]),
        )
        project(d, data, cells, port="data", delay=2.0)
        network = network_of(d).train()
        spikes, x = Source(cells, "spikes"), random_inputs(network.program, 50, 2, 1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scan, "SEGMENT", segment)
            network.run(x, keep=[spikes]).signals[spikes].sum().backward()
        grads.append([p.grad.clone() for p in network.parameters() if p.grad is not None])
    assert grads[0]
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b)
        assert a.any()


def test_losses_are_weighted_and_keep_apart_under_one_name() -> None:
    d = new_document()
    cells = d.add("population.poisson", size=[2], rate=500.0)
    for weight in (1.0, 3.0):
        loss = d.add("loss.spike_rate", name="rate", weight=weight, high=1.0)
        d.connect(cells, "spikes", loss, "input")
    network, spikes = network_of(d), Source(cells, "spikes")
    found = network.losses(network.run({}, steps=50, batch=2, keep=[spikes]).signals, None)
    a, b = found.values()
    assert a.shape == (2,)
    assert torch.allclose(3 * a, b)


def test_learning_delays_of_a_huge_sparse_projection_is_refused_with_a_sentence() -> None:
    d = new_document()
    data, cells = (
        d.add("dataset.spikes_npz", channels=5000, pool=1, classes=2),
        d.add("population.lif", size=[5000]),
    )
    sparse, late = d.add("projection.sparse", probability=1e-5), d.add("delays.learnable")
    d.connect(data, "data", sparse, "input")
    d.connect(late, "delays", sparse, "delays")
    d.connect(sparse, "output", cells, "input")
    network = network_of(d).train()
    with pytest.raises(ValueError, match="can be trained"):
        network.run({Source(data, "data"): torch.zeros(2, 1, 5000)})
    network.eval()
    assert network.run({Source(data, "data"): torch.zeros(2, 1, 5000)}).state.step >= 2


def test_reading_values_by_attribute_names_what_is_missing() -> None:
    with pytest.raises(AttributeError, match="tau"):
        _ = Values().tau


def test_everything_lists_all_signals() -> None:
    network, _, v, cells = pair()
    assert {v, Source(cells, "spikes")} <= set(everything(network.program))
    assert np.prod(network.program.ops[cells].shapes["v"]) == 1


def test_parameters_can_be_set_in_a_document(tmp_path: object) -> None:
    d = new_document()
    cells = d.add("population.lif", size=[1])
    set_param(d, cells, "v_th", 2.0)
    assert network_of(d).program.ops[cells].p.v_th == 2.0
