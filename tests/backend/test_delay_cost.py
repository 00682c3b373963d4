"""The cost model picks the formulation that measurements favour by far."""

import pytest
import torch

from engine.backend.delay import Taps, choose, delayed_linear


@pytest.mark.parametrize(
    ("batch", "inputs", "outputs", "length", "taps", "name"),
    [
        (256, 256, 256, 112, 25, "spectral"),
        (32, 140, 256, 100, 25, "spectral"),
        (16, 64, 64, 1300, 60, "spectral"),
        (16, 4, 96, 1301, 100, "spectral"),
        (256, 256, 256, 112, 1, "direct"),
        (1, 100, 100, 1, 25, "direct"),
        (4, 3, 4, 20, 5, "direct"),
        (0, 3, 4, 20, 25, "direct"),
        (4, 3, 4, 0, 25, "direct"),
    ],
)  # fmt: skip
def test_the_favoured_formulation_is_chosen(
    batch: int, inputs: int, outputs: int, length: int, taps: int, name: str
) -> None:
    for gradients in (False, True):
        plan = choose(
            steps=length, start=0, length=length, batch=batch, inputs=inputs, outputs=outputs, taps=taps,
            gradients=gradients,
        )  # fmt: skip
        assert plan.name == name


def test_long_sequences_are_cut_into_blocks() -> None:
    plan = choose(steps=1300, start=0, length=1300, batch=16, inputs=64, outputs=64, taps=25, gradients=True)
    assert plan.tiling.blocks > 8


@pytest.mark.parametrize(("steps", "batch"), [(0, 3), (4, 0), (0, 0)])
@pytest.mark.parametrize("sigma", [None, 1.0])
@pytest.mark.parametrize("exact", [False, True])
def test_empty_sequences_and_batches_pass(steps: int, batch: int, sigma: float | None, exact: bool) -> None:
    x, weight = torch.zeros(steps, batch, 5), torch.randn(6, 5)
    for delay in (torch.rand(6, 5), torch.rand(1, 5), torch.rand(6, 1)):
        y = delayed_linear(x, weight, delay, taps=Taps(0, 3), sigma=sigma, extend=2, exact=exact)
        assert y.shape == (steps + 2, batch, 6)
        assert not y.any()
