"""The files of chips: every number has a source, and a malformed file is told in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.export.hardware import chips as known
from engine.export.hardware.chips import FOLDER, Chip, ChipError, Part, chip, chips, read
from nodes import registry
from tests.export.limited import (
    broken,
    chip_of,
    net,
)


def test_the_chips_of_the_issue_are_there() -> None:
    wanted = {"loihi2", "spinnaker1", "spinnaker2", "xylo_audio2", "xylo_audio3", "xylo_imu", "speck2f"}
    assert wanted | {"dynapse2", "akida", "brainscales2", "fpga", "cortex_m4"} == set(chips())
    assert set(chips()) == {path.stem for path in FOLDER.glob("*.toml")}


@pytest.mark.parametrize("one", chips().values(), ids=list(chips()))
def test_every_number_has_a_source_and_every_name_exists(one: Chip) -> None:
    costs = one.energy.costs.values() if one.energy else ()
    for entry in (*one.limits.values(), *one.neurons, *one.projections, *costs):
        assert len(entry.source.split()) >= 2 or "/" in entry.source, entry
    for part in (*one.neurons, *one.projections):
        _check_part(part)


def _check_part(part: Part) -> None:
    for type in part.types:
        assert registry.get(type) is not None, type
    params = {name: p for type in part.types for name, p in registry.all()[type].params.items()}
    for name, values in part.only.items():
        assert name in params, name
        assert any(params[name].problem(value) is None for value in values), (name, values)
    assert part.most.keys() <= params.keys()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[limits]\nneurons = { max = 4 }", r"mine.toml: limits.neurons needs source, a text"),
        ('[limits]\nneurons = { source = "x" }', "limits.neurons has neither min, max nor choices"),
        ('[limits]\nneuron = { max = 4, source = "x" }', "unknown entry 'neuron' .did you mean neurons"),
        ('[limits]\nneurons = { max = "4", source = "x" }', "limits.neurons.max must be a number"),
        ("[limits]\nneurons = 4", "limits.neurons must be a table, not 4"),
        ('[[neuron]]\ntypes = "a"\nsource = "x"', "neuron.types must be a list"),
        ('[[neuron]]\ntypes = []\nwhere = "top"\nsource = "x"', "neuron.where must be hidden or output"),
        ('[energy]\nsynapse_pj = { value = 1, source = "x" }', "energy needs model, a text"),
        ('[energy]\nmodel = "m"\nsynapse = { value = 1, source = "x" }', "unknown entry 'synapse'"),
        ("limits = [", "mine.toml is no TOML"),
        ("titel = 3", "the file has an unknown entry 'titel' .did you mean title"),
    ],
)
def test_a_malformed_file_is_told_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ChipError, match=sentence):
        chip_of(tmp_path, text)


def test_a_missing_file_and_an_unknown_chip(tmp_path: Path) -> None:
    with pytest.raises(ChipError, match="cannot be read"):
        read(tmp_path / "none.toml")
    with pytest.raises(ChipError, match=r"no chip 'lohi2' .did you mean loihi2"):
        chip("lohi2")
    assert chip("Loihi 2") is chip("loihi2")


def test_the_chip_of_the_contributors_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "resources" / "help" / "contributing.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "tiny.toml").write_text(text, encoding="utf-8")
    tiny = read(tmp_path / "tiny.toml")
    _check_part(tiny.neurons[0])
    assert [d.code for d in broken(net(size=90), tiny)] == ["MYL213"]


@pytest.fixture
def discovery() -> Iterator[None]:
    known._discover.cache_clear()
    yield
    known._discover.cache_clear()


@pytest.mark.usefixtures("discovery")
def test_chips_of_other_packages_and_one_that_is_malformed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("good", 'title = "Good"\nmaker = "m"\nabout = "a"\n'), ("bad", "titel = 3\n")):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")

    class Entry:
        def __init__(self, name: str) -> None:
            self.name = name

        def load(self) -> Path:
            if self.name == "torn":
                raise RuntimeError("torn apart")
            return tmp_path / f"{self.name}.toml"

    entries = [Entry("good"), Entry("bad"), Entry("torn")]
    monkeypatch.setattr(known, "entry_points", lambda group: entries if group == "myelin.chips" else [])
    assert chip("good").title == "Good"
    assert "loihi2" in chips()
    assert len(known.problems()) == 2
    assert "bad.toml: the file has an unknown entry 'titel'" in known.problems()[0]
    assert "the chip torn cannot be loaded (torn apart)" in known.problems()[1]
    with pytest.raises(ChipError, match=r"bad\.toml"):
        chip("bad")


def test_a_number_is_verified_unless_its_source_says_otherwise() -> None:
    assert chip("loihi2").limits["delay_steps"].verified
    assert not chip("loihi2").limits["neurons"].verified
