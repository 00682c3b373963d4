"""Automatic layout and the drawing as a picture."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from engine.document import Document, DocumentError, dumps, load, save
from engine.document.document import new_node
from engine.document.ops import add_node
from studio.arranging import QUICK, Arranging
from studio.canvas.face import node_size
from studio.canvas.layout import Layout, auto_layout, layout_ops, missing_layout
from studio.canvas.picture import export_picture
from studio.canvas.scene import CanvasScene
from studio.session import Session
from studio.window import MainWindow
from tests.studio.drawings import chain

Open = Callable[[Document], Session]
PROJECTS = sorted((Path(__file__).parents[2] / "projects").glob("*/*.myelin"))


def clashes(document: Document, layout: Layout) -> list[tuple[str, str]]:
    """Pairs of nodes that lie on one another."""
    rects = {key: QRectF(x, y, *node_size(document, key)) for key, (x, y) in layout.places.items()}
    return [(a, b) for a, b in combinations(rects, 2) if rects[a].intersects(rects[b])]


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.stem)
def test_the_gallery_is_laid_out_without_overlap(path: Path) -> None:
    document = load(path)
    layout = auto_layout(document)
    assert layout.places.keys() == document.nodes.keys()
    assert not clashes(document, layout)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_any_graph_with_any_loops_is_laid_out_without_overlap(pairs: list[tuple[int, int]]) -> None:
    document = Document.new("any")
    ops = [add_node(f"n{i}", new_node("structure.dropout", f"node {i}")) for i in range(12)]
    for number, (a, b) in enumerate(pairs):
        wire = {"from": [f"n{a}", "output"], "to": [f"n{b}", "input"]}
        ops.append({"op": "add_wire", "id": f"w{number}", "wire": wire})
    document.edit("Any", ops)
    layout = auto_layout(document)
    assert layout.places.keys() == document.nodes.keys()
    assert not clashes(document, layout)
    document.edit("Lay out", layout_ops(document, layout))
    assert auto_layout(document) == layout


def test_signals_run_from_left_to_right_and_delays_hang_below() -> None:
    places = auto_layout(chain()).places
    assert places["n"][0] < places["w"][0] < places["c"][0]
    assert places["n"][1] == places["w"][1] == places["c"][1]
    assert places["d"][1] > places["w"][1]


def test_a_selection_stays_where_it_was() -> None:
    places = auto_layout(chain(), {"w", "d"}).places
    assert places.keys() == {"w", "d"}
    assert min(x for x, _ in places.values()) == 240
    assert min(y for _, y in places.values()) == 0


def scripted() -> Document:
    """The chain as a script writes it: nobody has a place but the noise."""
    document = chain()
    document.edit("Forget", [{"op": "unset", "path": ["layout", key]} for key in ("w", "c", "d")])
    return document


def test_nodes_without_a_place_go_below_those_that_have_one() -> None:
    document = scripted()
    layout = missing_layout(document)
    assert layout.places.keys() == {"w", "c", "d"}
    document.edit("Lay out", layout_ops(document, layout))
    assert document.layout["n"]["at"] == [0, 0]
    assert not clashes(document, Layout({key: document.layout[key]["at"] for key in document.nodes}, {}))
    assert missing_layout(document).places == {}


def test_a_document_of_a_script_is_laid_out_when_it_is_opened(window: MainWindow, tmp_path: Path) -> None:
    save(scripted(), tmp_path / "scripted.myelin")
    session = window.files.open(tmp_path / "scripted.myelin")
    assert session is not None
    assert all("at" in session.document.layout[key] for key in session.document.nodes)
    assert [edit.label for edit in session.history.done] == ["Lay out"]
    assert not session.dirty, "whoever only looks at it is not asked to save"
    session.undo()
    assert dumps(session.document) == (tmp_path / "scripted.myelin").read_text()


def test_a_large_drawing_is_laid_out_beside_the_window(open_session: Open, qtbot: QtBot) -> None:
    document = Document.new("large")
    keys = [f"n{i}" for i in range(QUICK + 50)]
    wires = [(f"w{a}", {"from": [a, "output"], "to": [b, "input"]}) for a, b in pairwise(keys[:100])]
    document.edit(
        "Any",
        [add_node(key, new_node("structure.dropout", key)) for key in keys]
        + [{"op": "add_wire", "id": key, "wire": wire} for key, wire in wires],
    )
    session = open_session(document)
    arranging = Arranging(session)
    with qtbot.waitSignal(arranging.done):
        arranging.start()
        assert not session.history.done, "the window goes on at once"
        session.edit("Delete", [{"op": "del_node", "id": keys[-1]}])
    assert [edit.label for edit in session.history.done] == ["Delete", "Auto-layout"]
    assert {key for key in document.layout if key in document.nodes} == document.nodes.keys()


@pytest.mark.parametrize("transparent", [False, True])
def test_pictures_can_be_read(
    open_session: Callable[[Document], Session], tmp_path: Path, transparent: bool
) -> None:
    scene = CanvasScene(open_session(chain()))
    for name in ("a.svg", "a.png"):
        export_picture(scene, tmp_path / name, transparent=transparent)
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    assert QSvgRenderer(str(tmp_path / "a.svg")).isValid()
    image = QImage(str(tmp_path / "a.png"))
    assert image.width() == pytest.approx(2 * (scene.extent().width() + 64), abs=2)
    assert (image.pixelColor(1, 1).alpha() == 0) == transparent
    export_picture(scene, tmp_path / "b.png", ["c"])
    assert QImage(str(tmp_path / "b.png")).width() < image.width()
    assert scene.items_by_id["n"].isVisible()


def test_a_picture_that_cannot_be_written_is_one_sentence(
    open_session: Callable[[Document], Session], tmp_path: Path
) -> None:
    scene = CanvasScene(open_session(chain()))
    with pytest.raises(DocumentError, match="cannot save"):
        export_picture(scene, tmp_path / "missing" / "a.png")
