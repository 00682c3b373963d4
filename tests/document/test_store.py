from __future__ import annotations

import errno
import json
import os
import stat
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.document import Document, DocumentError, dumps, load, loads, save, store
from tests.document.edits import random_document

FIXTURES = Path(__file__).parent.parent / "fixtures"
BROKEN = FIXTURES / "broken"
CASES = json.loads((BROKEN / "expected.json").read_text())
EXPECTED = {name: case["contains"] for name, case in CASES.items() if case["level"] == "load"}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)
own_keys = {"format", "schema", "app", "meta", "nodes", "wires", "groups", "layout", "views", "recipes"}


def _unknown(known: set[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(texts.filter(lambda key: key not in known), values, max_size=3)


@given(st.randoms(use_true_random=False))
def test_what_is_read_is_what_was_written(rng: Random) -> None:
    document = random_document(rng)
    text = dumps(document)
    assert loads(text) == document
    assert dumps(loads(text)) == text
    assert text.endswith("}\n")


@given(_unknown(own_keys), _unknown({"type", "v", "name", "params"}), _unknown({"from", "to"}), values)
def test_unknown_keys_and_types_are_kept_verbatim(top: Any, node: Any, wire: Any, value: Any) -> None:
    tree = {
        **top,
        "format": "myelin",
        "schema": 1,
        "app": "x",
        "meta": {"mine": value},
        "groups": {},
        "nodes": {"n": {**node, "type": "acme.unknown", "v": 9, "name": "", "params": {"p": value}}},
        "wires": {"w": {**wire, "from": ["n", "a"], "to": ["n", "b"]}},
        "layout": {"n": {"mine": value}},
        "views": [{"mine": value}],
        "recipes": {"r": {"mine": value}},
    }
    again = dumps(loads(json.dumps(tree)))
    # The text tells 1 from 1.0 and from true, and -0.0 from 0.0; comparing the values would not.
    assert json.dumps(json.loads(again), sort_keys=True) == json.dumps(tree, sort_keys=True)


def test_the_form_on_disk(tmp_path: Path) -> None:
    content = (FIXTURES / "documents" / "schema1.myelin").read_bytes()
    save(load(FIXTURES / "documents" / "schema1.myelin"), tmp_path / "again.myelin")
    assert (tmp_path / "again.myelin").read_bytes() == content


def test_moving_a_box_changes_one_line() -> None:
    document = Document.new("move")
    node = document.add("acme.thing", at=(0, 0))
    before = dumps(document).splitlines()
    document.edit("move", [{"op": "set", "path": ["layout", node, "at"], "value": [10, 20]}])
    after = dumps(document).splitlines()
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_long_lists_are_broken_into_lines() -> None:
    document = Document.new("long")
    document.add("acme.thing", weights=[0.5] * 100)
    assert max(map(len, dumps(document).splitlines())) <= 110
    assert loads(dumps(document)) == document


def test_missing_optional_sections_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "bom.myelin"
    content = '{"format": "myelin", "schema": 1, "nodes": {"n": {"type": "t"}}, "wires": {}}'
    path.write_text(content, encoding="utf-8-sig")
    document = load(path)
    assert document.nodes["n"].params == {}
    assert document.views == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_broken_file_gives_one_sentence(name: str) -> None:
    content = (BROKEN / name).read_bytes()
    with pytest.raises(DocumentError) as caught:
        load(BROKEN / name)
    sentence = str(caught.value)
    assert name in sentence
    assert EXPECTED[name] in sentence
    assert sentence.isprintable()
    assert (BROKEN / name).read_bytes() == content


def test_there_are_enough_kinds_of_broken_files() -> None:
    assert len(EXPECTED) >= 15


@given(st.data())
def test_no_damage_to_a_file_gives_more_than_a_sentence(data: st.DataObject) -> None:
    """Any cut, and any byte overwritten, loads or is refused in one printable line."""
    content = bytearray((FIXTURES / "documents" / "schema1.myelin").read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] = data.draw(st.integers(0, 255))
    else:
        del content[place:]
    sentence = "damaged.myelin"
    try:
        loads(store.decode(bytes(content), "damaged.myelin"), "damaged.myelin")
    except DocumentError as error:
        sentence = str(error)
    assert "damaged.myelin" in sentence
    assert sentence.isprintable()


def test_ids_from_a_broken_file_cannot_break_the_line() -> None:
    tree = {"format": "myelin", "schema": 1, "wires": {}, "nodes": {"a\nb" * 1000: 3}}
    with pytest.raises(DocumentError) as caught:
        loads(json.dumps(tree))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_what_is_not_a_file(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.myelin", "no such file"), (tmp_path, "it is a folder")):
        with pytest.raises(DocumentError, match=reason) as caught:
            load(path)
        assert str(path) in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.myelin")
    with pytest.raises(DocumentError, match="not a regular file"):
        load(tmp_path / "pipe.myelin")


def test_an_absurdly_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.myelin"
    with path.open("wb") as file:
        file.truncate(store.MAX_BYTES + 1)  # Sparse: it takes no room on the disk.
    with pytest.raises(DocumentError, match=r"large\.myelin: it has 256 MiB"):
        load(path)


@pytest.mark.slow
def test_a_million_nodes_load(tmp_path: Path) -> None:
    path = tmp_path / "million.myelin"
    node = '"n%07d": {"type": "population.lif", "v": 1, "name": "", "params": {}}'
    with path.open("w") as file:
        file.write('{"format": "myelin", "schema": 1, "wires": {}, "nodes": {')
        file.write(",\n".join(node % index for index in range(1_000_000)))
        file.write("}}")
    assert len(load(path).nodes) == 1_000_000


def _failing(error: int) -> Any:
    def fail(*_: Any) -> Any:
        raise OSError(error, os.strerror(error))

    return fail


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_failing_save_keeps_the_old_file(
    call: str, error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.myelin"
    save(Document.new("old"), path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, _failing(error))
        with pytest.raises(DocumentError) as caught:
            save(Document.new("new"), path)
    assert "net.myelin" in str(caught.value)
    assert str(caught.value).isprintable()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["net.myelin"]


def test_a_disk_that_fills_up_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, calls = os.write, []

    def short(file: int, content: Any) -> int:
        calls.append(1)
        return write(file, content[:7]) if len(calls) < 5 else _failing(errno.ENOSPC)()

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(DocumentError, match="no space left"):
        save(Document.new("new"), tmp_path / "net.myelin")
    assert os.listdir(tmp_path) == []


def test_a_disk_that_takes_a_few_bytes_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:7]))
    document = Document.new("slow")
    save(document, tmp_path / "net.myelin")
    assert load(tmp_path / "net.myelin") == document


@pytest.mark.parametrize("name", ["no folder/net.myelin", "nul\0byte.myelin", "."])
def test_places_where_nothing_can_be_saved(name: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot save"):
        save(Document.new(), os.path.join(tmp_path, name))
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(
    sys.platform == "win32" or (hasattr(os, "geteuid") and os.geteuid() == 0),
    reason="the system's administrator may write everywhere, and Windows has other modes",
)
def test_a_write_protected_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "net.myelin"
    save(Document.new("old"), path)
    path.chmod(0o444)
    with pytest.raises(DocumentError, match="write-protected"):
        save(Document.new("new"), path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other modes, and links need a privilege")
def test_saving_keeps_links_and_modes(tmp_path: Path) -> None:
    real, link = tmp_path / "real.myelin", tmp_path / "link.myelin"
    save(Document.new("old"), real)
    real.chmod(0o640)
    link.symlink_to(real)
    save(Document.new("new"), link)
    assert link.is_symlink()
    assert load(real).meta["title"] == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_what_json_cannot_express_is_not_saved(tmp_path: Path) -> None:
    for bad in (float("nan"), float("inf"), 2j):
        with pytest.raises(DocumentError, match="JSON cannot express"):
            save(Document(meta={"bad": bad}), tmp_path / "net.myelin")
    assert os.listdir(tmp_path) == []
