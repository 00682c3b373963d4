"""The Python script of a document draws it again, to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.document import Document, dumps, load
from engine.errors import MyelinError
from engine.export.target import get, options_of
from engine.export.targets.script import run, script
from engine.export.verify import export, verify
from tests.export.networks import GALLERY, ROOT, network, recorded

TARGET = get("script")
PROJECTS = sorted(path.parent.name for path in (ROOT / "projects").glob("*/*.myelin"))


def drawn_again(document: Document, folder: Path) -> Document:
    path = folder / "network.py"
    path.write_text(script(document), "utf-8")
    return run(path, folder / "out.myelin")


@pytest.mark.parametrize("name", GALLERY)
def test_it_draws_the_gallery_which_runs_the_same(tmp_path: Path, name: str) -> None:
    found, options = network(name), options_of(TARGET)
    frozen = replace(found.frozen, document=found.document)
    path = tmp_path / "network.py"
    export(TARGET, found.program, frozen, path, options)
    report = verify(TARGET, path, frozen, recorded(name), options)
    assert report.status == "verified"
    assert report.exact


@pytest.mark.parametrize("name", [name for name in PROJECTS if name not in GALLERY])
def test_every_project_comes_back_to_the_byte(tmp_path: Path, name: str) -> None:
    path = ROOT / "projects" / name / f"{name}.myelin"
    assert dumps(drawn_again(load(path), tmp_path)) == path.read_text("utf-8")


def test_what_is_unusual_comes_back_too(tmp_path: Path) -> None:
    document = Document.new('A "quoted" title \\ with\nlines', dt_ms=0.5, seed=7)
    a = document.add("population.lif", name="class", at=[1, 2], size=[3], tau_mem=7)
    b = document.add("population.lif", name="class 2")
    mine: dict[str, Any] = {"type": "their.node", "v": 3, "name": "odd", "params": {"a-b": 1}, "more": [None]}
    ops: list[dict[str, Any]] = [
        {"op": "add_node", "id": "xodd", "node": mine},
        {"op": "add_wire", "id": "w1", "wire": {"from": [a, "spikes"], "to": ["xodd", "in"], "tint": "red"}},
        {"op": "add_wire", "id": "w2", "wire": {"from": ["xodd", "out"], "to": [b, "input"]}},
        {"op": "set", "path": ["layout", b], "value": {"at": [3.5, -4], "folded": True}},
        {
            "op": "set",
            "path": ["layout", "note"],
            "value": {"at": [0, 0], "comment": "two\nlines 'and' \"quotes\""},
        },
        {"op": "set", "path": ["meta", "weights"], "value": "w.safetensors"},
        {"op": "set", "path": ["recipes", "train"], "value": {"epochs": 3}},
        {"op": "set", "path": ["later"], "value": {"unknown": [1, 2.0, "three"]}},
    ]
    document.edit("Unusual", ops)
    document.app = "another program"
    document.edit("Unset", [{"op": "unset", "path": ["meta", "seed"]}])
    assert dumps(drawn_again(document, tmp_path)) == dumps(document)


def test_only_what_was_chosen_is_written() -> None:
    text = script(network("coincidence").document)
    assert "add('em8rmdvu', 'encoder.direct', 'drive', [0, 45], offset=1.05, size=[1])" in text
    assert "surrogate" not in text


def test_without_the_document_one_sentence_says_so(tmp_path: Path) -> None:
    found = network("coincidence")
    with pytest.raises(MyelinError, match="needs the document"):
        export(
            TARGET, found.program, replace(found.frozen, document=None), tmp_path / "x.py", options_of(TARGET)
        )
    assert list(tmp_path.iterdir()) == []
