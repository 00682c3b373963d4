"""Running is the same to the bit however it is cut, and single precision is near enough to the truth."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.backend.delay import (
    FrozenLinear,
    Taps,
    cost,
    delay_filter,
    delayed_linear,
    direct,
    kernel,
    spectral,
)
from engine.backend.delay import exact as running
from engine.backend.delay import rounded as gathering

SHAPES = {"synapse": (9, 11), "axonal": (1, 11), "dendritic": (9, 1), "projection": (1, 1)}


def in_chunks(x: Tensor, cuts: list[int], taps: Taps, function) -> Tensor:
    """The outputs of running chunk after chunk with the history carried."""
    history = x.new_zeros(taps.high, *x.shape[1:])
    results = []
    for chunk in torch.tensor_split(x, cuts):
        results.append(function(chunk, history))
        history = torch.cat([history, chunk])[len(chunk) :]
    return torch.cat(results)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    granularity=st.sampled_from(sorted(SHAPES)),
    sigma=st.one_of(st.none(), st.floats(0.1, 12)),
    cuts=st.lists(st.integers(0, 100), max_size=20).map(sorted),
    spikes=st.booleans(),
    low=st.integers(0, 2),
)
def test_any_chunking_gives_the_same_bits(
    seed: int, granularity: str, sigma: float | None, cuts: list[int], spikes: bool, low: int
) -> None:
    torch.manual_seed(seed)
    taps = Taps(low, 24)
    x = torch.rand(100, 3, 11)
    x = (x < 0.2).float() if spikes else x
    weight, delay = torch.randn(9, 11), 24 * torch.rand(SHAPES[granularity])

    def project(chunk: Tensor, history: Tensor | None) -> Tensor:
        return delayed_linear(chunk, weight, delay, taps=taps, sigma=sigma, history=history, exact=True)

    assert torch.equal(in_chunks(x, cuts, taps, project), project(x, None))


@pytest.mark.parametrize("sigma", [None, 2.0])
def test_a_hundred_single_steps_give_the_same_bits(
    sigma: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(3)
    taps = Taps(0, 24)
    x, weight, delay = (torch.rand(100, 2, 40) < 0.3).float(), torch.randn(50, 40), 24 * torch.rand(50, 40)
    project = FrozenLinear(weight, delay, taps=taps, sigma=sigma)
    steps = in_chunks(x, list(range(1, 100)), taps, lambda chunk, history: project(chunk, history=history))
    for name in ("direct", "spectral"):
        plan = cost.Plan(name, spectral.Tiling(3, 2), 0.0)
        monkeypatch.setattr(running, "choose", lambda plan=plan, **_: plan)
        assert torch.equal(project(x), steps)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), cuts=st.lists(st.integers(0, 60), max_size=9).map(sorted))
def test_any_chunking_of_a_filter_gives_the_same_bits(seed: int, cuts: list[int]) -> None:
    torch.manual_seed(seed)
    taps = Taps(0, 12)
    x, delay = torch.randn(60, 2, 5, 3), 12 * torch.rand(5, 1)

    def smear(chunk: Tensor, history: Tensor | None) -> Tensor:
        return delay_filter(chunk, delay, taps=taps, sigma=1.5, history=history, exact=True)

    assert torch.equal(in_chunks(x, cuts, taps, smear), smear(x, None))


@pytest.mark.parametrize("sigma", [None, 0.5])
def test_blocks_of_the_batch_change_nothing(sigma: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(4)
    x, weight, delay = torch.randn(30, 7, 5).round(), torch.randn(6, 5), 9 * torch.rand(6, 5)
    options = {"taps": Taps(0, 9), "sigma": sigma, "extend": 4, "exact": True}
    whole = delayed_linear(x, weight, delay, **options), delay_filter(x, delay[0], **options)
    monkeypatch.setattr(running, "_WIDTH", 3)
    monkeypatch.setattr(gathering, "_CACHED", 100)
    parts = delayed_linear(x, weight, delay, **options), delay_filter(x, delay[0], **options)
    assert all(map(torch.equal, whole, parts))


def test_exact_needs_no_gradient_and_keeps_the_type() -> None:
    weight = torch.randn(3, 2, requires_grad=True)
    y = delayed_linear(
        torch.ones(4, 1, 2), weight, torch.zeros(3, 2), taps=Taps(0, 3), sigma=None, exact=True
    )
    assert y.dtype == torch.float32
    assert not y.requires_grad


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_single_precision_stays_within_two_millionths(blocks: int) -> None:
    """A layer as in the SHD recipe against the sum over taps in double precision."""
    torch.manual_seed(5)
    taps, start, length, tiling = Taps(0, 24), 0, 112, spectral.Tiling(blocks, 4)
    x = (torch.rand(100, 8, 140) < 0.1).float()
    weight, delay, grad = torch.randn(256, 140), 24 * torch.rand(256, 140), torch.randn(length, 8, 256)

    def results(formulation, dtype: torch.dtype, *more) -> list[Tensor]:
        w, d, inputs, g = (t.to(dtype) for t in (weight, delay, x, grad))
        over_taps = kernel.build(w, d, taps, 0.5)
        y = formulation.convolve(inputs, over_taps, start, length, *more)
        to_x, to_taps = formulation.gradients(g, inputs, over_taps, start, *more, (True, True))
        return [y, to_x, *kernel.gradients(to_taps, w, d, taps, 0.5)]

    got, truth = results(spectral, torch.float32, tiling), results(direct, torch.float64)
    for value, expected in zip(got, truth, strict=True):
        assert (value - expected).norm() <= 2e-6 * expected.norm()


@pytest.mark.parametrize("sigma", [0.23, 3.0, 12.0])
def test_equals_dcls(sigma: float) -> None:
    """The reference's layer, whose position P is 12 - d for 25 taps."""
    modules = pytest.importorskip("DCLS.construct.modules", reason="DCLS (extra `bench`) is not installed")
    torch.manual_seed(6)
    layer = modules.Dcls1d(20, 30, 1, dilated_kernel_size=25, bias=False, version="gauss")
    delay = (24 * torch.rand(30, 20)).requires_grad_()
    layer.P.data = 12 - delay.detach()[None, :, :, None]
    layer.SIG.data.fill_(sigma)
    weight = layer.weight.detach()[..., 0].clone().requires_grad_()
    x = (torch.rand(60, 4, 20) < 0.2).float()
    theirs = layer(torch.nn.functional.pad(x.permute(1, 2, 0), (24, 12))).permute(2, 0, 1)
    ours = delayed_linear(x, weight, delay, taps=Taps(0, 24), sigma=sigma, extend=12)
    grad = torch.randn_like(ours)
    theirs.backward(grad)
    ours.backward(grad)
    pairs = [(ours, theirs), (weight.grad, layer.weight.grad[..., 0]), (delay.grad, -layer.P.grad[0, ..., 0])]
    for got, expected in pairs:
        assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()
