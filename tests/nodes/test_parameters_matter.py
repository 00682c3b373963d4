"""No parameter is silently ignored: every other value of it changes what a network does, or is refused.

A value matters when, in at least one of some settings of the node, tensors, signals, states, gradients,
losses or records of a small network differ from those with the value before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from engine.backend import evaluation, schedules
from engine.backend.network import STIMULUS, Network, first_sigma, learnable
from engine.compile import compile_document
from engine.document import Document
from engine.program import Program, Source
from nodes import registry
from nodes.spec import Node, Param
from tests.backend.graphs import everything, random_inputs
from tests.backend.test_network import alone
from tests.compile.drawing import new_document, project, set_param

STEPS, EPOCHS = 24, 8
Settings = dict[str, Any]

# Where a parameter is only about some case, the case.
CASES: dict[str, list[Settings]] = {
    "v_reset": [{"reset": "value"}],
    "max_spikes": [{"reset": "subtract"}],
    # a neuron at rest that stands exactly at its threshold
    "compare": [{"reset": "value", "v_reset": -1.0, "v_th": 0.0}],
    "in_degree": [{"connectivity": "fixed_in_degree", "in_degree": 2}],
    "connectivity": [{"matrix": [[1.0, 0.0, 2.0]] * 3, "probability": 0.5, "in_degree": 2}],
    "matrix": [{"connectivity": "matrix", "matrix": [[1.0, 0.0, 2.0]] * 3}],
    "seed": [{"probability": 0.5}, {"seed": 3}],
    "init": [{"probability": 0.9}],
    "mean": [{"distribution": "normal"}],
    "sd": [{"distribution": "normal"}],
    "threshold": [{"form": "log", "threshold": 0.2}],
    "tau": [{"form": "log", "threshold": 0.2, "t_max": 50.0}],
    "low": [{"low": 900.0, "high": 950.0}],
    "t_max": [{"spiking": "latency", "t_max": 6.0}],
    "cutoff": [{"spiking": "latency", "t_max": 4.0, "cutoff": 0.5}],
    "max_rate": [{"max_rate": 400.0}],
    "sign": [{"probability": 0.9}],
    "gain": [{"probability": 0.9}],
    "train_weights": [{"probability": 0.9}],
    "granularity": [{"distribution": "uniform"}, {"delay": 3.0}],
}
OTHERS: dict[str, list[Any]] = {
    "size": [[5]],
    "matrix": [[[0.0, 3.0, 0.0]] * 3],
    "table": [[[1.0, 4.0, 6.0]] * 2],
    "window": [3],
    "gain": [-1.0, 2.0],
    "bin": [4.0],
    "extend": [4.0],
    "min_delay": [3.0],
}
# What cannot be seen in a network of one node, each with the reason.
ELSEWHERE = {
    ("projection.sparse", "file"): "needs a file: test_projections.py",
    ("delays.fixed", "file"): "needs a file: test_delays_nodes.py",
    (
        "projection.sparse",
        "allow_self",
    ): "is about a population that projects to itself: test_self_synapses.py",
    ("delays.fixed", "granularity"): "one number for all is the same for whomever it is",
}
TYPES = {
    name: spec
    for name, spec in registry.all().items()
    # data sets and the cochlea read recordings, not networks: tests/nodes/test_datasets.py, test_cochlea.py
    if spec.role not in ("dataset", "offline")
}
PARAMETERS = [
    pytest.param(spec, name, id=f"{spec.type}.{name}")
    for spec in TYPES.values()
    for name in spec.params
    if (spec.type, name) not in ELSEWHERE
]


def other_values(param: Param, name: str, value: Any) -> list[Any]:
    """Values that a parameter could have instead."""
    if name in OTHERS:
        candidates = OTHERS[name]
    elif param.kind == "bool":
        candidates = [not value]
    elif param.kind in ("choice", "names"):
        found = [choice for choice in param.choices if choice != value]
        candidates = found if param.kind == "choice" else [[choice] for choice in found]
    elif param.unit == "Hz":
        candidates = [value * 30]
    elif param.kind == "int":
        candidates = [value + 1, value - 1]
    else:
        candidates = [value * 1.5 + (0.5 if abs(value) < 0.1 else 0.0), value / 2]
    return [new for new in candidates if new != value and param.problem(new) is None]


def settings_of(spec: type[Node], name: str) -> Iterator[Settings]:
    """The default setting, the parameter's own cases, and every single other choice."""
    for case in CASES.get(name, []):
        if set(case) <= set(spec.params):
            yield case
    yield {}
    for other, param in spec.params.items():
        if other != name and param.kind in ("bool", "choice"):
            yield from ({other: value} for value in other_values(param, other, param.default))
    if "refractory" in spec.params:
        yield {"refractory": 2.0}


