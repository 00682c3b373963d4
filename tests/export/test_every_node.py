"""Every node that computes does the same in exported PyTorch and ONNX as in our reference."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from engine.compile import compile_document
from engine.document import Document
from engine.export.simulate import Signals, simulate
from engine.export.target import get, options_of
from engine.export.targets._torch.file import File
from nodes import registry
from tests.compile.drawing import new_document
from tests.export.networks import Network, compiled

STEPS = 40
TYPES = registry.all()
PRESETS = [
    (kind, preset)
    for kind, spec in TYPES.items()
    if spec.role == "population" and "input" in spec.inputs and not spec.noise
    for preset in ("", *getattr(spec, "presets", dict)())
]
BETWEEN = [
    kind
    for kind, spec in TYPES.items()
    if spec.role in ("encoder", "readout", "structure") and set(spec.noise.values()) <= {"sequence"}
]


def start(shape: list[int], gain: float = 3.0) -> tuple[Document, str]:
    """Poisson spikes through a dense projection, and the projection's id."""
    document = new_document("Every node", 1.0, 3)
    source = document.add("population.poisson", name="source", size=[6], rate=200.0)
    first = document.add("projection.dense", name="first", gain=gain, bias=True, size=shape)
    document.connect(source, "spikes", first, "input")
    return document, first


def population(kind: str, preset: str) -> Document:
    gain = {"population.izhikevich": 60.0, "population.cuba": 80.0}.get(kind, 12.0)
    document, first = start([5], gain)
    chosen = TYPES[kind].presets()[preset] if preset else {}  # type: ignore[attr-defined]
    cells = document.add(kind, name="cells", size=[5], **chosen)
    document.connect(first, "output", cells, "input")
    return document


def between(kind: str) -> Document:
    """Neurons, the node, and neurons behind it; what a node wants of other kinds is made for it."""
    spec = TYPES[kind]
    document, first = start([2, 6])
    cells = document.add("population.lif", name="cells", size=[2, 6], tau_mem=8.0)
    chosen: dict[str, Any] = {"spiking": "latency"} if kind == "encoder.population" else {}
    node = document.add(kind, name="node", **chosen)
    last = document.add("population.lif", name="last")
    document.connect(first, "output", cells, "input")
    source, port = cells, "spikes"
    if spec.role == "encoder":
        source, port = document.add("readout.spike_count", name="counts"), "output"
        document.connect(cells, "spikes", source, "input")
    elif "spikes" not in spec.inputs["input"].kinds:
        port = "v"
    document.connect(source, port, node, "input")
    if "current" in spec.outputs["output"].kinds:  # goes straight into neurons
        document.connect(node, "output", last, "input")
        return document
    out = document.add("projection.dense", name="out", gain=2.0, size=[4])
    document.connect(node, "output", out, "input")
    document.connect(out, "output", last, "input")
    return document


def run_torch(found: Network, stimulus: np.ndarray, folder: Path) -> Signals:
    get("pytorch").write(found.frozen, folder, options_of(get("pytorch")))
    made, file = ModuleType("exported"), File(found.frozen)
    made.__file__ = str(folder / "network.py")
    exec(compile((folder / "network.py").read_text("utf-8"), made.__file__, "exec"), made.__dict__)
    given = {file.signals[source]: torch.from_numpy(stimulus[:, None]) for source in found.frozen.inputs}
    with torch.no_grad():
        outputs, _ = made.load(folder).stream(**given)
    return {source: outputs[file.signals[source]][:, 0].numpy() for source in found.frozen.outputs}


def run_onnx(found: Network, stimulus: np.ndarray, folder: Path) -> Signals:
    target = get("onnx")
    target.write(found.frozen, folder, options_of(target))
    inputs = dict.fromkeys(found.frozen.inputs, stimulus)
    return target.execute(folder / "network.onnx", found.frozen, inputs, len(stimulus), options_of(target))


def same(found: Network, folder: Path) -> Signals:
    """What the reference gives, which both must give, too."""
    stimulus = (np.random.default_rng(1).random((STEPS, 6)) < 0.4).astype(np.float32)
    reference = simulate(found.frozen, dict.fromkeys(found.frozen.inputs, stimulus), STEPS)
    runs = {"torch": run_torch(found, stimulus, folder)}
    try:
        import onnx  # noqa: F401
        import onnxruntime  # type: ignore[import-untyped]  # noqa: F401

        runs["onnx"] = run_onnx(found, stimulus, folder)
    except ImportError:
        pass
    for who, signals in runs.items():
        for source, signal in reference.items():
            if source.port == "spikes":
                assert np.array_equal(signals[source], signal), (who, found.frozen.name(source))
            scale = max(1.0, float(np.abs(signal).max()))
            np.testing.assert_allclose(signals[source], signal, atol=1e-5 * scale, err_msg=who)
    return reference


@pytest.mark.parametrize(("kind", "preset"), PRESETS)
def test_every_population_is_equal_under_every_preset(kind: str, preset: str, tmp_path: Path) -> None:
    reference = same(compiled(population(kind, preset)), tmp_path)
    assert any(signal.any() for signal in reference.values())


@pytest.mark.parametrize("kind", BETWEEN)
def test_every_node_between_neurons_is_equal(kind: str, tmp_path: Path) -> None:
    document = between(kind)
    problems = compile_document(document)
    if problems.program is None:
        pytest.fail("; ".join(map(str, problems.diagnostics)))
    same(compiled(document), tmp_path)
