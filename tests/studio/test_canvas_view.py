"""Mouse and keys on the canvas: pan, zoom, select, move, nudge, resize, fit, minimap."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.document import Document, dumps
from engine.document.ops import set_op
from studio.canvas.view import CanvasView
from studio.canvas.wire import WireItem
from studio.session import Session
from tests.studio.drawings import chain, grouped

Open = Callable[[Document], Session]
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
Make = Callable[[Document], CanvasView]


@pytest.fixture
def make(open_session: Open, qtbot: QtBot) -> Iterator[Make]:
    # Held until the end: Python's collector, running in the checker's thread, must not find a view.
    views: list[CanvasView] = []

    def made(document: Document) -> CanvasView:
        view = CanvasView(open_session(document))
        views.append(view)
        view.resize(1000, 700)
        view.show()
        qtbot.waitExposed(view)
        view.set_zoom(1.0)
        view.centre_on(QPointF(300, 100))
        return view

    yield made
    for view in views:
        view.close()
        view.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def pixel(view: CanvasView, x: float, y: float) -> QPoint:
    return view.mapFromScene(QPointF(x, y))


def drag(
    view: CanvasView,
    start: QPoint,
    end: QPoint,
    button: Qt.MouseButton = LEFT,
    keys: Qt.KeyboardModifier = NONE,
) -> None:
    """Press, move in three steps, release."""
    hold(view, start, end, button, keys)
    QTest.mouseRelease(view.viewport(), button, keys, end)


def hold(
    view: CanvasView,
    start: QPoint,
    end: QPoint,
    button: Qt.MouseButton = LEFT,
    keys: Qt.KeyboardModifier = NONE,
) -> None:
    QTest.mousePress(view.viewport(), button, keys, start)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(view.viewport(), start + (end - start) * share)


def wheel(view: CanvasView, at: QPoint, notches: int, keys: Qt.KeyboardModifier = NONE) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(view.viewport().mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)


def at(view: CanvasView, key: str) -> list[float]:
    place: list[float] = view.session.document.layout[key]["at"]
    return place


@pytest.mark.parametrize("notches", [1, 3, -2, -8])
def test_zoom_keeps_the_point_under_the_pointer(make: Make, notches: int) -> None:
    view = make(chain())
    place = QPoint(700, 200)
    before = view.mapToScene(place)
    wheel(view, place, notches)
    after = view.mapToScene(place)
    assert (view.zoom > 1) == (notches > 0)
    assert abs(after.x() - before.x()) <= 1 / view.zoom
    assert abs(after.y() - before.y()) <= 1 / view.zoom


def test_zoom_has_limits(make: Make) -> None:
    view = make(chain())
    wheel(view, QPoint(10, 10), 100)
    assert view.zoom <= 4
    wheel(view, QPoint(10, 10), -200)
    assert view.zoom >= 0.04


@pytest.mark.parametrize("space", [False, True])
def test_middle_drag_or_space_and_drag_pans(make: Make, space: bool) -> None:
    view = make(chain())
    before = view.mapToScene(QPoint(0, 0))
    if space:
        QTest.keyPress(view, Qt.Key.Key_Space)
    drag(view, pixel(view, 20, 20), pixel(view, 20, 20) + QPoint(60, -40), LEFT if space else MIDDLE)
    if space:
        QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.mapToScene(QPoint(0, 0)) - before == QPointF(-60, 40)
    assert not view.session.dirty
    assert not view.session.selection


def test_a_tap_of_space_is_the_shortcut_and_a_drag_with_it_is_not(make: Make) -> None:
    view = make(chain())
    played: list[bool] = []
    play = QAction(view)
    play.setShortcut(QKeySequence(Qt.Key.Key_Space))
    play.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    play.triggered.connect(lambda: played.append(True))
    view.addAction(play)
    QTest.keyPress(view, Qt.Key.Key_Space)
    drag(view, pixel(view, 20, 20), pixel(view, 90, 20))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert not played
    QTest.keyPress(view, Qt.Key.Key_Space)
    assert not played
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert played == [True]
    drag(view, pixel(view, 20, 20), pixel(view, 90, 20))
    assert at(view, "n") != [0, 0]


def test_fit_shows_all_and_fit_selection_shows_that(make: Make) -> None:
    view = make(chain())
    view.set_zoom(3.0)
    view.fit_all()
    assert view.visible_area().contains(view.canvas.extent())
    view.session.select({"c"})
    view.fit_selection()
    assert view.visible_area().contains(view.canvas.node_rect("c"))
    assert (view.visible_area().center() - view.canvas.node_rect("c").center()).manhattanLength() < 3


def test_clicks_select_and_modifiers_add_and_take_away(make: Make) -> None:
    view = make(chain())
    for key, keys, expected in (
        ("n", NONE, {"n"}),
        ("c", SHIFT, {"n", "c"}),
        ("n", CTRL, {"c"}),
        ("w", NONE, {"w"}),
    ):
        place = view.mapFromScene(view.canvas.node_rect(key).topLeft() + QPointF(60, 10))
        QTest.mouseClick(view.viewport(), LEFT, keys, place)
        assert view.session.selection == expected
    middle = view.canvas.items_by_id["nw"].path().pointAtPercent(0.5)  # type: ignore[union-attr]
    QTest.mouseClick(view.viewport(), LEFT, NONE, view.mapFromScene(middle))
    assert view.session.selection == {"nw"}
    QTest.mouseClick(view.viewport(), LEFT, NONE, pixel(view, 20, 300))
    assert view.session.selection == frozenset()


def test_rubber_band_contains_to_the_right_and_touches_to_the_left(make: Make) -> None:
    view = make(chain())
    left, right = pixel(view, -30, -30), pixel(view, 260, 150)
    drag(view, left, right)
    assert view.session.selection == {"n"}
    drag(view, right, left)
    assert view.session.selection == {"n", "w", "d", "nw", "dw"}
    drag(view, left, right, keys=CTRL)
    assert view.session.selection == {"w", "d", "nw", "dw"}


def test_a_drag_is_one_step_snaps_to_the_grid_and_undo_brings_it_back(make: Make) -> None:
    view = make(chain())
    before = dumps(view.session.document)
    view.session.select({"c"})
    start = pixel(view, 500, 10)
    drag(view, start, start + QPoint(53, 178))
    assert [v % 20 for v in at(view, "c")] == [0, 0]
    assert at(view, "c") != [480, 0]
    assert [edit.label for edit in view.session.history.done] == ["Move"]
    view.session.undo()
    assert dumps(view.session.document) == before
    assert view.canvas.items_by_id["c"].pos() == QPointF(480, 0)


def test_a_drag_without_snapping_goes_exactly_as_far_as_the_mouse(make: Make) -> None:
    view = make(chain())
    view.snap = False
    start = pixel(view, 500, 10)
    drag(view, start, start + QPoint(53, 178))
    assert at(view, "c") == [533, 178]


def test_dragged_nodes_snap_to_their_neighbours(make: Make) -> None:
    view = make(chain())
    view.session.edit("Odd", [set_op(["layout", "n", "at"], [0, 7])])
    start = pixel(view, 500, 10)
    drag(view, start, start + QPoint(0, 9))
    assert at(view, "c")[1] == 7


def test_escape_leaves_everything_where_it_was(make: Make) -> None:
    view = make(chain())
    before = dumps(view.session.document)
    hold(view, pixel(view, 500, 10), pixel(view, 560, 210))
    assert view.canvas.items_by_id["c"].pos() != QPointF(480, 0)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.canvas.items_by_id["c"].pos() == QPointF(480, 0)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, pixel(view, 560, 210))
    assert dumps(view.session.document) == before
    assert not view.session.history.done


def test_wires_follow_while_dragging_and_reroute_points_move_along(make: Make) -> None:
    view = make(chain())
    view.session.edit("Point", [set_op(["layout", "nw"], {"points": [[200, 60]]})])
    view.session.select({"n", "w"})
    start = pixel(view, 20, 10)
    hold(view, start, start + QPoint(0, 200))
    assert view.canvas.items_by_id["wc"].start == view.canvas.port_pos("w", "output", "out")  # type: ignore[union-attr]
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(0, 200))
    moved = at(view, "n")[1]
    assert view.session.document.layout["nw"]["points"] == [[200, 60 + moved]]


def test_moving_a_frame_moves_what_lies_on_it(make: Make) -> None:
    document = chain()
    document.edit("Frame", [set_op(["layout", "f"], {"at": [-20, -60], "size": [220, 240], "frame": "in"})])
    view = make(document)
    start = pixel(view, -10, -50)
    drag(view, start, start + QPoint(0, 120))
    assert at(view, "f")[1] > 0
    assert at(view, "n")[1] == at(view, "f")[1] + 60
    assert at(view, "w") == [240, 0]


def test_moving_a_collapsed_group_moves_its_members(make: Make) -> None:
    view = make(grouped(collapsed=True))
    start = pixel(view, 300, 10)
    drag(view, start, start + QPoint(0, 200))
    assert (at(view, "g"), at(view, "w"), at(view, "d")) == ([240, 200], [240, 200], [240, 300])
    assert len(view.session.history.done) == 1


def test_arrows_nudge_in_one_step_and_pan_without_a_selection(make: Make) -> None:
    view = make(chain())
    view.session.select({"c"})
    for _ in range(3):
        QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
    assert at(view, "c") == [540, 1]
    assert len(view.session.history.done) == 1
    view.session.undo()
    assert at(view, "c") == [480, 0]
    view.session.select(())
    before = view.mapToScene(QPoint(0, 0))
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.mapToScene(QPoint(0, 0)).x() > before.x()


def test_alt_and_arrows_walk_from_node_to_node(make: Make) -> None:
    view = make(chain())
    view.session.select({"n"})
    QTest.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert view.session.selection == {"w"}
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert view.session.selection == {"d"}


def test_a_frame_is_resized_by_its_corner_in_one_step(make: Make) -> None:
    document = chain()
    document.edit("Frame", [set_op(["layout", "f"], {"at": [0, 160], "size": [200, 100], "frame": "in"})])
    view = make(document)
    drag(view, pixel(view, 196, 256), pixel(view, 241, 318))
    assert view.session.document.layout["f"]["size"] == [240, 320 - 160]
    view.session.undo()
    assert view.canvas.node_rect("f").width() == 200


def test_an_edit_by_somebody_else_ends_a_drag(make: Make) -> None:
    view = make(chain())
    hold(view, pixel(view, 500, 10), pixel(view, 560, 210))
    view.session.edit("Name", [set_op(["nodes", "n", "name"], "other")])
    assert not view.busy
    assert view.canvas.items_by_id["c"].pos() == QPointF(480, 0)


def test_a_click_in_the_minimap_goes_there(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    qtbot.waitUntil(lambda: view.minimap._scale() > 0)
    view.centre_on(QPointF(2000, 2000))
    QTest.mouseClick(view.minimap, LEFT, NONE, view.minimap.rect().center())
    middle = view.canvas.extent().center()
    assert (view.visible_area().center() - middle).manhattanLength() < 20
    view.set_zoom(4.0)
    assert view.minimap.isVisible()
    view.minimap_shown = False
    assert not view.minimap.isVisible()


def test_the_minimap_is_there_only_while_something_is_out_of_sight(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    qtbot.waitUntil(lambda: view.minimap._scale() > 0)
    view.pan_by(QPoint(900, 0))
    assert view.minimap.isVisible()
    view.fit_all()
    assert not view.minimap.isVisible()


def test_an_empty_canvas_says_what_to_do_until_the_first_node(make: Make) -> None:
    view = make(Document.new("Empty"))
    assert view.hint.isVisible()
    assert not view.minimap.isVisible()
    assert (view.hint.geometry().center() - view.viewport().rect().center()).manhattanLength() < 4
    node = {"type": "population.lif", "v": 1, "name": "cells", "params": {}}
    view.session.edit("Add", [{"op": "add_node", "id": "a", "node": node}])
    assert not view.hint.isVisible()
    view.session.undo()
    assert view.hint.isVisible()


def test_reveal_enters_the_scope_that_shows_a_node(make: Make) -> None:
    view = make(grouped(collapsed=True))
    view.session.enter("g")
    view.reveal(["n"])
    assert view.session.scope is None
    view.centre_on(QPointF(3000, 3000))
    view.reveal(["w"])
    assert view.visible_area().contains(view.canvas.node_rect("g"))


def test_a_wire_that_leaves_the_group_names_what_is_outside_and_a_click_goes_there(make: Make) -> None:
    view = make(grouped(collapsed=True))
    view.session.enter("g")
    into, out = view.canvas.items_by_id["nw"], view.canvas.items_by_id["wc"]
    assert isinstance(into, WireItem)
    assert isinstance(out, WireItem)
    assert into.look.outside == "from noise · spikes"
    assert out.look.outside == "to cells · input"
    assert into.chip.right() <= into.start.x() < into.end.x() < out.end.x() <= out.chip.left()
    QTest.mouseClick(view.viewport(), LEFT, NONE, view.mapFromScene(out.chip.center()))
    assert view.session.scope is None
    assert view.session.selection == {"c"}


def test_the_wires_of_the_node_under_the_pointer_stand_out(make: Make) -> None:
    view = make(chain())
    wires = [view.canvas.items_by_id[key] for key in ("nw", "wc", "dw")]
    QTest.mouseMove(view.viewport(), pixel(view, 520, 30))
    assert [wire.hovered for wire in wires] == [False, True, False]
    QTest.mouseMove(view.viewport(), pixel(view, 300, 30))
    assert all(wire.hovered for wire in wires)
    QTest.mouseMove(view.viewport(), pixel(view, 460, 24))
    assert [wire.hovered for wire in wires] == [False, True, False], "now on a wire of its own"
    QTest.mouseMove(view.viewport(), pixel(view, 300, 300))
    assert not any(wire.hovered for wire in wires)
