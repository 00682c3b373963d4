"""Compiled loops over time do what the Python loop does: the same spikes, and gradients but for rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.backend import fused, scan
from engine.backend.ops import OPS
from engine.backend.scan import Scan
from engine.program import Op
from nodes import registry
from nodes.spec import Node, Values, defaults
from tests.codegen.test_gradient import DRIVEN

STEPS, BATCH, UNITS, DT = 3 * scan.SEGMENT + fused.SEGMENT, 3, 5, 1.0
Found = dict[str, Tensor]


def op_of(spec: type[Node], **given: Any) -> Op:
    p = Values({k: spec.params[k].coerce(v) for k, v in {**defaults(spec), **given}.items()})
    shapes = dict.fromkeys((*spec.inputs, *spec.outputs), (UNITS,))
    return Op("op", "op", spec.type, spec.role, {}, p, shapes)


def results(op: Op, compiled: bool, monkeypatch: pytest.MonkeyPatch, steps: int = STEPS) -> Found:
    """Outputs, last state, and the gradients of their weighted sum to input, first state and parameters."""
    monkeypatch.setattr(scan, "LONG", 1 if compiled else 1_000_000)
    g = torch.Generator().manual_seed(3)
    rng = np.random.default_rng(0)
    tensors = op.spec.tensors(op.p, dict(op.shapes)).items()
    own = {k: torch.from_numpy(t.init(rng, t.shape)) for k, t in tensors}
    own = {k: (t * (1 + 0.1 * torch.rand(t.shape, generator=g))).requires_grad_() for k, t in own.items()}
    p = Values({**op.p, **own, "shapes": op.shapes, "training": True})
    p.update(op.spec.constants(OPS, p, DT))
    x = (8 * torch.randn(steps, BATCH, UNITS, generator=g)).requires_grad_()
    first = {k: torch.rand(BATCH, UNITS, generator=g).requires_grad_() for k in op.spec.state_of(op.p)}
    with torch.enable_grad():
        after, outputs = Scan(OPS, op, p, DT, {}, tuple(op.spec.outputs)).run({"input": x}, first, steps)
        found = {**outputs, **{f"last {k}": v for k, v in after.items()}}
        seeds = {k: torch.randn(found[k].shape, generator=g) for k in sorted(found)}
        total = sum((seed * found[k]).sum() for k, seed in seeds.items())
        total.backward()  # type: ignore[union-attr]
    leaves = {"input": x, **{f"first {k}": v for k, v in first.items()}, **own}
    grads = {f"to {k}": v.grad for k, v in leaves.items() if v.grad is not None}
    return {k: v.detach() for k, v in found.items()} | grads


CASES: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in DRIVEN] + [
    ("population.lif", {"reset": "subtract", "reset_step": "next", "refractory": 2.0, "detach_reset": False}),
    ("population.lif", {"reset": "subtract", "max_spikes": 4, "compare": ">", "surrogate": "triangle"}),
]


@pytest.mark.parametrize(("name", "given"), CASES, ids=[f"{n}-{len(g)}" for n, g in CASES])
def test_the_same_spikes_and_gradients(
    name: str, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DRIVEN[name]
    train = {"train": list(spec.params["train"].choices)} if "train" in spec.params else {}
    op = op_of(spec, **given, **train)
    assert fused.compiled(op, tuple(spec.outputs), DT) is not None
    expected, found = (results(op, compiled, monkeypatch) for compiled in (False, True))
    assert set(expected) == set(found)
    if "spikes" in expected:
        assert expected["spikes"].any()
        assert torch.equal(found["spikes"], expected["spikes"])
    for key, value in expected.items():
        largest = float(value.abs().max())
        torch.testing.assert_close(found[key], value, rtol=0, atol=1e-4 * largest + 1e-6, msg=key)


def test_what_mixes_elements_is_left_to_the_python_loop() -> None:
    readout = op_of(registry.all()["readout.softmax_sum"])
    assert fused.compiled(readout, ("output",), DT) is None
