from __future__ import annotations

import errno
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.document import (
    Document,
    DocumentError,
    History,
    Journal,
    discard,
    dumps,
    journal_path,
    load,
    recover,
    save,
)
from tests.document.edits import new_document, random_ops


def _title(document: Document, title: str) -> None:
    document.edit("Set title", [{"op": "set", "path": ["meta", "title"], "value": title}])


def _crash(journal: Journal) -> Path:
    """The process dies: the file stays as it is, nobody cleans up."""
    journal._release()
    assert journal.path is not None
    return journal.path


@pytest.fixture
def opened(tmp_path: Path) -> tuple[Document, Path, Journal]:
    path = tmp_path / "net.myelin"
    save(Document.new("base"), path)
    document = load(path)
    return document, path, Journal.start(document, path)


@given(st.randoms(use_true_random=False), st.booleans(), st.data())
def test_a_journal_cut_anywhere_loses_at_most_the_edit_in_flight(
    tmp_path_factory: pytest.TempPathFactory, rng: Random, saved: bool, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    document = new_document()
    if saved:
        save(document, folder / "net.myelin")
        journal = Journal.start(document, folder / "net.myelin")
    else:
        journal = Journal.start_unsaved(document, folder)
    assert journal.path is not None
    history = History(document)
    states = {journal.path.stat().st_size: dumps(document)}
    for _ in range(data.draw(st.integers(1, 6))):
        if rng.random() < 0.2:
            history.undo()
        else:
            document.edit("random", random_ops(document, rng))
        states[journal.path.stat().st_size] = dumps(document)
    path = _crash(journal)
    assert states[path.stat().st_size] == dumps(document)

    cut = data.draw(st.sampled_from(sorted(states)) | st.integers(0, path.stat().st_size))
    os.truncate(path, cut)
    whole = max((size for size in states if size <= cut), default=0)
    found = recover(path)
    if whole in (0, min(states)):
        assert found is None
        return
    assert found is not None
    assert dumps(found) == states[whole]

    again = Journal.resume(found, path)
    found.edit("after", random_ops(found, rng))
    _crash(again)
    recovered = recover(path)
    assert recovered is not None
    assert dumps(recovered) == dumps(found)


def test_each_edit_is_synced(opened: tuple[Document, Path, Journal], monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    _title(opened[0], "one")
    _title(opened[0], "two")
    assert len(synced) == 2


def test_a_clean_save_and_close_leave_nothing_to_recover(opened: tuple[Document, Path, Journal]) -> None:
    document, path, journal = opened
    _title(document, "changed")
    journal.save(path)
    assert load(path) == document
    assert recover(journal_path(path)) is None
    journal.close()
    _title(document, "after closing")
    assert os.listdir(path.parent) == ["net.myelin"]


def test_edits_after_a_save_are_replayed_over_it(opened: tuple[Document, Path, Journal]) -> None:
    document, path, journal = opened
    _title(document, "saved")
    journal.save(path)
    _title(document, "later")
    assert recover(_crash(journal)) == document


def test_saving_elsewhere_takes_the_journal_along(opened: tuple[Document, Path, Journal]) -> None:
    document, path, journal = opened
    _title(document, "changed")
    other = path.with_name("other.myelin")
    journal.save(other)
    assert sorted(os.listdir(path.parent)) == ["net.myelin", "other.myelin", "other.myelin.journal"]
    _title(document, "later")
    assert recover(_crash(journal)) == document
    assert load(path).meta["title"] == "base"


def test_the_first_save_of_an_unsaved_document(tmp_path: Path) -> None:
    document = Document.new("unsaved")
    journal = Journal.start_unsaved(document, tmp_path)
    _title(document, "changed")
    (tmp_path / "work").mkdir()
    journal.save(tmp_path / "work" / "net.myelin")
    assert os.listdir(tmp_path) == ["work"]
    assert sorted(os.listdir(tmp_path / "work")) == ["net.myelin", "net.myelin.journal"]


def test_a_crash_between_the_new_file_and_the_new_journal(
    opened: tuple[Document, Path, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, path, journal = opened
    _title(document, "saved")
    monkeypatch.setattr(Journal, "_begin", lambda *_: None)
    journal.save(path)
    assert recover(journal_path(path)) is None
    _title(document, "later")
    found = recover(_crash(journal))
    assert found == document


def test_a_crash_between_the_mark_and_the_new_file(
    opened: tuple[Document, Path, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, path, journal = opened
    _title(document, "unsaved")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", _full)
        with pytest.raises(DocumentError, match="no space"):
            journal.save(path)
    assert load(path).meta["title"] == "base"
    _title(document, "later")
    assert recover(_crash(journal)) == document


def test_a_journal_of_another_content_is_reported(opened: tuple[Document, Path, Journal]) -> None:
    document, path, journal = opened
    _title(document, "changed")
    journal_file = _crash(journal)
    save(Document.new("by someone else"), path)
    before = journal_file.read_bytes()
    with pytest.raises(DocumentError, match=r"net\.myelin was changed by something else"):
        recover(journal_file)
    assert load(path).meta["title"] == "by someone else"
    assert journal_file.read_bytes() == before
    path.unlink()
    with pytest.raises(DocumentError, match="no such file"):
        recover(journal_file)


def test_a_journal_with_edits_is_never_overwritten(opened: tuple[Document, Path, Journal]) -> None:
    document, path, journal = opened
    Journal.start(document, path).close()
    journal = Journal.start(document, path)
    _title(document, "changed")
    _crash(journal)
    with pytest.raises(DocumentError, match="recover or discard"):
        Journal.start(load(path), path)
    discard(journal_path(path))
    Journal.start(load(path), path).close()


@pytest.mark.parametrize("damage", [b"?", b'{"label": "x"}', b'{"label": "x", "ops": [4]}', b"\xff", b"{}"])
def test_damage_before_the_last_line_is_reported(
    opened: tuple[Document, Path, Journal], damage: bytes
) -> None:
    document, _, journal = opened
    _title(document, "first")
    first = dumps(document)
    _title(document, "second")
    _title(document, "third")
    path = _crash(journal)
    lines = path.read_bytes().split(b"\n")
    lines[2] = damage
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DocumentError, match="line 3 is damaged") as caught:
        recover(path)
    assert "net.myelin.journal" in str(caught.value)
    found = recover(path, partial=True)
    assert found is not None
    assert dumps(found) == first


@pytest.mark.parametrize("content", [b"hello\n", b'{"journal": 2, "base": null}\n', b"[]\n{}\n"])
def test_what_is_no_journal(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.myelin.journal"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match="line 1 is damaged"):
        recover(path)


def test_edits_that_do_not_fit_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "x.myelin.journal"
    edit = b'{"label": "x", "ops": [{"op": "del_node", "id": "nobody"}]}\n'
    path.write_bytes(b'{"journal": 1, "base": null, "document": 3}\n' + edit)
    with pytest.raises(DocumentError, match="not a Myelin document"):
        recover(path)
    whole = b'{"format": "myelin", "schema": 1, "nodes": {}, "wires": {}}'
    path.write_bytes(b'{"journal": 1, "base": null, "document": ' + whole + b"}\n" + edit)
    with pytest.raises(DocumentError, match="there is no node 'nobody'"):
        recover(path)


def _full(*_: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_never_hinders_editing(
    opened: tuple[Document, Path, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, path, journal = opened
    told: list[str] = []
    journal._on_failure = told.append
    _title(document, "first")
    first, write = dumps(document), os.write

    def half(file: int, content: Any) -> int:
        write(file, content[:9])
        return int(_full())

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        _title(document, "second")
    _title(document, "third")
    assert document.meta["title"] == "third"
    assert told == [journal.failure]
    assert "no space left" in told[0]
    found = recover(journal_path(path))
    assert found is not None
    assert dumps(found) == first
    journal.save(path)
    assert journal.failure is None
    _title(document, "fourth")
    assert recover(_crash(journal)) == document


def test_a_folder_that_takes_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.myelin"
    save(Document.new(), path)
    document = load(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", _full)
        journal = Journal.start(document, path)
    _title(document, "changed")
    assert journal.failure is not None
    assert journal.failure.isprintable()
    journal.close()


def test_a_save_of_unchanged_content_leaves_nothing_to_recover(
    opened: tuple[Document, Path, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, path, journal = opened
    _title(document, "changed")
    _title(document, "base")
    monkeypatch.setattr(Journal, "_begin", lambda *_: None)
    journal.save(path)
    assert recover(_crash(journal)) is None
