"""Small documents and data for tests of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.document import Document, save

CHANNELS, CLASSES = 8, 2


def recordings(path: Path, samples: int = 24) -> Path:
    """Spikes: class 0 on the lower channels, class 1 on the upper; every third sample is for testing."""
    rng = np.random.default_rng(4)
    label = np.arange(samples) % CLASSES
    unit = np.concatenate([rng.integers(0, CHANNELS // 2, 12) + CHANNELS // 2 * one for one in label])
    t_ms = np.concatenate([np.sort(rng.uniform(0, 15, 12)) for _ in label])
    test = np.arange(samples) % 3 == 0
    np.savez(path, t_ms=t_ms, unit=unit, offsets=np.arange(samples + 1) * 12, label=label, test=test)
    return path


def classifier(path: Path, delays: bool = True, **recipe: Any) -> Path:
    """A document that learns to tell the recordings beside it apart."""
    document = Document.new("two classes", dt_ms=1.0, seed=3)
    data = document.add(
        "dataset.spikes_npz",
        path=str(recordings(path.with_suffix(".npz")).absolute()),
        channels=CHANNELS,
        classes=CLASSES,
        pool=1,
    )
    first = document.add("projection.dense", name="first")
    hidden = document.add("population.lif", name="hidden", size=[6])
    second = document.add("projection.dense", name="second")
    out = document.add("population.leaky_integrator", name="out", size=[CLASSES])
    readout = document.add("readout.softmax_sum", name="decision")
    loss = document.add("loss.cross_entropy", name="loss")
    chain = [
        (data, "data"),
        (first, "input"),
        (first, "output"),
        (hidden, "input"),
        (hidden, "spikes"),
        (second, "input"),
        (second, "output"),
        (out, "input"),
        (out, "v"),
        (readout, "input"),
        (readout, "output"),
        (loss, "prediction"),
        (data, "label"),
        (loss, "label"),
    ]
    for (a, out_port), (b, in_port) in zip(chain[::2], chain[1::2], strict=True):
        document.connect(a, out_port, b, in_port)
    if delays:
        attached = document.add("delays.learnable", name="delays", max_delay=5.0)
        document.connect(attached, "delays", second, "delays")
    settings = {"epochs": 2, "batch": 8, "lr": 0.05, **recipe}
    document.edit("recipe", [{"op": "set", "path": ["recipes", "train"], "value": settings}])
    save(document, path)
    return path


def oscillator(path: Path, probe: bool = False) -> Path:
    """A document that runs by itself: noise drives a population that inhibits itself."""
    document = Document.new("noise", dt_ms=1.0, seed=5)
    noise = document.add("population.poisson", name="noise", size=[4])
    projection = document.add("projection.dense", name="drive")
    cells = document.add("population.lif", name="cells", size=[3])
    document.connect(noise, "spikes", projection, "input")
    document.connect(projection, "output", cells, "input")
    if probe:
        watch = document.add("probe.state", name="membrane")
        document.connect(cells, "v", watch, "input")
    save(document, path)
    return path
