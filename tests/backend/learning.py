"""A task small enough to train in a test: four classes told by which channels fire, and when."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from engine.backend.data import Split
from engine.backend.network import Network
from engine.backend.training import Options, train
from engine.document import Document, delete_nodes
from engine.recipe import recipe
from tests.compile.drawing import new_document, program_of

CHANNELS, CLASSES = 12, 4
RECIPE = {"epochs": 3, "batch": 8, "lr": 5e-3}


def write_data(folder: Path, train: int = 24, test: int = 12, seed: int = 0) -> Path:
    """Recordings of unequal length in the layout of ``dataset.spikes_npz``."""
    rng = np.random.default_rng(seed)
    times, units, offsets = [], [], [0]
    for sample in range(train + test):
        label, length = sample % CLASSES, rng.integers(14, 22)
        t = np.sort(rng.integers(0, length * 10, 30))
        own = rng.random(30) < 0.7
        unit = np.where(own, label * 3 + rng.integers(0, 3, 30), rng.integers(0, CHANNELS, 30))
        times.append(t)
        units.append(unit)
        offsets.append(offsets[-1] + 30)
    path = folder / "tiny.npz"
    np.savez(
        path,
        t_ms=np.concatenate(times).astype(np.float64),
        unit=np.concatenate(units).astype(np.uint16),
        offsets=np.array(offsets),
        label=np.arange(train + test) % CLASSES,
        test=(np.arange(train + test) >= train).astype(np.uint8),
    )
    return path


def document(data: Path, **given: Any) -> Document:
    """Data, learnable delays, batch norm, LIF, dropout, a delayed readout and its loss."""
    d = new_document("tiny", dt=10.0, seed=5)
    source = d.add("dataset.spikes_npz", path=str(data), channels=CHANNELS, pool=1, classes=CLASSES)
    first, second = d.add("projection.dense"), d.add("projection.dense")
    late, norm = d.add("delays.learnable", max_delay=50.0, extend=20.0), d.add("structure.batch_norm")
    cells, drop = d.add("population.lif", size=[16], tau_mem=15.0), d.add("structure.dropout", rate=0.2)
    out = d.add("population.leaky_integrator", size=[CLASSES], tau_mem=30.0, train=["tau_mem"])
    votes, loss = d.add("readout.softmax_sum"), d.add("loss.cross_entropy")
    d.connect(late, "delays", first, "delays")
    chain = [
        (source, "data"),
        (first, "output"),
        (norm, "output"),
        (cells, "spikes"),
        (drop, "output"),
        (second, "output"),
        (out, "v"),
        (votes, "output"),
    ]
    for (a, port), (b, _) in pairwise(chain):
        d.connect(a, port, b, "input")
    d.connect(votes, "output", loss, "prediction")
    d.connect(source, "label", loss, "label")
    settings = {**RECIPE, **given}
    d.edit("recipe", [{"op": "set", "path": ["recipes", "train"], "value": settings}])
    return d


def without_norm(d: Document) -> Document:
    """The same without batch norm."""
    d.edit("cut", delete_nodes(d, ["n5"]))
    d.connect("n2", "output", "n6", "input")
    return d


def learn(d: Document, out: Path, **options: Any) -> tuple[Network, dict[str, Any]]:
    """A network trained as its document says, and the metrics."""
    program = program_of(d)
    network = Network(program)
    splits = {name: Split(program, name, out) for name in ("train", "test")}
    settings = Options(out, seed=program.seed, **options)
    return network, train(network, recipe("train", d.recipes), splits, settings)
