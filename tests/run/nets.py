"""Small documents with known ids."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from engine.document import Document


def empty(dt: float = 1.0, seed: int = 3) -> Document:
    """A document whose ids are n1, n2, ... in the order of making."""
    numbers = count(1)
    return Document.new("test", dt, seed, mint=lambda: f"n{next(numbers)}")


def chain(*parts: tuple[str, dict[str, Any]], dt: float = 1.0) -> Document:
    """Nodes n1, n2, ... each wired to the next by the ports that fit."""
    document = empty(dt)
    ids = [document.add(kind, **params) for kind, params in parts]
    outputs = {"population": "spikes", "dataset": "data"}
    for (kind, _), source, target in zip(parts, ids, ids[1:], strict=False):
        document.connect(source, outputs.get(kind.partition(".")[0], "output"), target, "input")
    return document


def noisy() -> Document:
    """Poisson n1 -> dense n2 -> LIF n3, which fires."""
    return chain(
        ("population.poisson", {"name": "noise", "size": [20], "rate": 100.0}),
        ("projection.dense", {"name": "weights", "gain": 5.0}),
        ("population.lif", {"name": "hidden", "size": [10]}),
    )


def recurrent() -> Document:
    """`noisy` whose LIF n3 excites itself through dense n6 with a lag: it runs in chunks of one step."""
    document = noisy()
    loop = document.add("projection.dense", name="loop", gain=2.0, lag=1)
    document.connect("n3", "spikes", loop, "input")
    document.connect(loop, "output", "n3", "input")
    return document


def silent(size: int = 4) -> Document:
    """A lonely LIF n1 that fires in the very step in which it gets a current of 100."""
    return chain(("population.lif", {"name": "quiet", "size": [size], "decay_input": False, "tau_mem": 1.0}))


def exploding() -> Document:
    """A leaky integrator n1 that multiplies itself by 100 in every step, started by a bias."""
    document = empty()
    document.add("population.leaky_integrator", name="runaway", size=[3])
    document.add("projection.dense", name="feedback", init="constant", gain=1000.0, lag=1)
    document.add("encoder.direct", name="DC", offset=1.0, size=[3])
    document.connect("n1", "v", "n2", "input")
    document.connect("n2", "output", "n1", "input")
    document.connect("n3", "output", "n1", "input")
    return document


def classifier(folder: Path, samples: int = 12, epochs: int = 1) -> Document:
    """Events n1 -> dense n2 -> LIF n3 -> dense n4 -> integrator n5 -> softmax sum -> loss, with its data."""
    write_events(folder / "events.npz", samples)
    document = chain(
        ("dataset.npz_events", {"size": [6], "classes": 2, "path": str(folder / "events.npz")}),
        ("projection.dense", {"gain": 3.0}),
        ("population.lif", {"name": "hidden", "size": [8]}),
        ("projection.dense", {}),
        ("population.leaky_integrator", {"name": "out", "size": [2]}),
    )
    votes, loss = document.add("readout.softmax_sum"), document.add("loss.cross_entropy")
    document.connect("n5", "v", votes, "input")
    document.connect(votes, "output", loss, "prediction")
    document.connect("n1", "label", loss, "label")
    recipe = {"epochs": epochs, "batch": 4}
    document.edit("Recipe", [{"op": "set", "path": ["recipes", "train"], "value": recipe}])
    return document


def write_events(path: Path, samples: int) -> None:
    """Two classes of events over 6 channels and 30 ms; half of the recordings for the test."""
    rng = np.random.default_rng(0)
    label = np.arange(samples) % 2
    units = [rng.integers(0, 3, 40) + 3 * y for y in label]
    np.savez(
        path,
        t_ms=np.concatenate([np.sort(rng.uniform(0, 30, 40)) for _ in label]),
        unit=np.concatenate(units),
        offsets=np.arange(samples + 1) * 40,
        label=label,
        split=(np.arange(samples) // 2) % 2,
    )
