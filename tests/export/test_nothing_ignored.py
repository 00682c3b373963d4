"""Nothing is silently ignored: a parameter that changes the network changes the artefact, or is named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.compile import compile_document
from engine.document import Document
from engine.errors import MyelinError
from engine.export.frozen import Part, Unit
from engine.export.simulate import simulate
from engine.export.target import checked, discover, options_of, verdict
from engine.export.verify import export
from engine.export.writing import MARK
from engine.program import Source
from nodes import registry
from nodes.spec import Param
from tests.compile.drawing import new_document
from tests.export.networks import Network, compiled

STEPS = 40
POPULATIONS = sorted(
    type
    for type, spec in registry.all().items()
    if spec.role == "population" and "input" in spec.inputs and not spec.noise
)
EXCEPT = {
    "pt2": "torch's exporter makes it from the file of `pytorch`, in many seconds",
    "svg": "a picture of the drawing, not of its numbers",
    "pdf": "a picture of the drawing, not of its numbers",
}
UNDRAWN = ("shape", "path", "list", "names", "str")
"""Kinds of parameters that say what there is, not how it behaves."""


def drawing(population: str) -> Document:
    """Poisson spikes through delays and batch norm into neurons, and on into some that read them out."""
    document = new_document(dt=1.0, seed=3)
    source = document.add("population.poisson", size=[5], rate=150.0)
    gain = 60.0 if population == "population.izhikevich" else 4.0  # its current is in pA
    first = document.add("projection.dense", name="first", gain=gain, bias=True)
    delays = document.add("delays.random", name="delays", granularity="synapse", low=0.0, high=4.0)
    norm = document.add("structure.batch_norm", name="norm")
    cells = document.add(population, name="cells", size=[4])
    second = document.add("projection.sparse", name="second", gain=2.0, probability=0.7)
    last = document.add("population.lif", name="last", size=[3])
    document.connect(source, "spikes", first, "input")
    document.connect(delays, "delays", first, "delays")
    document.connect(first, "output", norm, "input")
    document.connect(norm, "output", cells, "input")
    port = "spikes" if "spikes" in registry.all()[population].outputs else "v"
    document.connect(cells, port, second, "input")
    document.connect(second, "output", last, "input")
    return document


@cache
def base(population: str) -> Network:
    return compiled(drawing(population))


def other(param: Param, value: Any) -> Any:
    """A valid value that is another; None where there is none."""
    if param.kind == "bool":
        candidates: list[Any] = [not value]
    elif param.kind == "choice":
        candidates = [choice for choice in param.choices if choice != value]
    elif param.kind == "int":
        candidates = [value + 1, value - 1]
    else:
        candidates = [value * 0.7 + 0.13, value * 1.3 - 0.17, value + 2.0, 1.7]
    return next((new for new in candidates if new != value and param.problem(new) is None), None)


@cache
def perturbed(population: str) -> list[tuple[str, Network]]:
    """(node.parameter, network) with one parameter changed, where that compiles and changes what it does.

    The nodes around the cells are the same for all populations: they are changed only around LIF.
    """
    known = behaviour(base(population))
    found = []
    for key, node in drawing(population).nodes.items():
        if node.type == "population.poisson" or (node.name != "cells" and population != "population.lif"):
            continue
        for name, param in registry.all()[node.type].params.items():
            value = other(param, node.params[name]) if param.kind not in UNDRAWN else None
            if value is None:
                continue
            changed = drawing(population)
            changed.edit("perturb", [{"op": "set", "path": ["nodes", key, "params", name], "value": value}])
            if compile_document(changed).program is None:
                continue
            network = compiled(changed)
            if not same(known, behaviour(network)):
                found.append((f"{node.name}.{name}", network))
    return found


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def behaviour(found: Network) -> dict[str, np.ndarray]:
    """Every signal of a run on random spikes."""
    stimulus = (np.random.default_rng(1).random((STEPS, 5)) < 0.4).astype(np.float32)
    keep = [source for part in found.frozen.parts for source in _ports(part)]
    (source,) = found.frozen.inputs
    signals = simulate(found.frozen, {source: stimulus}, STEPS, keep=keep)
    return {str(key): value for key, value in signals.items()}


def _ports(part: Part) -> list[Source]:
    ports = part.traced.outputs if isinstance(part, Unit) else ("output",)
    return [Source(part.id, port) for port in ports]


def content(path: Path) -> str:
    """A digest of what an artefact holds, whatever the time of day."""
    found = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file() and file.name != MARK:
            for piece in _pieces(file):
                found.update(piece)
    return found.hexdigest()


def _pieces(file: Path) -> Iterator[bytes]:
    yield file.suffix.encode()
    if file.suffix == ".npz":
        with np.load(file) as arrays:
            for name in sorted(arrays.files):
                yield name.encode() + arrays[name].tobytes()
    elif h5py.is_hdf5(file):
        items: list[bytes] = []
        with h5py.File(file) as tree:
            tree.visititems(lambda name, item: items.append(_leaf(name, item)))
        yield from items
    else:
        yield file.read_bytes()


def _leaf(name: str, item: Any) -> bytes:
    if not isinstance(item, h5py.Dataset):
        return name.encode()
    value = item[()]
    plain = isinstance(value, (np.ndarray, np.generic)) and value.dtype != object
    return name.encode() + (value.tobytes() if plain else repr(value).encode())


def written(target_id: str, found: Network, path: Path) -> str | None:
    """The content of the artefact; None where the target says that it cannot take the network."""
    target = discover()[target_id]
    options = options_of(target)
    if verdict(checked(target, found.program, options)) == "impossible":
        return None
    try:
        export(target, found.program, found.frozen, path, options)
    except MyelinError:
        return None
    return content(path)


@pytest.mark.slow
@pytest.mark.parametrize("target_id", sorted(set(discover()) - EXCEPT.keys()))
@pytest.mark.parametrize("population", POPULATIONS)
def test_every_parameter_reaches_the_artefact(population: str, target_id: str, tmp_path: Path) -> None:
    start = base(population)
    before = written(target_id, start, tmp_path / "before")
    if before is None:
        pytest.skip(f"{target_id} names {population} as one it cannot take")
    target = discover()[target_id]
    told = {d.message for d in checked(target, start.program, options_of(target))}
    silent = []
    for number, (label, network) in enumerate(perturbed(population)):
        after = written(target_id, network, tmp_path / str(number))
        said = {d.message for d in checked(target, network.program, options_of(target))}
        if after == before and said == told:
            silent.append(label)
    assert not silent


@pytest.mark.parametrize("population", POPULATIONS)
def test_there_is_something_to_perturb(population: str) -> None:
    assert perturbed(population)
    assert any(signal.any() for key, signal in behaviour(base(population)).items() if "spikes" in key)


def test_the_digest_sees_a_single_number(tmp_path: Path) -> None:
    for number in (1.0, 1.0000001):
        np.savez(tmp_path / f"{number}.npz", a=np.array([number]))
    (a, b) = (tmp_path / f"{number}.npz" for number in (1.0, 1.0000001))
    assert content(a) != content(b)
