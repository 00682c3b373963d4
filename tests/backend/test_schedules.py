"""Rates and widths against torch's own schedulers and the published numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from engine.backend import schedules
from engine.program import Op
from tests.compile.drawing import new_document, program_of

LENGTHS = (1, 2, 3, 4, 5, 7, 10, 40, 150)


def adam() -> torch.optim.Adam:
    return torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1)


@pytest.mark.parametrize("epochs", [n for n in LENGTHS if n > 1])
def test_onecycle_is_torchs(epochs: int) -> None:
    optimiser = adam()
    torchs = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=5e-3, total_steps=epochs)
    for epoch in range(epochs):
        rate = schedules.onecycle(epoch, epochs, 1e-3, 5e-3)
        assert rate.lr == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        assert rate.beta == pytest.approx(optimiser.param_groups[0]["betas"][0], rel=1e-9)
        optimiser.step()
        if epoch < epochs - 1:
            torchs.step()


def test_a_single_epoch_learns_at_the_peak() -> None:
    assert schedules.onecycle(0, 1, 1e-3, 5e-3) == schedules.Rate(5e-3, 0.85)


@pytest.mark.parametrize("epochs", LENGTHS)
def test_cosine_is_torchs(epochs: int) -> None:
    optimiser = adam()
    torchs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs)
    for epoch in range(epochs):
        assert schedules.cosine(epoch, epochs, 0.1, 0.0).lr == pytest.approx(
            optimiser.param_groups[0]["lr"], rel=1e-9
        )
        optimiser.step()
        torchs.step()


def test_exponential_and_constant() -> None:
    rates = [schedules.exponential(epoch, 8, 1.0, 0.0).lr for epoch in range(9)]
    assert rates[0] == 1
    assert rates[8] == pytest.approx(0.01)
    assert {round(b / a, 12) for a, b in pairwise(rates)} == {round(0.01 ** (1 / 8), 12)}
    assert schedules.constant(5, 8, 0.3, 1.0) == schedules.Rate(0.3)


@pytest.mark.parametrize("name", schedules.SCHEDULES)
@pytest.mark.parametrize("epochs", LENGTHS)
def test_every_schedule_gives_a_rate_in_every_epoch(name: str, epochs: int) -> None:
    for epoch in range(epochs):
        rate = schedules.SCHEDULES[name](epoch, epochs, 0.1, 0.5)
        assert 0 <= rate.lr <= 0.5


def delayed(**given: float) -> Op:
    d = new_document(dt=10.0)
    source, target = d.add("population.poisson", size=[2]), d.add("population.lif", size=[2])
    projection, late = d.add("projection.dense"), d.add("delays.learnable", **{"max_delay": 240.0, **given})
    d.connect(source, "spikes", projection, "input")
    d.connect(late, "delays", projection, "delays")
    d.connect(projection, "output", target, "input")
    return program_of(d).ops[projection]


def test_sigma_falls_as_published() -> None:
    """SHD: 25 taps, 150 epochs: from 12 to 0.23 by a factor of 0.89863 an epoch, over 37 epochs."""
    op = delayed()
    widths = [schedules.sigma(op, 12.0, epoch, 150) for epoch in range(150)]
    assert widths[0] == 12
    ratios = [b / a for a, b in pairwise(widths[:38])]
    assert ratios == pytest.approx([0.89863] * 37, abs=1e-4)
    assert widths[37:] == [0.23] * 113


@pytest.mark.parametrize("epochs", LENGTHS)
@pytest.mark.parametrize("duration", [0.0, 0.25, 1.0])
def test_sigma_never_rises_and_ends_where_it_should(epochs: int, duration: float) -> None:
    op = delayed(sigma_duration=duration)
    widths = [schedules.sigma(op, 12.0, epoch, epochs) for epoch in range(epochs)]
    assert widths == sorted(widths, reverse=True)
    assert min(widths) >= 0.23
    assert duration > 0 or widths == [0.23] * epochs


def test_a_width_that_starts_below_its_end_stays() -> None:
    assert schedules.sigma(delayed(), 0.1, 0, 10) == 0.1
