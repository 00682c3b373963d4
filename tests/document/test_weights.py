"""The weights a document names, wherever it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.document import Document, DocumentError, EditError, History, dumps, loads, weights


def test_the_path_is_relative_to_the_documents_folder(tmp_path: Path) -> None:
    document = Document.new()
    assert weights.place(document, tmp_path) is None
    file = tmp_path / "name.runs" / "1" / "checkpoint.safetensors"
    document.edit("Use", weights.starting_from(document, file, tmp_path))
    assert document.meta["weights"] == "name.runs/1/checkpoint.safetensors"
    assert weights.place(loads(dumps(document)), tmp_path) == file


def test_an_unsaved_document_names_them_absolutely_and_keeps_them_when_saved(tmp_path: Path) -> None:
    document, file = Document.new(), tmp_path / "runs" / "w.safetensors"
    document.edit("Use", weights.starting_from(document, file, None))
    assert document.meta["weights"] == file.as_posix()
    document.edit("Move", weights.moved(document, None, tmp_path / "documents"))
    assert document.meta["weights"] == "../runs/w.safetensors"
    document.edit("Move", weights.moved(document, tmp_path / "documents", tmp_path))
    assert document.meta["weights"] == "runs/w.safetensors"
    assert weights.moved(document, tmp_path, tmp_path) == []
    assert weights.moved(Document.new(), tmp_path, tmp_path / "x") == []


def test_using_and_letting_go_are_edits(tmp_path: Path) -> None:
    document = Document.new()
    history, before = History(document), dumps(document)
    document.edit("Use", weights.starting_from(document, tmp_path / "w", tmp_path))
    document.edit("Let go", weights.starting_from(document, None, tmp_path))
    assert "weights" not in document.meta
    assert weights.starting_from(document, None, tmp_path) == []
    history.undo()
    assert document.meta["weights"] == "w"
    history.undo()
    assert dumps(document) == before


def test_weights_are_a_path() -> None:
    document = Document.new()
    with pytest.raises(EditError, match=r"meta\.weights"):
        document.edit("Use", [{"op": "set", "path": ["meta", "weights"], "value": 3}])
    with pytest.raises(DocumentError, match=r"meta\.weights"):
        loads(dumps(document).replace('"seed": 0', '"seed": 0, "weights": 3'))
