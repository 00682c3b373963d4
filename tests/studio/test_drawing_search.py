"""Searching node types: what is typed finds what is meant, first."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes import registry
from studio.search import USES, Uses, Wanted, found, match
from studio.settings import Settings


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("lif", "population.lif"),
        ("LIF", "population.lif"),
        ("den", "projection.dense"),
        ("poisson", "population.poisson"),
        ("conv2", "projection.conv2d"),
        ("batch", "structure.batch_norm"),
        ("learnable", "delays.learnable"),
        ("spike count", "readout.spike_count"),
        ("cross", "loss.cross_entropy"),
        ("heidelberg", "dataset.shd"),
        ("  izh ", "population.izhikevich"),
        ("raster", "probe.spikes"),
    ],
)
def test_what_is_typed_finds_what_is_meant(query: str, first: str) -> None:
    assert found(query)[0].type == first


def test_an_exact_name_comes_before_a_longer_one() -> None:
    types = [spec.type for spec in found("lif")]
    assert types.index("population.lif") < types.index("population.alif")


def test_better_matches_have_lower_tiers() -> None:
    lif, dense = registry.all()["population.lif"], registry.all()["projection.dense"]
    assert match("lif", lif) == 0
    assert match("leaky", lif) == 3
    assert match("xyz", lif) is None
    assert match("dns", dense) == 6
    assert match("", dense) == 0


def test_frequent_use_decides_among_equal_matches() -> None:
    plain = [spec.type for spec in found("")]
    used = [spec.type for spec in found("", uses={plain[-1]: 3})]
    assert used == [plain[-1], *plain[:-1]]
    assert found("lif", uses={"population.alif": 99})[0].type == "population.lif"


def test_only_what_fits_a_wire_is_offered() -> None:
    delays = {spec.role for spec in found("", Wanted(("delays",), True))}
    assert delays == {"projection"}
    labels = {spec.role for spec in found("", Wanted(("label",), True))}
    assert labels == {"loss"}
    into_delays = {spec.role for spec in found("", Wanted(("delays",), False))}
    assert into_delays == {"delays"}


def test_populations_are_offered_to_spikes_after_what_fits_directly() -> None:
    offered = [spec.role for spec in found("", Wanted(("spikes",), True))]
    assert "population" in offered
    assert "delays" not in offered
    assert offered[0] == "projection"
    assert found("lif", Wanted(("spikes",), True))[0].type == "population.lif"


def test_sources_are_offered_to_the_input_of_a_population() -> None:
    roles = {spec.role for spec in found("", Wanted(("current",), False))}
    assert {"projection", "population", "dataset", "encoder"} <= roles
    assert "probe" not in roles


def test_uses_are_remembered(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    Uses(settings).add("population.lif")
    Uses(settings).add("population.lif")
    assert Uses(settings).counts == {"population.lif": 2}
    settings.put(USES, '{"population.lif": "many", "gone": 3, "projection.dense": 1}')
    assert Uses(settings).counts == {"projection.dense": 1}
    settings.put(USES, "[broken")
    assert Uses(settings).counts == {}
