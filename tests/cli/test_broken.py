"""Every kind of broken file in the fixture folder gives its one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.document import load
from tests.cli.conftest import Myelin

BROKEN = Path(__file__).resolve().parents[1] / "fixtures" / "broken"
EXPECTED = json.loads((BROKEN / "expected.json").read_text(encoding="utf-8"))


def of_level(level: str) -> list[str]:
    return sorted(name for name, case in EXPECTED.items() if case["level"] == level)


@pytest.mark.parametrize("name", of_level("load"))
def test_a_file_that_cannot_be_opened(myelin: Myelin, name: str) -> None:
    done = myelin("check", BROKEN / name)
    assert (done.status, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("myelin: ")
    assert name in line
    assert EXPECTED[name]["contains"] in line


@pytest.mark.parametrize("name", of_level("check"))
def test_a_network_that_cannot_run(myelin: Myelin, name: str) -> None:
    done = myelin("check", BROKEN / name)
    assert (done.status, done.err) == (1, "")
    (line,) = done.out.splitlines()
    assert line.startswith(f"{BROKEN / name}: error MYL")
    assert EXPECTED[name]["contains"] in line


def test_every_file_is_expected_to_say_something() -> None:
    assert {path.name for path in BROKEN.glob("*.myelin")} == set(EXPECTED)
    assert len(of_level("check")) >= 16


def test_all_at_once(myelin: Myelin) -> None:
    files = sorted(BROKEN.glob("*.myelin"))
    done = myelin("check", *files)
    assert done.status == 2
    assert len(done.out.splitlines()) + len(done.err.splitlines()) == len(files)


def test_as_json(myelin: Myelin) -> None:
    done = myelin("check", BROKEN / "value-out-of-range.myelin", BROKEN / "half-a-file.myelin", "--json")
    network, half = json.loads(done.out)
    assert (done.status, done.err) == (2, "")
    (found,) = network["diagnostics"]
    assert network["error"] is None
    assert (found["code"], found["severity"], found["at"]) == ("MYL110", "error", "tau_mem")
    assert found["fix"] == "Reset 'tau_mem' to 20 ms"
    assert found["nodes"] == [load(BROKEN / "value-out-of-range.myelin").find("cells")]
    assert half["diagnostics"] == []
    assert "half-a-file.myelin" in half["error"]
