"""The executor against the step-by-step interpreter, and against itself in other chunks, on random graphs."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.backend.network import Network
from engine.backend.state import Result, State
from engine.program import Source
from tests.backend.graphs import everything, network_of, random_document, random_inputs, scramble
from tests.backend.interpreter import Run, interpret

STEPS = 14
SLOW_TO_DRAW = settings(
    max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def random_network(rng: Random) -> Network:
    network = network_of(random_document(rng))
    scramble(network, rng.randrange(1000))
    return network


@torch.no_grad()
def whole(
    network: Network, inputs: dict[Source, torch.Tensor], end: int | None, steps: int, batch: int
) -> Result:
    return network.run(inputs, steps=steps, end=end, batch=batch, keep=everything(network.program))


@torch.no_grad()
def chunked(
    network: Network, inputs: dict[Source, torch.Tensor], end: int | None, sizes: list[int], batch: int
) -> Result:
    """The same run in windows, the state carried from one to the next."""
    state, start = State(), 0
    pieces: dict[Source, list[torch.Tensor]] = {source: [] for source in everything(network.program)}
    for size in sizes:
        window = {source: x[start : start + size] for source, x in inputs.items()}
        result = network.run(window, state, steps=size, end=end, batch=batch, keep=list(pieces))
        state, start = result.state, start + size
        for source, signal in result.signals.items():
            pieces[source].append(signal)
    return Result({source: torch.cat(parts) for source, parts in pieces.items() if parts}, state)


def cuts(rng: Random, steps: int) -> Iterator[int]:
    while steps:
        size = rng.randint(1, min(steps, rng.choice([1, 3, 20])))
        yield size
        steps -= size


def assert_equal_to_reference(network: Network, result: Result, reference: Run) -> None:
    # errors of rounding grow with what projections sum: a potential of -65 mV counts 65 times a spike
    close = {
        "rtol": 1e-4,
        "atol": 1e-5 * max(1.0, *(float(np.abs(x).max(initial=0)) for x in potentials(reference))),
    }
    for source, expected in reference.signals.items():
        op = network.program.ops[source.op]
        found = result.signals[source].numpy()
        assert found.shape == expected.shape, (str(source), op.type)
        kind = op.spec.outputs[source.port].kinds[0]
        if kind == "spikes":
            np.testing.assert_array_equal(found, expected, err_msg=f"{source} {op.type}")
        else:
            np.testing.assert_allclose(found, expected, **close, err_msg=f"{source} {op.type}")
    for op, values in reference.state.items():
        for name, expected in values.items():
            found = result.state.of(op)[name].numpy()
            np.testing.assert_allclose(found, expected, **close, err_msg=f"{op} {name}")


def potentials(run: Run) -> list[np.ndarray]:
    return [x[np.abs(x) < 1e30] for x in run.signals.values()]


def assert_same_bits(found: Result, expected: Result) -> None:
    assert found.signals.keys() == expected.signals.keys()
    for source, signal in expected.signals.items():
        assert torch.equal(found.signals[source], signal), source
    assert found.state.step == expected.state.step
    assert found.state.values.keys() == expected.state.values.keys()
    for op, values in expected.state.values.items():
        assert found.state.values[op].keys() == values.keys(), op
        for name, value in values.items():
            assert torch.equal(found.state.values[op][name], value), (op, name)


@SLOW_TO_DRAW
@given(st.integers(0, 10**9), st.integers(1, 3), st.booleans())
def test_executor_equals_interpreter_in_any_chunks(seed: int, batch: int, ends: bool) -> None:
    rng = Random(seed)
    network = random_network(rng)
    inputs = random_inputs(network.program, STEPS, batch, seed)
    end, steps = (STEPS, STEPS + network.program.tail) if ends else (None, STEPS + 4)
    result = whole(network, inputs, end, steps, batch)
    reference = interpret(
        network, {s: x.numpy() for s, x in inputs.items()}, steps=steps, end=end, batch=batch
    )
    assert_equal_to_reference(network, result, reference)
    assert_same_bits(chunked(network, inputs, end, list(cuts(rng, steps)), batch), result)


def test_most_random_graphs_fire_and_many_have_loops() -> None:
    """The law above says something only about neurons that fire."""
    firing, looping, total = 0, 0, 60
    for seed in range(total):
        network = random_network(Random(seed))
        inputs = random_inputs(network.program, STEPS, 1, seed)
        result = whole(network, inputs, None, STEPS, 1)
        spikes = [
            result.signals[Source(op.id, "spikes")]
            for op in network.program.of_role("population")
            if "spikes" in op.spec.outputs and op.inputs
        ]
        firing += any(bool(s.any()) for s in spikes)
        looping += any(stage.chunk is not None for stage in network.program.stages)
    assert firing > 0.8 * total
    assert looping > 0.3 * total
