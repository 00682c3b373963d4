"""The pass that says, while somebody draws, what keeps the network off the chip it is meant for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.compile import compile_document
from engine.compile.diagnostics import CODES, SEVERITIES
from engine.document import Document, load, save
from tests.compile.drawing import codes, new_document, project, set_param


def aimed(target: Any, delay: float = 80.0) -> Document:
    d = new_document()
    source, cells = d.add("population.poisson", size=[2]), d.add("population.lif", name="cells", size=[2])
    project(d, source, cells, delay=delay, name="late")
    if target is not None:
        d.edit("target", [{"op": "set", "path": ["meta", "target"], "value": target}])
    return d


def test_a_document_without_a_target_has_no_limits() -> None:
    assert codes(compile_document(aimed(None))) == []
    assert codes(compile_document(aimed(""))) == []


def test_a_broken_limit_is_at_its_nodes_and_the_program_is_there() -> None:
    document = aimed("loihi2")
    compiled = compile_document(document)
    (limit,) = [d for d in compiled.diagnostics if d.severity == "limit"]
    assert (limit.code, limit.at) == ("MYL212", "delay")
    assert limit.message == "'late' delays by up to 80 steps of 1 ms; Loihi 2 holds 62 steps"
    assert "lava-dl" in limit.hint
    assert set(limit.nodes) == {document.find("late"), document.find("fixed")}
    assert compiled.program is not None
    assert compiled.errors == ()


def test_its_fix_is_an_edit_that_can_be_undone() -> None:
    document = aimed("loihi2")
    before = document.copy()
    fix = next(d.fix for d in compile_document(document).diagnostics if d.severity == "limit")
    assert fix is not None
    edit = document.edit(fix.label, fix.ops)
    assert not [d for d in compile_document(document).diagnostics if d.severity == "limit"]
    document.edit("undo", edit.inverse)
    assert (document.nodes, document.wires, document.meta) == (before.nodes, before.wires, before.meta)


@pytest.mark.parametrize("target", ["lohi2", 7, ["loihi2"]])
def test_an_unknown_target_is_one_warning_and_nothing_is_lost(target: Any) -> None:
    document = aimed(target)
    compiled = compile_document(document)
    assert codes(compiled) == ["MYL210"]
    assert compiled.program is not None
    assert document.meta["target"] == target
    if target == "lohi2":
        assert "did you mean loihi2" in compiled.diagnostics[0].message


def test_the_same_drawing_gives_the_same_fixes() -> None:
    document = aimed("loihi2")
    set_param(document, document.find("late"), "bias", True)
    assert compile_document(document).diagnostics == compile_document(document).diagnostics


def test_severities_and_codes() -> None:
    assert {code.severity for code in CODES.values()} == set(SEVERITIES)
    assert {f"MYL{number}" for number in range(210, 220)} <= set(CODES)


# ------------------------------------------------------------------ the commands


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.myelin"
    save(aimed(None), path)
    return path


def test_check_against_a_chip_leaves_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_bytes()
    assert main(["check", str(file)]) == 0
    capsys.readouterr()
    assert main(["check", str(file), "--chip", "loihi2"]) == 1
    assert "limit MYL212: 'late' delays by up to 80 steps" in capsys.readouterr().out
    assert file.read_bytes() == before


def test_check_as_json_names_the_other_fixes(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--chip", "loihi2", "--json"]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    limit = next(d for d in report["diagnostics"] if d["severity"] == "limit")
    assert limit["fix"].startswith("Clip the delays")
    assert limit["alternatives"] == []


def test_check_fixes_what_breaks_limits_but_not_what_it_notes(file: Path) -> None:
    assert main(["check", str(file), "--chip", "loihi2", "--fix"]) == 0
    document = load(file)
    assert document.nodes[document.find("fixed")].params["delay"] == 62.0
    assert "target" not in document.meta
    assert document.recipes == {}


def test_check_keeps_the_target_of_the_document(tmp_path: Path) -> None:
    file = tmp_path / "net.myelin"
    save(aimed("fpga"), file)
    assert main(["check", str(file), "--chip", "loihi2", "--fix"]) == 0
    assert load(file).meta["target"] == "fpga"


@pytest.mark.parametrize("command", [["chips"], ["check"], ["budget"]])
def test_an_unknown_chip_is_one_sentence(
    file: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*command, "lohi2"] if command == ["chips"] else [*command, str(file), "--chip", "lohi2"]
    assert main(arguments) == 2
    assert capsys.readouterr().err == "myelin: there is no chip 'lohi2' (did you mean loihi2?)\n"


def test_chips_are_listed_and_shown_with_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chips"]) == 0
    assert "loihi2" in capsys.readouterr().out
    assert main(["chips", "loihi2"]) == 0
    page = capsys.readouterr().out
    assert "delay_steps" in page
    assert "lava-dl 0.6.0" in page
    assert main(["chips", "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["loihi2"]["limits"]["delay_steps"]["max"] == 62
    assert tree["loihi2"]["limits"]["neurons"]["verified"] is False


def test_a_budget_is_a_table_or_json_and_its_status_tells_if_it_fits(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["budget", str(file), "--chip", "loihi2"]) == 1
    shown = capsys.readouterr().out
    assert "too much" in shown
    assert "taken to fire in 5% of the steps" in shown
    assert main(["budget", str(file), "--chip", "cortex_m4", "--json", "--steps", "10"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert (tree["chip"], tree["fits"], tree["energy"]["steps"]) == ("cortex_m4", True, 10)