def drawn(spec: type[Node], settings: Settings) -> tuple[Document, str]:
    """A small network around a node of this type."""
    if spec.role == "population":
        d = new_document()
        return d, d.add(spec.type, **({"size": [3]} | settings))
    if spec.role == "delays":
        d = new_document()
        source, cells = d.add("dataset.spikes_npz", channels=3, pool=1), d.add("population.lif", size=[2])
        projection, delays = project(d, source, cells, port="data"), d.add(spec.type, **settings)
        d.connect(delays, "delays", projection, "delays")
        return d, delays
    if spec.role == "loss":
        d = new_document()
        data, loss = d.add("dataset.spikes_npz", channels=3, pool=1, classes=3), d.add(spec.type, **settings)
        d.connect(data, "data", loss, "input" if "input" in spec.inputs else "prediction")
        if "label" in spec.inputs:
            d.connect(data, "label", loss, "label")
        return d, loss
    if spec.role == "probe":
        d = new_document()
        probe = d.add(spec.type, **settings)
        d.connect(d.add("population.poisson", size=[3], rate=300.0), "spikes", probe, "input")
        return d, probe
    d = alone(spec)
    node = next(key for key, found in d.nodes.items() if found.type == spec.type)
    for name, value in settings.items():
        set_param(d, node, name, value)
    return d, node


def behaviour(document: Document, node: str) -> str | None:
    """A digest of all that a network does; None where the document is refused."""
    compiled = compile_document(document)
    if compiled.program is None:
        return None
    network, said = Network(compiled.program), [str(compiled.program.tail)]
    for key, tensor in network.declared.items():
        said.append(f"{key} {tensor.group} {tensor.low} {tensor.high} {network.tensor(key).tolist()}")
    for op in (op for op in compiled.program.ops.values() if learnable(op)):
        said += [str(schedules.sigma(op, first_sigma(op), epoch, EPOCHS)) for epoch in range(EPOCHS)]
    inputs = stimuli(compiled.program, node)
    said += [repr(value.tolist()) for value in evaluation.simulate(network, inputs, steps=STEPS).values()]
    for training in (False, True):
        network.train(training)
        said += trained_signals(network, inputs)
    said += [repr(network.tensor(key).tolist()) for key in network.declared]  # running statistics, too
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def stimuli(program: Program, node: str) -> dict[Source, torch.Tensor]:
    """Recordings, and a current into a population; its first neuron gets none."""
    inputs = random_inputs(program, STEPS, 1, 3)
    op = program.ops.get(node)
    if op is not None and op.role == "population":
        shape = next(iter(op.shapes.values())) or ()
        current = np.random.default_rng(4).normal(3, 6, (STEPS, 1, *shape))
        current[..., 0] = 0
        inputs[Source(node, STIMULUS)] = torch.from_numpy(current.astype(np.float32))
    return inputs


def trained_signals(network: Network, inputs: dict[Source, torch.Tensor]) -> list[str]:
    """Every signal, state and loss, and the gradients to the inputs and to what is learned."""
    inputs = {source: signal.clone().requires_grad_() for source, signal in inputs.items()}
    keep = {*everything(network.program), *evaluation.wanted(network)}
    result = network.run(inputs, steps=STEPS, end=STEPS, keep=sorted(keep, key=str))
    losses = network.losses(result.signals, torch.eye(3)[:1])
    said = [f"{name} {x.tolist()}" for name, x in [*result.signals.items(), *losses.items()]]
    said += [
        f"{op} {n} {x.tolist()}" for op, values in result.state.values.items() for n, x in values.items()
    ]
    total = sum(map(weighed, result.signals.values()), sum(loss.sum() for loss in losses.values()))
    leaves = [*inputs.values(), *network.learned.values()]
    if isinstance(total, torch.Tensor) and total.requires_grad:
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
        said += [repr(gradient if gradient is None else gradient.tolist()) for gradient in gradients]
    return said


def weighed(signal: torch.Tensor) -> torch.Tensor:
    """One number in which every step counts differently."""
    factors = torch.cos(torch.arange(len(signal), dtype=torch.float32))
    return (signal.flatten(1).sum(1) * factors).sum()


@pytest.mark.parametrize(("spec", "name"), PARAMETERS)
def test_another_value_matters_or_is_refused(spec: type[Node], name: str) -> None:
    ignored: list[Any] | None = None
    for settings in settings_of(spec, name):
        document, node = drawn(spec, settings)
        before, value = behaviour(document, node), document.nodes[node].params[name]
        if before is None:
            continue
        if ignored is None:
            ignored = other_values(spec.params[name], name, value)
            assert ignored, f"{name} has no other value to try"
        ignored = [new for new in ignored if new == value or with_value(document, node, name, new) == before]
        if not ignored:
            return
    assert ignored is not None, "no setting of the node can run"
    pytest.fail(f"{name} of {spec.type} is ignored at {ignored}")


def with_value(document: Document, node: str, name: str, value: Any) -> str | None:
    """What a network does after one parameter has changed."""
    changed = document.copy()
    set_param(changed, node, name, value)
    return behaviour(changed, node)


def test_exceptions_are_of_parameters_that_exist() -> None:
    assert all(name in registry.all()[type].params for type, name in ELSEWHERE)
