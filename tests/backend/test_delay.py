"""The laws of the delayed projection: it equals a plain loop over taps, and so do its gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.backend.delay import (
    Taps,
    delay_filter,
    delayed_linear,
    direct,
    kernel,
    spectral,
    temporal,
    whole,
)

GRANULARITIES = ("synapse", "axonal", "dendritic", "projection")


def reference(
    x: Tensor,
    weight: Tensor,
    delay: Tensor,
    taps: Taps,
    sigma: float | None,
    history: Tensor | None,
    extend: int,
) -> Tensor:
    """y[t] = sum over k of (W g(k - d)) x[t - k], written as it reads and differentiable by torch."""
    delay = delay.expand(weight.shape)
    past = x.new_zeros(taps.high, *x.shape[1:]) if history is None else history
    full = torch.cat([past, x, x.new_zeros(extend, *x.shape[1:])])
    steps = torch.arange(taps.low, taps.high + 1)
    if sigma is None:
        masses = [(whole(delay, taps) == k).to(x) for k in steps]
    else:
        masses = [torch.exp(-((k - delay) ** 2) / (2 * (sigma + 0.27) ** 2)) for k in steps]
        total = sum(masses) + 1e-7
        masses = [mass / total for mass in masses]
    rows = []
    for t in range(len(x) + extend):
        terms = [full[taps.high + t - k] @ (weight * m).T for k, m in zip(steps, masses, strict=True)]
        rows.append(torch.stack(terms).sum(0))
    return torch.stack(rows)


@st.composite
def cases(draw: st.DrawFn, max_taps: int = 64) -> dict[str, object]:
    """A random projection in double precision."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    low = draw(st.integers(0, 4))
    taps = Taps(low, low + draw(st.integers(0, max_taps - 1)))
    steps, batch, inputs, outputs = (draw(st.integers(1, n)) for n in (40, 3, 4, 4))
    rows, columns = {"synapse": (1, 1), "axonal": (0, 1), "dendritic": (1, 0), "projection": (0, 0)}[
        draw(st.sampled_from(GRANULARITIES))
    ]
    shape = (outputs if rows else 1, inputs if columns else 1)
    delay = torch.rand(shape, dtype=torch.float64) * (taps.high - low + 2) + low - 1
    history = torch.randn(taps.high, batch, inputs, dtype=torch.float64) if draw(st.booleans()) else None
    sigma = draw(st.one_of(st.none(), st.floats(1e-3, 30)))
    return {
        "x": torch.randn(steps, batch, inputs, dtype=torch.float64),
        "weight": torch.randn(outputs, inputs, dtype=torch.float64),
        "delay": delay, "taps": taps, "sigma": sigma, "history": history, "extend": draw(st.integers(0, 15)),
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(case=cases(), exact=st.booleans())
def test_equals_the_loop_over_taps(case: dict, exact: bool) -> None:
    expected = reference(**case)
    got = delayed_linear(**case, exact=exact)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_gradients_equal_those_of_the_loop(case: dict) -> None:
    def gradients(function) -> list[Tensor]:
        leaves = {
            name: case[name].clone().requires_grad_()
            for name in ("x", "weight", "delay", "history")
            if case[name] is not None and not (name == "delay" and case["sigma"] is None)
        }
        y = function(**{**case, **leaves})
        return list(
            torch.autograd.grad(
                (y * torch.cos(y.detach() + 1)).sum(), list(leaves.values()), materialize_grads=True
            )
        )

    for got, expected in zip(gradients(delayed_linear), gradients(reference), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(case=cases(max_taps=30), blocks=st.integers(1, 6), width=st.integers(1, 3), start=st.integers(-8, 40))
def test_both_formulations_and_their_gradients_agree(case: dict, blocks: int, width: int, start: int) -> None:
    x, weight, taps = case["x"], case["weight"], case["taps"]
    over_taps = kernel.build(weight, case["delay"].expand(weight.shape), taps, case["sigma"])
    length, tiling = len(x) + case["extend"], spectral.Tiling(blocks, width)
    y = direct.convolve(x, over_taps, start, length)
    torch.testing.assert_close(spectral.convolve(x, over_taps, start, length, tiling), y, rtol=0, atol=1e-11)
    grad = torch.randn_like(y)
    expected = direct.gradients(grad, x, over_taps, start, (True, True))
    got = spectral.gradients(grad, x, over_taps, start, tiling, (True, True))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("sigma", [1e-3, 0.7, 30.0])
@pytest.mark.parametrize("shape", [(3, 2), (1, 2), (3, 1), (1, 1)])
def test_gradients_equal_finite_differences(sigma: float, shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    taps = Taps(1, 5)
    leaves = [
        torch.randn(4, 2, 2), torch.randn(3, 2), 1 + 4 * torch.rand(shape), torch.randn(taps.high, 2, 2)
    ]  # fmt: skip
    leaves = [leaf.double().requires_grad_() for leaf in leaves]

    def project(x: Tensor, weight: Tensor, delay: Tensor, history: Tensor) -> Tensor:
        return delayed_linear(x, weight, delay, taps=taps, sigma=sigma, history=history, extend=3)

    assert torch.autograd.gradcheck(project, leaves)


@settings(max_examples=40, deadline=None)
@given(case=cases(max_taps=20), exact=st.booleans())
def test_filter_equals_a_diagonal_projection(case: dict, exact: bool) -> None:
    case["delay"] = case["delay"][:1]
    channels = case["x"].shape[2]
    case["weight"] = torch.eye(channels, dtype=torch.float64)
    expected = reference(**case)
    del case["weight"]
    case["delay"] = case["delay"][0]
    torch.testing.assert_close(delay_filter(**case, exact=exact), expected, rtol=1e-10, atol=1e-10)


def test_filter_gradients_over_several_axes_equal_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporal, "_CACHED", 20)
    torch.manual_seed(2)
    x = torch.randn(6, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    for shape in [(3, 2), (3, 1), (2,), (1,), ()]:
        delay = (3 * torch.rand(shape, dtype=torch.float64)).requires_grad_()
        assert torch.autograd.gradcheck(
            lambda x, d: delay_filter(x, d, taps=Taps(0, 4), sigma=0.5, extend=2), (x, delay)
        )


@settings(max_examples=60, deadline=None)
@given(
    delays=st.lists(st.floats(-5, 70), min_size=1, max_size=9),
    low=st.integers(0, 3),
    count=st.integers(1, 64),
)
def test_rounding_gives_one_tap(delays: list[float], low: int, count: int) -> None:
    taps = Taps(low, low + count - 1)
    delay = torch.tensor(delays)
    masses = kernel.masses(delay, taps, None)
    assert torch.equal(masses.sum(0), torch.ones(len(delays)))
    assert torch.equal(masses.argmax(0) + low, torch.tensor(delays).clamp(low, taps.high).round().long())


def test_halves_round_to_the_even_step() -> None:
    assert whole(torch.tensor([0.5, 1.5, 2.5, 9.0]), Taps(0, 4)).tolist() == [0, 2, 2, 4]


def test_gradient_reaches_no_rounded_delay() -> None:
    leaves = [torch.randn(5, 2, 3), torch.randn(4, 3), 3 * torch.rand(4, 3)]
    x, weight, delay = (leaf.requires_grad_() for leaf in leaves)
    delayed_linear(x, weight, delay, taps=Taps(0, 3), sigma=None).sum().backward()
    assert delay.grad is None
    assert weight.grad is not None
    assert x.grad is not None


def test_a_second_backward_pass_gives_the_same() -> None:
    x, weight = torch.randn(60, 2, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)
    y = delayed_linear(x, weight, 9 * torch.rand(4, 3), taps=Taps(0, 9), sigma=1.0).square().sum()
    first = torch.autograd.grad(y, [x, weight], retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(y, [x, weight])))


def test_shapes_that_do_not_fit_are_refused() -> None:
    x, weight = torch.randn(5, 2, 3), torch.randn(4, 3)
    with pytest.raises(ValueError, match="should be"):
        delayed_linear(x, weight.T, torch.zeros(1, 1), taps=Taps(0, 2), sigma=None)
    with pytest.raises(ValueError, match="delay"):
        delayed_linear(x, weight, torch.zeros(3, 4), taps=Taps(0, 2), sigma=None)
    with pytest.raises(ValueError, match="history"):
        delayed_linear(x, weight, torch.zeros(4, 3), taps=Taps(0, 2), sigma=None, history=x)
    with pytest.raises(ValueError, match="taps"):
        Taps(3, 2)


def test_training_works_after_inference_mode() -> None:
    x, weight, delay = torch.randn(50, 3, 4), torch.randn(7, 4, requires_grad=True), 8 * torch.rand(7, 4)
    with torch.inference_mode():
        before = delayed_linear(x, weight, delay, taps=Taps(0, 8), sigma=1.0)
    after = delayed_linear(x, weight, delay, taps=Taps(0, 8), sigma=1.0)
    after.sum().backward()
    assert torch.equal(before, after.detach())


@pytest.mark.parametrize("shape", [(7, 4), (1, 4), (7, 1)])
@pytest.mark.parametrize("exact", [False, True])
def test_spikes_of_any_type_and_autocast_give_the_weights_type(shape: tuple[int, int], exact: bool) -> None:
    spikes, weight, delay = torch.rand(20, 3, 4) < 0.5, torch.randn(7, 4), 3 * torch.rand(shape)
    options = {"taps": Taps(0, 3), "sigma": 1.0, "exact": exact}
    expected = delayed_linear(spikes.float(), weight, delay, **options)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for x in (spikes, spikes.bfloat16()):
            assert torch.equal(delayed_linear(x, weight, delay, **options), expected)
