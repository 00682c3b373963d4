"""Text on the canvas can be read: large enough at any zoom, whole or ending in an ellipsis, with contrast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from engine.document import Document
from engine.document.ops import set_op
from studio.canvas import style
from studio.canvas.box import BoxItem
from studio.canvas.view import CanvasView
from studio.canvas.wire import Trim, WireItem
from studio.inspector.other_pages import COLOURS
from studio.session import Session
from studio.theme import theme
from tests.studio.drawings import chain

TEXT = "A sound reaches the left ear, and the right ear 4 ms later: which detector fires?\nTry another delay."
ZOOMS = (1.25, 1.0, 0.9, 0.61, 0.45, 0.36)


@pytest.fixture
def view(qtbot: QtBot, open_session: Callable[[Document], Session]) -> Iterator[CanvasView]:
    document = chain()
    note = {"at": [0, -200], "size": [440, 74], "comment": TEXT}
    frame = {"at": [-40, -60], "size": [300, 240], "frame": "What comes before the cells"}
    document.edit("Notes", [set_op(["layout", "note"], note), set_op(["layout", "frame"], frame)])
    view = CanvasView(open_session(document))
    qtbot.addWidget(view)
    view.resize(800, 600)
    view.show()
    yield view
    view.close()


def box(view: CanvasView, key: str) -> BoxItem:
    item = view.canvas.items_by_id[key]
    assert isinstance(item, BoxItem)
    return item


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("key", ["note", "frame"])
def test_comments_and_titles_are_readable_and_fit(view: CanvasView, key: str, zoom: float) -> None:
    item = box(view, key)
    of = "note" if key == "note" else "frame"
    size = style.size_at(of, zoom)
    assert size * zoom >= 12
    lines = item.lines(zoom)
    assert lines
    known = style.metrics(of, size)
    assert max(known.horizontalAdvance(line) for line in lines) <= item.box.width
    assert len(lines) * known.lineSpacing() <= item.box.height + known.lineSpacing()
    assert item.shortened(zoom) == lines[-1].endswith(style.ELLIPSIS)


@pytest.mark.parametrize("key", ["note", "frame"])
def test_what_is_shortened_is_told_in_full(view: CanvasView, key: str) -> None:
    item = box(view, key)
    at = item.pos() + QPointF(60, 10)
    view.set_zoom(1.0)
    assert not item.shortened(1.0)
    assert view.canvas.tip_at(at) == ""
    view.set_zoom(0.36)
    assert view.canvas.tip_at(at) == item.box.text


@pytest.mark.parametrize(
    ("text", "width", "wanted"),
    [("softmax_sum", 40.0, 1), ("leaky integrator", 60.0, 2), ("cross entropy", 400.0, 1)],
)
def test_a_name_is_elided_and_never_cut(text: str, width: float, wanted: int) -> None:
    lines = style.wrapped("name", text, width, 40.0, 13)
    assert len(lines) == wanted
    known = style.metrics("name", 13)
    assert all(known.horizontalAdvance(line) <= width for line in lines)
    shown = "".join(lines).replace(style.ELLIPSIS, "").replace(" ", "")
    assert text.replace(" ", "").startswith(shown) or style.ELLIPSIS in "".join(lines)


def test_the_rest_of_a_text_is_an_ellipsis() -> None:
    (line,) = style.wrapped("note", "one\ntwo", 400.0, 10.0)
    assert line == f"one two{style.ELLIPSIS}"


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("colour", COLOURS)
def test_titles_stand_out_from_their_frames(view: CanvasView, name: str, colour: str) -> None:
    before = theme.name
    theme.use(name)
    try:
        view.session.edit("Colour", [set_op(["layout", "frame", "colour"], colour)])
        item = box(view, "frame")
        image = QImage(300, 240, QImage.Format.Format_ARGB32)
        image.fill(theme.colour("canvas"))
        painter = QPainter(image)
        item.paint_area(painter)
        painter.end()
        assert contrast(item.text_colour(), image.pixelColor(150, 12)) >= 4.5
    finally:
        theme.use(before)


def contrast(one: QColor, other: QColor) -> float:
    """The ratio of WCAG."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: QColor) -> float:
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_label_of_a_wire_can_be_read_wherever_it_is_shown(view: CanvasView) -> None:
    view.session.edit("Away", [set_op(["layout", "c"], {"at": [800, 0]})])
    item = view.canvas.items_by_id["wc"]
    assert isinstance(item, WireItem)
    (trim,) = [child for child in item.childItems() if isinstance(child, Trim)]
    shown = []
    for zoom in (1.0, 0.8, 0.6):
        label = trim.label_at(zoom)
        assert label.width() > 10
        assert trim.rect().contains(label)
        shown.append((round(label.width() * zoom), round(label.height() * zoom)))
    assert len(set(shown)) == 1
