"""Automatic layout and the drawing as a picture."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer

from engine.document import Document, DocumentError, load
from engine.document.document import new_node
from engine.document.ops import add_node
from studio.canvas.face import node_size
from studio.canvas.layout import Layout, auto_layout, layout_ops
from studio.canvas.picture import export_picture
from studio.canvas.scene import CanvasScene
from studio.session import Session
from tests.studio.drawings import chain

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
