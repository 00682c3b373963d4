"""Random networks of what native simulators have cells for."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

from engine.arrays import drawn
from engine.document import Document
from engine.export.freeze import freeze
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Target, checked, options_of, verdict
from engine.program import Program
from tests.backend.graphs import drive_of, population_parameters
from tests.compile.drawing import new_document, program_of, project

TYPES = ("population.lif", "population.if", "population.cuba", "population.izhikevich")
DT = 0.5


def native_document(rng: Random) -> Document:
    """Populations that hear all before them or not, with delays, biases, drives and loops; a readout."""
    document = new_document(dt=DT, seed=rng.randrange(1000))
    data = document.add("dataset.spikes_npz", "events", channels=3, pool=1, classes=2)
    made: list[str] = []
    for number in range(rng.randint(2, 4)):
        type = rng.choice(TYPES)
        given = population_parameters(rng, type)
        given |= {"reset": "zero"} if given.get("reset") == "none" else {}
        here = document.add(type, f"cells {number}", size=[rng.randint(1, 4)], **given)
        gain = 12.0 if type == "population.izhikevich" else 1.5
        for source, port in [(data, "data"), *((before, "spikes") for before in made)]:
            late = {"delay": rng.randint(0, 4) * DT} if rng.random() < 0.6 else {}
            if rng.random() < 0.7:
                project(document, source, here, port, gain=gain, bias=rng.random() < 0.3, **late)
        if rng.random() < 0.4:
            project(document, here, here, gain=gain, delay=rng.randint(1, 3) * DT)
        if rng.random() < 0.6:
            drive = document.add("encoder.direct", offset=drive_of(rng, type))
            document.connect(drive, "output", here, "input")
        made.append(here)
    out = document.add("population.leaky_integrator", "out", size=[3])
    for before in made:
        project(document, before, out, delay=DT * rng.randint(0, 3))
    votes = document.add("readout.softmax_sum", "votes")
    document.connect(out, "v", votes, "input")
    return document


def trained(program: Program, rng: np.random.Generator) -> Frozen:
    """A network whose neurons differ as they do after training."""
    arrays = drawn(program)
    for own in arrays.values():
        for name in set(own) & {"tau_mem", "tau_syn", "v_th"}:
            own[name] = (own[name] * (0.9 + 0.3 * rng.random(own[name].shape))).astype(np.float32)
    return freeze(program, arrays)


def both(target: Target, seed: int, folder: Path) -> tuple[Signals, Signals]:
    """What a random network gives in the target's software, and by our reference of it."""
    options, rng = options_of(target), np.random.default_rng(seed)
    program = program_of(native_document(Random(seed)))
    assert verdict(checked(target, program, options)) != "impossible"
    frozen = target.convert(trained(program, rng), options).frozen
    counts = {source: rng.integers(1, 3, (60, *shape)) for source, shape in frozen.inputs.items()}
    inputs = {s: ((rng.random(n.shape) < 0.3) * n).astype(np.float32) for s, n in counts.items()}
    target.write(frozen, folder, options)
    found = target.execute(folder, frozen, inputs, 80, options)
    return found, target.predict(frozen, inputs, 80, options)


def assert_same(found: Signals, expected: Signals) -> None:
    """Spikes equal, everything else but for rounding."""
    assert found.keys() == expected.keys()
    for source, signal in expected.items():
        if source.port == "spikes":
            assert np.array_equal(found[source], signal), source
        else:
            np.testing.assert_allclose(found[source], signal, rtol=1e-6, atol=1e-6)
