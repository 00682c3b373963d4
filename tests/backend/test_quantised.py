"""Quantised networks: grids against torch's own fake quantisation, evaluation, training, state."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arrays import Arrays, names_by_op, tensor_key
from engine.backend import checkpoint, evaluation
from engine.backend.network import Network
from engine.backend.quantised import straight
from engine.errors import MyelinError
from engine.export.quantise import Quantisation, channels, deployed, neuron_grid, range_grid, weight_grid
from tests.backend import learning
from tests.backend.graphs import everything, network_of, random_document, random_inputs, scramble
from tests.compile.drawing import program_of

pytestmark = pytest.mark.filterwarnings("ignore:.* was deprecated in Matplotlib:DeprecationWarning")


def both(x: torch.Tensor, function: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Values, and the gradient of their sum of products with 1, 2, 3 ..."""
    leaf = x.clone().requires_grad_()
    y = function(leaf)
    (y * torch.arange(1.0, y.numel() + 1).reshape(y.shape)).sum().backward()
    assert leaf.grad is not None
    return y.detach(), leaf.grad


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_values_and_gradients_are_those_of_torch_per_tensor(bits: int) -> None:
    x = torch.randn(40, 30, generator=torch.Generator().manual_seed(bits))
    grid = weight_grid(x.numpy(), bits, "mse")
    low, high, scale = grid.low, grid.high, float(grid.scale)
    ours = both(x, lambda w: straight(w, grid))
    theirs = both(x, lambda w: torch.fake_quantize_per_tensor_affine(w, scale, 0, low, high))
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])
    assert bits > 4 or (ours[1] == 0).any(), "nothing was clipped"


@pytest.mark.parametrize("shape", [(6, 50), (4, 3, 5), (4, 2, 3, 3)])
def test_values_and_gradients_are_those_of_torch_per_channel(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(3)) * torch.arange(
        1.0, shape[0] + 1
    ).reshape(-1, *[1] * (len(shape) - 1))
    grid = weight_grid(x.numpy(), 3, "mse", channels(shape, None))
    scale, zero = torch.from_numpy(grid.scale.ravel()), torch.zeros(shape[0], dtype=torch.int32)
    ours = both(x, lambda w: straight(w, grid))
    theirs = both(x, lambda w: torch.fake_quantize_per_channel_affine(w, scale, zero, 0, grid.low, grid.high))
    assert len(set(scale.tolist())) == shape[0]
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])


def test_the_backend_rounds_to_the_bit_as_the_leaf_does() -> None:
    x = torch.randn(1000, generator=torch.Generator().manual_seed(1)) * 30
    for grid in (weight_grid(x.numpy(), 5), neuron_grid(x.numpy(), 5), range_grid(20.0, 5)):
        assert np.array_equal(straight(x, grid).numpy(), grid.rounded(x.numpy()))


def arrays_of(network: Network) -> dict[str, dict[str, np.ndarray]]:
    names = names_by_op(network.program, network.declared)
    return {
        op: {name: network.tensor(tensor_key(op, name)).detach().numpy() for name in own}
        for op, own in names.items()
    }


def put(network: Network, arrays: Arrays) -> None:
    with torch.no_grad():
        for op, own in arrays.items():
            for name, value in own.items():
                network.tensor(tensor_key(op, name)).copy_(torch.from_numpy(np.asarray(value)))
    network.eval()


def drawn(seed: int, q: Quantisation) -> Network:
    network = network_of(random_document(Random(seed)))
    scramble(network, seed)
    network.quantisation = q
    network.eval()
    return network


def extent(network: Network, steps: int) -> dict[str, int]:
    """A whole sequence, also where nothing comes from outside."""
    return {"steps": steps + network.program.tail, "end": steps, "batch": 2}


def measured(network: Network, seed: int, steps: int = 30) -> None:
    """Let the network find out how large its state gets."""
    with network.measuring(), torch.no_grad():
        network.run(random_inputs(network.program, steps, 2, seed), **extent(network, steps))


@torch.no_grad()
def signals_of(network: Network, seed: int, steps: int = 30) -> dict[Any, torch.Tensor]:
    inputs = random_inputs(network.program, steps, 2, seed)
    return network.run(inputs, keep=everything(network.program), **extent(network, steps)).signals


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), per=st.sampled_from(["tensor", "channel"]), bits=st.integers(2, 6))
def test_deployed_arrays_run_as_the_quantised_network(seed: int, per: str, bits: int) -> None:
    """What ``deployed`` says in numpy is what an evaluation reads; quantising it again changes nothing."""
    q = Quantisation(weights=bits, per=per, neurons=bits, delays=2)
    network = drawn(seed, q)
    wanted = signals_of(network, seed)
    put(network, deployed(network.program, arrays_of(network), q))
    again = signals_of(network, seed)
    network.quantisation = Quantisation()
    network.eval()
    plain = signals_of(network, seed)
    for source, signal in wanted.items():
        assert torch.equal(signal, again[source])
        assert torch.equal(signal, plain[source])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 29), max_size=4), bits=st.integers(2, 8))
def test_a_rounded_state_is_chunk_invariant(seed: int, cuts: list[int], bits: int) -> None:
    network = drawn(seed, Quantisation(state=bits, weights=4))
    measured(network, seed)
    inputs = random_inputs(network.program, 30, 2, seed)
    total, keep = 30 + network.program.tail, everything(network.program)
    whole = signals_of(network, seed)
    ends, state, pieces = sorted({*cuts, total}), None, []
    for start, end in zip([0, *ends], ends, strict=False):
        part = {source: x[start:end] for source, x in inputs.items()}
        with torch.no_grad():
            result = network.run(part, state, steps=end - start, end=30, batch=2, keep=keep)
        state = result.state
        pieces.append(result.signals)
    for source, signal in whole.items():
        assert torch.equal(signal, torch.cat([p[source] for p in pieces])), source


