from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from engine.document import Document, History, dumps
from tests.document.edits import new_document, random_ops


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from("eeemusr"), max_size=30))
def test_undo_and_redo_walk_through_the_states(rng: Random, moves: list[str]) -> None:
    """e: edit, m: mergeable edit, u: undo, r: redo, s: save. Not dirty means: the saved bytes."""
    document = new_document()
    history = History(document)
    saved = dumps(document)
    for move in moves:
        before = dumps(document)
        if move in "em":
            document.edit("edit", random_ops(document, rng), merge="key" if move == "m" else None)
        elif move == "u" and history.undo():
            after = dumps(document)
            history.redo()
            assert dumps(document) == before
            history.undo()
            assert dumps(document) == after
        elif move == "r":
            history.redo()
        elif move == "s":
            saved = dumps(document)
            history.mark_saved()
        assert history.dirty or dumps(document) == saved
    states = [dumps(document)]
    while history.undo():
        states.append(dumps(document))
    assert dumps(document) == dumps(new_document())
    for state in reversed(states[:-1]):
        history.redo()
        assert dumps(document) == state


def _slide(document: Document, *values: float) -> None:
    for value in values:
        document.edit("Set seed", [{"op": "set", "path": ["meta", "tau"], "value": value}], merge="tau")


def test_a_dragged_slider_is_one_step() -> None:
    document = Document.new()
    history = History(document)
    _slide(document, 1.0, 2.0, 3.0)
    assert [edit.ops for edit in history.done] == [[{"op": "set", "path": ["meta", "tau"], "value": 3.0}]]
    history.end_merge()
    _slide(document, 4.0)
    assert len(history.done) == 2
    history.undo()
    assert document.meta["tau"] == 3.0
    history.undo()
    assert "tau" not in document.meta
    _slide(document, 5.0)
    assert history.undone == []


def test_a_slider_does_not_merge_over_a_save_or_an_undo() -> None:
    document = Document.new()
    history = History(document)
    _slide(document, 1.0)
    history.mark_saved()
    assert not history.dirty
    _slide(document, 2.0)
    assert history.dirty
    history.undo()
    assert not history.dirty
    _slide(document, 3.0)
    assert len(history.done) == 2


def test_a_saved_state_given_up_is_never_reached_again() -> None:
    document = Document.new()
    history = History(document)
    _slide(document, 1.0)
    history.mark_saved()
    history.undo()
    document.edit("other", [{"op": "set", "path": ["meta", "x"], "value": 1}])
    assert history.dirty
    history.undo()
    assert history.dirty


def test_nothing_to_undo_or_redo() -> None:
    history = History(Document.new())
    assert history.undo() is None
    assert history.redo() is None
    history.mark_unsaved()
    assert history.dirty
