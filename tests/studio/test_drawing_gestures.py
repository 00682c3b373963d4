"""Drawing with mouse and keys: every gesture by real events on the viewport."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from engine.document import Document, End, dumps
from studio.canvas import NODE_MIME
from studio.canvas.face import PortRef
from studio.canvas.node import NodeItem
from studio.canvas.search import Search
from studio.canvas.view import CanvasView
from studio.canvas.wire import WireItem
from studio.edits import grouping, wiring
from studio.session import Session

LEFT = Qt.MouseButton.LeftButton
PLAIN, CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


class Hand:
    """A person at a canvas."""

    def __init__(self, view: CanvasView) -> None:
        self.view, self.session, self.document = view, view.session, view.session.document

    def pixel(self, at: QPointF) -> QPoint:
        return self.view.mapFromScene(at)

    def port(self, node: str, port: str, side: str) -> QPointF:
        return self.view.canvas.port_pos(node, port, side)

    def middle(self, node: str) -> QPointF:
        return self.view.canvas.node_rect(node).center()

    def on_wire(self, wire: str, share: float = 0.5) -> QPointF:
        item = self.view.canvas.items_by_id[wire]
        assert isinstance(item, WireItem)
        return item.path().pointAtPercent(share)

    def press(self, at: QPointF, keys: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.mousePress(self.view.viewport(), LEFT, keys, self.pixel(at))

    def move(self, at: QPointF) -> None:
        QTest.mouseMove(self.view.viewport(), self.pixel(at))
        QApplication.processEvents()

    def release(self, at: QPointF, keys: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.mouseRelease(self.view.viewport(), LEFT, keys, self.pixel(at))

    def drag(self, start: QPointF, end: QPointF, keys: Qt.KeyboardModifier = PLAIN) -> None:
        self.press(start, keys)
        self.move((start + end) / 2)
        self.move(end)
        self.release(end, keys)

    def double_click(self, at: QPointF) -> None:
        QTest.mouseDClick(self.view.viewport(), LEFT, PLAIN, self.pixel(at))

    def wires(self) -> set[str]:
        name = {key: node.name for key, node in self.document.nodes.items()}
        return {
            f"{name[w.source.node]}.{w.source.port}>{name[w.target.node]}.{w.target.port}"
            for w in self.document.wires.values()
        }

    def wire(self, target: str) -> str:
        return next(key for key, w in self.document.wires.items() if w.target.node == target)


def popup() -> Search:
    found = QApplication.activePopupWidget()
    assert isinstance(found, Search)
    return found


def labels(shown: Search) -> list[str]:
    return [shown.list.item(row).text() for row in range(shown.list.count())]


@pytest.fixture
def hand(qtbot: QtBot, open_session: Callable[[Document], Session]) -> Iterator[Hand]:
    """A canvas with a source ``a``, a population ``b`` and a projection ``p`` from nowhere to nowhere."""
    numbers = count()
    d = Document.new("drawing", mint=lambda: f"n{next(numbers):03d}")
    d.add("population.poisson", "a", (0, 0), size=[2])
    d.add("population.lif", "b", (600, 0), size=[2])
    d.add("projection.sparse", "p", (300, 300))
    view = CanvasView(open_session(d))
    qtbot.addWidget(view)
    view.resize(1100, 800)
    view.show()
    view.set_zoom(1.0)
    view.centre_on(QPointF(400, 200))
    view.setFocus()
    yield Hand(view)
    view.close()


A, B, P = "n000", "n001", "n002"


def test_a_wire_is_drawn_from_port_to_port(hand: Hand) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.port(P, "input", "in"))
    assert hand.wires() == {"a.spikes>p.input"}
    hand.drag(hand.port(B, "input", "in"), hand.port(P, "output", "out"))
    assert hand.wires() == {"a.spikes>p.input", "p.output>b.input"}
    assert [edit.label for edit in hand.session.history.done] == ["Connect", "Connect"]


def test_population_to_population_is_one_step(hand: Hand) -> None:
    before = dumps(hand.document)
    hand.drag(hand.port(A, "spikes", "out"), hand.port(B, "input", "in"))
    assert hand.wires() == {"a.spikes>dense.input", "dense.output>b.input"}
    hand.session.undo()
    assert dumps(hand.document) == before


def test_ports_that_fit_glow_and_the_others_tell_why_not(hand: Hand) -> None:
    hand.press(hand.port(P, "output", "out"))
    hand.move(hand.port(P, "output", "out") + QPointF(80, 40))
    scene = hand.view.canvas
    target, source = scene.items_by_id[B], scene.items_by_id[A]
    assert isinstance(target, NodeItem)
    assert isinstance(source, NodeItem)
    assert target.lit is not None
    assert target.lit[PortRef(B, "input", "in")]
    assert not target.lit[PortRef(B, "spikes", "out")]
    assert source.opacity() < 1
    own = PortRef(P, "delays", "in")
    assert "a current cannot enter the port delays" in scene.tip_at(hand.port(*own))
    QTest.keyClick(hand.view, Qt.Key.Key_Escape)
    assert target.lit is None
    assert not hand.session.history.done


def test_a_refused_drop_says_why(hand: Hand, qtbot: QtBot) -> None:
    with qtbot.waitSignal(hand.session.refused) as refused:
        hand.drag(hand.port(P, "output", "out"), hand.port(P, "delays", "in"))
    assert refused.args == ["A current cannot enter the port delays of 'p': it takes delays"]
    with qtbot.waitSignal(hand.session.refused) as refused:
        hand.drag(hand.port(A, "spikes", "out"), hand.port(B, "spikes", "out"))
    assert refused.args == ["A wire joins an output to an input, and these are both outputs"]
    assert not hand.wires()


def test_a_drop_on_a_node_finds_its_best_port(hand: Hand, qtbot: QtBot) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.middle(P))
    hand.drag(hand.port(P, "output", "out"), hand.middle(B))
    assert hand.wires() == {"a.spikes>p.input", "p.output>b.input"}
    with qtbot.waitSignal(hand.session.refused) as refused:
        hand.drag(hand.port(P, "output", "out"), hand.middle(A))
    assert refused.args == ["'a' has no input for a current"]


def test_a_wire_let_go_over_its_own_node_is_nothing(hand: Hand) -> None:
    hand.drag(hand.port(B, "spikes", "out"), hand.middle(B))
    assert not hand.wires()
    assert len(hand.document.nodes) == 3


def test_the_end_of_a_wire_is_picked_up_moved_and_dropped(hand: Hand) -> None:
    hand.drag(hand.port(P, "output", "out"), hand.port(B, "input", "in"))
    c = hand.document.add("population.lif", "c", (600, 300))
    hand.drag(hand.port(B, "input", "in"), hand.port(c, "input", "in"))
    assert hand.wires() == {"p.output>c.input"}
    hand.drag(hand.port(c, "input", "in"), hand.port(c, "input", "in") + QPointF(-100, 100))
    assert not hand.wires()
    assert QApplication.activePopupWidget() is None
    hand.session.undo()
    item = hand.view.canvas.items_by_id[hand.wire(c)]
    assert item.opacity() == 1


def test_with_shift_a_new_wire_begins_at_a_wired_input(hand: Hand) -> None:
    hand.drag(hand.port(P, "output", "out"), hand.port(B, "input", "in"))
    q = hand.document.add("projection.dense", "q", (300, 500))
    hand.drag(hand.port(B, "input", "in"), hand.port(q, "output", "out"), SHIFT)
    assert hand.wires() == {"p.output>b.input", "q.output>b.input"}


def test_a_wire_dropped_on_empty_canvas_searches_what_fits(hand: Hand) -> None:
    before = dumps(hand.document)
    hand.drag(hand.port(P, "output", "out"), QPointF(700, 400))
    shown = popup()
    assert "LIF" in labels(shown)
    assert "Dense" not in labels(shown)
    QTest.keyClicks(shown.field, "lif")
    assert shown.marked == "population.lif"
    QTest.keyClick(shown.field, Qt.Key.Key_Return)
    assert hand.wires() == {"p.output>lif.input"}
    made = hand.document.find("lif")
    assert hand.port(made, "input", "in") == QPointF(700, 400)
    assert hand.session.selection == {made}
    hand.session.undo()
    assert dumps(hand.document) == before


def test_a_wire_from_an_input_searches_what_feeds_it(hand: Hand) -> None:
    hand.drag(hand.port(P, "delays", "in"), QPointF(200, 500))
    shown = popup()
    assert set(labels(shown)) == {"Fixed delays", "Learnable delays", "Random delays"} & set(labels(shown))
    QTest.keyClick(shown.field, Qt.Key.Key_Down)
    chosen = shown.marked
    assert chosen is not None
    QTest.keyClick(shown.field, Qt.Key.Key_Return)
    assert {node.type for node in hand.document.nodes.values()} >= {chosen}
    assert any(w.endswith("delays>p.delays") for w in hand.wires())


def test_a_double_click_on_empty_canvas_searches(hand: Hand, qtbot: QtBot) -> None:
    hand.double_click(QPointF(300, 200))
    shown = popup()
    QTest.keyClicks(shown.field, "no such thing")
    assert shown.marked is None
    QTest.keyClick(shown.field, Qt.Key.Key_Return)
    QTest.keyClick(shown.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    assert len(hand.document.nodes) == 3
    hand.double_click(QPointF(300, 200))
    QTest.keyClicks(popup().field, "dense")
    QTest.keyClick(popup().field, Qt.Key.Key_Enter)
    assert "dense" in hand.document.names()


def test_a_line_cuts_wires(hand: Hand) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.port(B, "input", "in"))
    hand.drag(hand.port(A, "spikes", "out"), hand.port(P, "input", "in"))
    cut = hand.on_wire(hand.wire(hand.document.find("dense")), 0.5)
    hand.drag(cut + QPointF(0, -60), cut + QPointF(0, 15), CTRL | ALT)
    assert hand.wires() == {"dense.output>b.input", "a.spikes>p.input"}
    assert hand.session.history.done[-1].label == "Cut wire"


def test_a_cut_given_up_leaves_the_wires(hand: Hand) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.port(P, "input", "in"))
    cut = hand.on_wire(hand.wire(P))
    hand.press(cut + QPointF(0, -60), CTRL | ALT)
    hand.move(cut + QPointF(0, 60))
    item = hand.view.canvas.items_by_id[hand.wire(P)]
    assert item.opacity() < 1
    QTest.keyClick(hand.view, Qt.Key.Key_Escape)
    assert item.opacity() == 1
    assert hand.wires() == {"a.spikes>p.input"}


def test_reroute_points_are_added_dragged_and_removed(hand: Hand) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.port(P, "input", "in"))
    wire = hand.wire(P)
    hand.double_click(hand.on_wire(wire))
    ((x, y),) = wiring.points(hand.document, wire)
    hand.drag(QPointF(x, y), QPointF(240, 60))
    assert wiring.points(hand.document, wire) == [[240, 60]]
    hand.press(QPointF(240, 60))
    hand.move(QPointF(300, 100))
    QTest.keyClick(hand.view, Qt.Key.Key_Escape)
    assert wiring.points(hand.document, wire) == [[240, 60]]
    hand.double_click(QPointF(240, 60))
    assert wiring.points(hand.document, wire) == []


def test_alt_and_click_adds_a_point_in_its_place_along_the_wire(hand: Hand) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.port(P, "input", "in"))
    wire = hand.wire(P)
    late, early = hand.on_wire(wire, 0.7), hand.on_wire(wire, 0.3)
    for at in (late, early):
        hand.press(at, ALT)
        hand.release(at, ALT)
    (first, second) = wiring.points(hand.document, wire)
    assert (QPointF(*first) - early).manhattanLength() < 4
    assert (QPointF(*second) - late).manhattanLength() < 4


def test_a_lone_node_dragged_onto_a_wire_is_inserted_in_one_step(hand: Hand) -> None:
    hand.drag(hand.port(P, "output", "out"), hand.port(B, "input", "in"))
    d = hand.document
    drop = d.add("structure.dropout", "drop", (0, 500))
    steps = len(hand.session.history.done)
    before = dumps(d)
    hand.view.snap = False
    start = hand.middle(drop)
    hand.drag(start, hand.on_wire(hand.wire(B), 0.5))
    assert hand.wires() == {"p.output>drop.input", "drop.output>b.input"}
    assert len(hand.session.history.done) == steps + 1
    hand.session.undo()
    assert dumps(d) == before
    hand.drag(hand.middle(drop), hand.middle(drop) + QPointF(60, 40))
    assert d.layout[drop]["at"] == [60, 540]
    assert hand.wires() == {"p.output>b.input"}


def test_a_lone_node_that_does_not_fit_is_only_moved(hand: Hand, qtbot: QtBot) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.port(P, "input", "in"))
    late = hand.document.add("delays.fixed", "late", (0, 500))
    hand.view.snap = False
    there = hand.on_wire(hand.wire(P))
    hand.drag(hand.middle(late), there)
    assert hand.wires() == {"a.spikes>p.input"}
    assert (hand.middle(late) - there).manhattanLength() < 3


def drop(hand: Hand, type: str, at: QPointF) -> bool:
    data = QMimeData()
    data.setData(NODE_MIME, type.encode())
    pixel, viewport = hand.pixel(at), hand.view.viewport()
    enter = QDragEnterEvent(pixel, Qt.DropAction.CopyAction, data, LEFT, PLAIN)
    QApplication.sendEvent(viewport, enter)
    event = QDropEvent(QPointF(pixel), Qt.DropAction.CopyAction, data, LEFT, PLAIN)
    QApplication.sendEvent(viewport, event)
    return bool(enter.isAccepted())


def test_a_type_dropped_on_the_canvas_becomes_a_node(hand: Hand) -> None:
    hand.view.snap = False
    assert drop(hand, "population.cuba", QPointF(200, 500))
    made = hand.document.find("cuba lif")
    assert (hand.middle(made) - QPointF(200, 500)).manhattanLength() < 2
    assert hand.session.selection == {made}


def test_a_type_dropped_on_a_wire_or_a_node_is_joined(hand: Hand) -> None:
    hand.drag(hand.port(P, "output", "out"), hand.port(B, "input", "in"))
    drop(hand, "structure.batch_norm", hand.on_wire(hand.wire(B)))
    assert hand.wires() == {"p.output>batch norm.input", "batch norm.output>b.input"}
    drop(hand, "probe.spikes", hand.middle(B))
    assert "b.spikes>spikes.input" in hand.wires()
    drop(hand, "delays.learnable", hand.middle(P))
    assert "learnable delays.delays>p.delays" in hand.wires()


def test_a_drop_that_does_not_fit_says_so(hand: Hand, qtbot: QtBot) -> None:
    before = dumps(hand.document)
    with qtbot.waitSignal(hand.session.refused) as refused:
        drop(hand, "delays.fixed", hand.middle(B))
    assert refused.args == ["'fixed delays' and 'b' have no ports that fit each other"]
    with qtbot.waitSignal(hand.session.refused) as refused:
        drop(hand, "acme.gone", QPointF(0, 500))
    assert refused.args == ["the node type acme.gone is not installed"]
    assert dumps(hand.document) == before


def folded(hand: Hand) -> str:
    d = hand.document
    hand.session.edit("wire", wiring.connect(d, End(A, "spikes"), End(P, "input")))
    hand.session.edit("wire", wiring.connect(d, End(P, "output"), End(B, "input")))
    ops, group = grouping.group(d, [P, B], "layer")
    hand.session.edit("Group", ops)
    hand.session.edit("Collapse", grouping.collapse(d, group, True))
    return group


def test_a_double_click_enters_a_group_and_keys_leave_it(hand: Hand) -> None:
    group = folded(hand)
    hand.double_click(hand.view.canvas.node_rect(group).center())
    assert hand.session.scope == group
    QTest.keyClick(hand.view, Qt.Key.Key_Backspace)
    assert hand.session.scope is None
    hand.session.enter(group)
    hand.session.select([B])
    QTest.keyClick(hand.view, Qt.Key.Key_Escape)
    assert hand.session.scope == group
    QTest.keyClick(hand.view, Qt.Key.Key_Escape)
    assert hand.session.scope is None


def test_the_breadcrumb_leads_back(hand: Hand) -> None:
    from PySide6.QtWidgets import QPushButton

    from studio.canvas.breadcrumb import Breadcrumb

    group = folded(hand)
    (crumb,) = hand.view.findChildren(Breadcrumb)
    assert not crumb.isVisible()
    ops, inner = grouping.group(hand.document, [B], "cells")
    hand.session.edit("Group", ops)
    hand.session.enter(inner)
    assert crumb.isVisible()
    ways = [button for button in crumb.findChildren(QPushButton) if button.isVisible()]
    assert [way.text() for way in ways] == ["drawing", "layer"]
    QTest.mouseClick(ways[1], LEFT)
    assert hand.session.scope == group
    assert hand.document.groups[inner]["parent"] == group


def test_a_wire_is_joined_to_a_collapsed_group(hand: Hand) -> None:
    group = folded(hand)
    extra = hand.document.add("population.poisson", "extra", (0, 500))
    hand.drag(hand.port(extra, "spikes", "out"), hand.view.canvas.node_rect(group).center())
    assert "extra.spikes>p.input" in hand.wires()


def test_a_node_added_inside_a_group_is_its_member(hand: Hand) -> None:
    group = folded(hand)
    hand.session.enter(group)
    free = hand.view.mapToScene(QPoint(30, 700))
    hand.double_click(free)
    QTest.keyClicks(popup().field, "lif")
    QTest.keyClick(popup().field, Qt.Key.Key_Return)
    made = hand.document.find("lif")
    assert made in hand.document.groups[group]["nodes"]


def context_menu(hand: Hand, at: QPointF) -> QMenu:
    pixel = hand.pixel(at)
    viewport = hand.view.viewport()
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(viewport, QContextMenuEvent(reason, pixel, viewport.mapToGlobal(pixel)))
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu)
    return found


def entries(menu: QMenu) -> dict[str, Any]:
    return {entry.text().replace("&", ""): entry for entry in menu.actions() if not entry.isSeparator()}


def test_the_menu_of_a_wire_adds_a_point(hand: Hand) -> None:
    hand.drag(hand.port(A, "spikes", "out"), hand.port(P, "input", "in"))
    wire = hand.wire(P)
    places = [hand.on_wire(wire, share) for share in (0.25, 0.75, 0.5)]
    for at in places:
        menu = context_menu(hand, at)
        entries(menu)["Add a reroute point here"].trigger()
        menu.close()
    found = [QPointF(*point) for point in wiring.points(hand.document, wire)]
    wanted = [places[0], places[2], places[1]]  # along the wire, not as they were added
    assert all((a - b).manhattanLength() < 4 for a, b in zip(found, wanted, strict=True))
    assert hand.session.selection == {wire}


def test_the_menu_of_a_node_plots_its_signals(hand: Hand) -> None:
    menu = context_menu(hand, hand.middle(B))
    plots = entries(entries(menu)["Plot"].menu())
    next(entry for text, entry in plots.items() if text.endswith(": v")).trigger()
    menu.close()
    (view,) = hand.document.views
    assert (view["node"], view["port"], view["pinned"]) == (B, "v", True)


def test_the_menu_of_a_port_shows_it_on_the_group_around(hand: Hand) -> None:
    group = folded(hand)
    hand.session.enter(group)
    menu = context_menu(hand, hand.port(B, "spikes", "out") - QPointF(2, 0))
    entries(menu)["Show spikes on 'layer'"].trigger()
    menu.close()
    assert hand.document.groups[group]["ports"]["out"] == {"spikes": [B, "spikes"]}


def test_a_repeated_group_says_why_it_shows_no_other_port(hand: Hand, qtbot: QtBot) -> None:
    group = folded(hand)
    hand.session.edit("Repeat", [{"op": "set", "path": ["groups", group, "repeat"], "value": 3}])
    hand.session.enter(group)
    menu = context_menu(hand, hand.port(B, "spikes", "out") - QPointF(2, 0))
    with qtbot.waitSignal(hand.session.refused) as said:
        entries(menu)["Show spikes on 'layer'"].trigger()
    menu.close()
    assert said.args[0].startswith("'layer' repeats 3 times")
    assert not hand.document.groups[group]["ports"].get("out")
