"""Losses against torch's own and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.losses.cross_entropy import CrossEntropy
from nodes.losses.rate_mse import RateMSE
from nodes.losses.spike_rate import SpikeRate
from nodes.roles import Loss
from nodes.spec import Values
from tests.nodes.harness import OPS, parameters

torch = pytest.importorskip("torch")
F = torch.nn.functional
TIME, BATCH, CLASSES = 7, 4, 5


def loss(spec: type[Loss], dt: float = 1.0, params: dict[str, Any] | None = None, **x: Any) -> np.ndarray:
    found: np.ndarray = spec.loss(OPS, Values(x), parameters(spec, **(params or {})), dt)
    return found


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Rows of 0 where the label is -1."""
    return np.eye(CLASSES + 1, dtype=np.float32)[labels][..., :CLASSES]


def scores(seed: int, steps: int = TIME) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, (steps, BATCH, CLASSES)).astype(np.float32)


def reference(prediction: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """torch's cross entropy at every step, ``[time, batch]``; 0 where the label is -1."""
    flat = torch.from_numpy(prediction.reshape(-1, CLASSES))
    nats = F.cross_entropy(flat, torch.from_numpy(labels.reshape(-1)), reduction="none", ignore_index=-1)
    return nats.numpy().reshape(labels.shape)


@given(st.integers(0, 10_000))
def test_cross_entropy_of_the_last_step_or_of_every_step(seed: int) -> None:
    prediction, labels = scores(seed), np.random.default_rng(seed).integers(0, CLASSES, BATCH)
    steps = reference(prediction, np.broadcast_to(labels, (TIME, BATCH)).copy())
    label = one_hot(labels)
    np.testing.assert_allclose(
        loss(CrossEntropy, prediction=prediction, label=label), steps[-1], rtol=1e-5, atol=1e-5
    )
    every = loss(CrossEntropy, params={"over": "every"}, prediction=prediction, label=label)
    np.testing.assert_allclose(every, steps.mean(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("over", ["last", "every"])
@pytest.mark.parametrize("longer", [0, 3])
def test_cross_entropy_of_labelled_steps(over: str, longer: int) -> None:
    rng = np.random.default_rng(1)
    prediction, labels = scores(2, TIME + longer), rng.integers(-1, CLASSES, (TIME, BATCH))
    labels[:, 0] = -1  # a sample without any label costs nothing
    labels[0, 1:] = 0
    steps = reference(prediction[:TIME], labels)
    expected = steps.sum(0) / np.maximum((labels >= 0).sum(0), 1)
    found = loss(CrossEntropy, params={"over": over}, prediction=prediction, label=one_hot(labels))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert found[0] == 0
    assert (found[1:] > 0).all()


def test_cross_entropy_has_torchs_gradient() -> None:
    backend = pytest.importorskip("engine.backend.ops")
    labels = np.array([[2, -1, 0, 1], [3, -1, -1, 4]])
    ours, theirs = (torch.from_numpy(scores(3, 2)).requires_grad_() for _ in range(2))
    x = Values(prediction=ours, label=torch.from_numpy(one_hot(labels)))
    CrossEntropy.loss(backend.OPS, x, parameters(CrossEntropy), 1.0).sum().backward()
    for sample in range(BATCH):
        if (labels[:, sample] >= 0).any():
            F.cross_entropy(
                theirs[:, sample], torch.from_numpy(labels[:, sample]), ignore_index=-1
            ).backward()
    np.testing.assert_allclose(ours.grad, theirs.grad, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 10_000), st.sampled_from([0.5, 1.0, 10.0]))
def test_rate_mse_is_the_squared_error_of_rates(seed: int, dt: float) -> None:
    rng = np.random.default_rng(seed)
    spikes, labels = (
        (rng.random((TIME, BATCH, CLASSES)) < 0.3).astype(np.float32),
        rng.integers(0, CLASSES, BATCH),
    )
    target = np.where(one_hot(labels) > 0, 80.0, 10.0)
    hertz = spikes.sum(0) / (TIME * dt * 1e-3)
    squares = F.mse_loss(torch.from_numpy(hertz), torch.from_numpy(target), reduction="none").numpy()
    params = {"rate_right": 80.0, "rate_wrong": 10.0}
    found = loss(RateMSE, dt, params, prediction=spikes, label=one_hot(labels))
    np.testing.assert_allclose(found, squares.mean(-1) / 80**2, rtol=1e-4)


def test_rate_mse_is_zero_when_every_class_fires_as_wanted() -> None:
    spikes = np.zeros((100, 1, CLASSES), np.float32)
    spikes[::2, 0, 2] = 1
    spikes[::20, 0, [0, 1, 3, 4]] = 1
    params = {"rate_right": 500.0, "rate_wrong": 50.0}
    assert loss(RateMSE, 1.0, params, prediction=spikes, label=one_hot(np.array([2])))[0] == pytest.approx(0)
    assert loss(RateMSE, 1.0, params, prediction=spikes, label=one_hot(np.array([0])))[0] > 0.1


def test_rate_mse_refuses_labels_of_steps() -> None:
    with pytest.raises(ValueError, match="one label per sample"):
        loss(RateMSE, prediction=scores(0), label=one_hot(np.zeros((TIME, BATCH), int)))


@pytest.mark.parametrize(
    ("per", "expected"),
    # neurons fire at 0 and 100 Hz (mean 50), 20 and 20 (mean 20), 80 and 100 (mean 90)
    [
        ("population", [0.0, 0.0, 30.0**2]),
        ("neuron", [(10.0**2 + 40.0**2) / 2, 0.0, (20.0**2 + 40.0**2) / 2]),
    ],
)
def test_spike_rate_costs_the_squared_distance_from_its_range(per: str, expected: list[float]) -> None:
    spikes = np.zeros((100, 3, 2), np.float32)  # 100 steps of 1 ms: n spikes are 10 n Hz
    for sample, counts in enumerate([(0, 10), (2, 2), (8, 10)]):
        for neuron, count in enumerate(counts):
            spikes[:count, sample, neuron] = 1
    found = loss(SpikeRate, 1.0, {"low": 10.0, "high": 60.0, "per": per}, input=spikes)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_spike_rate_takes_planes_and_pushes_both_ways() -> None:
    backend = pytest.importorskip("engine.backend.ops")
    spikes = torch.zeros(10, 2, 3, 4, 5)
    spikes[:, 1] = 1
    spikes.requires_grad_()
    found = SpikeRate.loss(backend.OPS, Values(input=spikes), parameters(SpikeRate), 1.0)
    assert found.shape == (2,)
    found.sum().backward()
    assert (spikes.grad[:, 0] < 0).all(), "a silent population is pushed up"
    assert (spikes.grad[:, 1] > 0).all(), "a busy one down"


@pytest.mark.parametrize(
    ("spec", "given", "where"),
    [
        (RateMSE, {"rate_wrong": 60.0}, "rate_wrong"),
        (SpikeRate, {"low": 60.0}, "low"),
    ],
)
def test_contradictions_are_named(spec: type[Loss], given: dict[str, Any], where: str) -> None:
    assert [name for name, _ in spec.check(parameters(spec, **given))] == [where]


@pytest.mark.parametrize("spec", [CrossEntropy, RateMSE])
def test_scores_and_labels_have_one_shape(spec: type[Loss]) -> None:
    p = parameters(spec)
    blank = {"prediction": None, "label": None}
    assert spec.infer(p, {**blank, "label": (5,)})["prediction"] == (5,)
    assert spec.infer(p, {**blank, "prediction": (5,)})["label"] == (5,)
    with pytest.raises(ValueError, match=r"scores of shape \[5\] for labels of \[6\]"):
        spec.infer(p, {"prediction": (5,), "label": (6,)})
