"""The pages on export say what is there, and their example works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.export import target as targets
from engine.export.report import DIFFERS, READ, UNVERIFIED, VERIFIED
from engine.export.target import discover, get, options_of
from engine.export.verify import export, verify
from tests.export.networks import network, recorded

HELP = Path(__file__).resolve().parents[2] / "resources" / "help"


def rows(page: str) -> dict[str, list[str]]:
    """The rows of the page's tables by the word in their first cell."""
    lines = re.findall(r"^\| `(\w+)` \|(.*)\|$", (HELP / page).read_text("utf-8"), re.MULTILINE)
    return {word: [cell.strip() for cell in rest.split("|")] for word, rest in lines}


def test_the_table_is_that_of_the_targets() -> None:
    told = rows("export.md")
    assert {VERIFIED, DIFFERS, READ, UNVERIFIED} <= set(told)
    listed = [id for id, cells in told.items() if len(cells) == 4]
    assert listed == list(discover())
    for id, target in discover().items():
        _, software, _, options = told[id]
        assert software.startswith(target.software), id
        assert re.findall(r"`(\w+)`", options) == list(target.options), id


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The example of the contributors' page as a module of another package with an entry point."""
    page = (HELP / "contributing.md").read_text("utf-8")
    (source,) = (text for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "@target(" in text)
    (tmp_path / "myelin_synapses.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(targets, "_REGISTERED", dict(targets._REGISTERED))
    point = SimpleNamespace(load=lambda: __import__("myelin_synapses"))
    monkeypatch.setattr(targets, "entry_points", lambda group: [point] if group == "myelin.targets" else [])
    discover.cache_clear()
    yield "synapses"
    discover.cache_clear()


def test_the_target_of_the_contributors_page_works(example: str, tmp_path: Path) -> None:
    target, found, path = get(example), network("coincidence"), tmp_path / "net.csv"
    options = options_of(target, {"digits": 3})
    converted = export(target, found.program, found.frozen, path, options)
    assert converted.conversions[0].message == "weights are rounded to 3 places: by 0.0005 at most"
    report = verify(target, path, found.frozen, recorded("coincidence"), options)
    assert report.status == READ
    assert re.search(r"all [\d,]+ synapses are there", report.message)
    first = path.read_text("utf-8").splitlines()[1].split(",")
    assert first[3] == str(round(float(first[3]), 3))
    path.write_text("projection,pre,post,weight,delay_ms\n")
    with pytest.raises(targets.MyelinError, match="does not hold all synapses"):
        verify(target, path, found.frozen, recorded("coincidence"), options)