def tiny(path: Path, **recipe: Any) -> Network:
    return Network(program_of(learning.document(learning.write_data(path), **recipe)))


def test_what_a_neuron_keeps_is_on_its_grid(tmp_path: Path) -> None:
    network = tiny(tmp_path, quantise_state=4)
    measured(network, 0)
    (cells, _) = network.program.of_role("population")
    with torch.no_grad():
        state = network.run(random_inputs(network.program, 9, 3, 0), steps=9).state
    kept, grid = state.of(cells.id)["v"].numpy(), range_grid(network.ranges[cells.id]["v"], 4)
    assert np.array_equal(kept, grid.rounded(kept))
    assert len(np.unique(kept)) > 2


def test_a_state_whose_range_nobody_knows_is_not_run_unrounded(tmp_path: Path) -> None:
    network = tiny(tmp_path, quantise_state=4).eval()
    with pytest.raises(MyelinError, match="nobody has measured yet how large"):
        network.run(random_inputs(network.program, 9, 3, 0))


def spikes(network: Network) -> torch.Tensor:
    (cells, _) = network.program.of_role("population")
    found = [
        x for source, x in signals_of(network, 0).items() if source.op == cells.id and source.port == "spikes"
    ]
    return found[0]


def test_many_bits_are_as_good_as_none_and_few_are_not(tmp_path: Path) -> None:
    network = tiny(tmp_path).eval()
    plain = spikes(network)
    assert plain.sum() > 20
    differing = {}
    for bits in (16, 2):
        network.quantisation = Quantisation(weights=bits, neurons=bits, state=bits)
        measured(network, 0)
        differing[bits] = int((spikes(network) != plain).sum())
    assert differing[16] <= 2
    assert differing[2] > 20


@pytest.mark.parametrize("recipe", [{"quantise_weights": 3}, {"quantise_state": 5}, {"quantise_delays": 1}])
def test_training_sees_what_is_quantised(tmp_path: Path, recipe: dict[str, int]) -> None:
    """Other losses than without, gradients to everything that is learned."""
    inputs, losses = random_inputs(tiny(tmp_path).program, 20, 4, 0), {}
    for name, chosen in (("plain", {}), ("quantised", recipe)):
        network = tiny(tmp_path, **chosen).train()
        keep = everything(network.program)
        for _ in range(2):  # the first lets the state show its range
            signals = network.run(inputs, keep=keep).signals
        (loss,) = network.losses(signals, torch.eye(learning.CLASSES)).values()
        loss.sum().backward()
        losses[name] = float(loss.detach().sum())
        reached = [key for key, p in network.learned.items() if p.grad is not None and p.grad.abs().sum() > 0]
        assert len(reached) == len(network.learned)
    assert losses["plain"] != losses["quantised"]


def test_a_quantised_training_learns_and_its_checkpoint_knows_the_state(tmp_path: Path) -> None:
    given = {"epochs": 6, "quantise_weights": 3, "quantise_state": 6, "quantise_delays": 2}
    document = learning.document(learning.write_data(tmp_path), **given)
    network, metrics = learning.learn(document, tmp_path)
    assert metrics["test_accuracy"] > 0.5
    assert len(network.ranges) == 2
    other = Network(program_of(document))
    checkpoint.read(other, tmp_path / "checkpoint.safetensors")
    assert other.ranges == network.ranges
    put(network, arrays_of(network))
    other.eval()
    assert torch.equal(spikes(network), spikes(other))


def test_a_resumed_quantised_training_is_the_same_to_the_bit(tmp_path: Path) -> None:
    curves = []
    for parts in ((3,), (1, 3)):
        out = tmp_path / str(len(parts))
        out.mkdir()
        for epochs in parts:
            fixed = {"quantise_weights": 3, "quantise_state": 6, "delay_schedule": "constant"}
            document = learning.document(learning.write_data(tmp_path), epochs=epochs, **fixed)
            document.edit(
                "width", [{"op": "set", "path": ["nodes", "n4", "params", "sigma_duration"], "value": 0.0}]
            )
            network, _ = learning.learn(document, out, resume=epochs != parts[0])
        curves.append((arrays_of(network), network.ranges))
    assert curves[0][1] == curves[1][1]
    for op, own in curves[0][0].items():
        for name, value in own.items():
            assert np.array_equal(value, curves[1][0][op][name]), (op, name)


@pytest.mark.parametrize(("setting", "bits"), [("quantise_weights", 1), ("quantise_state", 1)])
def test_one_bit_is_refused_in_words(tmp_path: Path, setting: str, bits: int) -> None:
    with pytest.raises(MyelinError, match=f"{setting} takes 2 to 16 bits, or 0 for none, not 1"):
        tiny(tmp_path, **{setting: bits})


def test_a_probe_records_the_weights_that_run(tmp_path: Path) -> None:
    document = learning.document(learning.write_data(tmp_path), quantise_weights=2)
    probe = document.add("probe.weights", name="w")
    document.connect("n2", "output", probe, "input")
    network = Network(program_of(document))
    inputs = random_inputs(network.program, 5, 1, 0)
    found = evaluation.simulate(network, inputs, steps=None)["w"]
    assert len(np.unique(np.abs(found))) == 2
