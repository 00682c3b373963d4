"""The scene shows the document: what is where, in groups and scopes, and after every edit."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from engine.document import Document, EditError, delete_nodes
from engine.document.ops import set_op, unset_op
from studio.canvas.face import PortRef, node_size
from studio.canvas.looks import DEFAULT_SIZE
from studio.canvas.node import NodeItem
from studio.canvas.scene import CanvasScene
from studio.canvas.wire import WireItem
from studio.session import Session
from tests.document.edits import new_document, random_ops
from tests.studio.drawings import chain, grouped, seen

Open = Callable[[Document], Session]


def wire(scene: CanvasScene, key: str) -> WireItem:
    item = scene.items_by_id[key]
    assert isinstance(item, WireItem)
    return item


def node(scene: CanvasScene, key: str) -> NodeItem:
    item = scene.items_by_id[key]
    assert isinstance(item, NodeItem)
    return item


def test_every_node_and_wire_is_shown_and_found_where_it_is(open_session: Open) -> None:
    scene = CanvasScene(open_session(chain()))
    assert set(scene.items_by_id) == {"n", "w", "c", "d", "nw", "wc", "dw"}
    assert scene.node_at(QPointF(20, 20)) == "n"
    assert scene.node_at(QPointF(-40, 20)) is None
    port = scene.port_pos("w", "input", "in")
    assert scene.port_at(port + QPointF(-8, 4)) == PortRef("w", "input", "in")
    assert scene.port_at(port + QPointF(-30, 30)) is None
    assert scene.wire_at(wire(scene, "nw").path().pointAtPercent(0.5)) == "nw"
    assert wire(scene, "nw").start == scene.port_pos("n", "spikes", "out")
    assert (node(scene, "c").face.width, node(scene, "c").face.height) == node_size(chain(), "c")


def test_sign_and_delay_of_a_projection_are_on_its_wire(open_session: Open) -> None:
    session = open_session(chain())
    scene = CanvasScene(session)
    assert wire(scene, "wc").look.sign == "any"
    session.edit("Sign", [set_op(["nodes", "w", "params", "sign"], "inhibitory")])
    assert wire(scene, "wc").look.sign == "inhibitory"
    session.edit("Delay", [set_op(["nodes", "d", "params"], {"delay": 3.0, "granularity": "projection"})])
    session.edit("Touch", [set_op(["nodes", "w", "name"], "again")])
    assert wire(scene, "nw").look.sign == ""


def test_collapsed_group_is_one_box_whose_ports_stand_for_members(open_session: Open) -> None:
    session = open_session(grouped(collapsed=True))
    scene = CanvasScene(session)
    assert set(scene.items_by_id) == {"n", "c", "g", "nw", "wc"}
    box = node(scene, "g")
    ref = box.face.sockets[0].ref
    assert ref == PortRef("w", "input", "in")
    assert wire(scene, "nw").end == scene.port_pos(*ref)
    assert scene.node_at(box.area().center()) == "g"
    session.edit("Expand", [set_op(["layout", "g", "collapsed"], False)])
    assert {"w", "d", "dw", "g"} <= set(scene.items_by_id)
    assert scene.node_rect("g").contains(scene.node_rect("w").united(scene.node_rect("d")))


def test_inside_a_group_only_its_members_are_shown(open_session: Open) -> None:
    session = open_session(grouped(collapsed=True))
    scene = CanvasScene(session)
    session.enter("g")
    assert set(scene.items_by_id) == {"w", "d", "dw", "nw", "wc"}
    session.enter(None)
    assert set(scene.items_by_id) == {"n", "c", "g", "nw", "wc"}


def test_frames_and_comments_live_in_the_layout_alone(open_session: Open) -> None:
    session = open_session(chain())
    scene = CanvasScene(session)
    session.edit("Frame", [set_op(["layout", "f"], {"at": [-20, -40], "size": [300, 200], "frame": "in"})])
    session.edit("Comment", [set_op(["layout", "k"], {"at": [0, 300], "comment": "why"})])
    assert scene.node_rect("f").width() == 300
    assert scene.node_rect("k").height() == DEFAULT_SIZE[1]
    assert scene.box_at(QPointF(-10, -30)) == "f"
    assert scene.box_at(QPointF(-10, 150)) is None
    session.edit("Remove", [unset_op(["layout", "f"])])
    assert "f" not in scene.items_by_id


def test_a_type_that_nobody_declares_keeps_its_wires(open_session: Open) -> None:
    document = chain()
    document.edit("Type", [set_op(["nodes", "w", "type"], "acme.magic")])
    scene = CanvasScene(open_session(document))
    assert node(scene, "w").face.shape == "unknown"
    assert {s.ref.port for s in node(scene, "w").face.sockets} == {"input", "output", "delays"}


def test_problems_are_marked_where_they_are_and_told(open_session: Open, qtbot: QtBot) -> None:
    session = open_session(chain())
    scene = CanvasScene(session)
    with qtbot.waitSignal(session.checked, timeout=10_000):
        session.edit("Bad", [set_op(["nodes", "c", "params", "tau_mem"], -5.0)])
    assert node(scene, "c").marks.problem == "error"
    assert "tau_mem" in scene.tip_at(scene.node_rect("c").center())
    assert node(scene, "n").marks.problem == ""


def test_highlight_lets_what_fits_glow_and_dims_the_rest(open_session: Open) -> None:
    scene = CanvasScene(open_session(chain()))
    fits, refused = PortRef("c", "input", "in"), PortRef("w", "input", "in")
    scene.highlight({fits: None, refused: "it takes spikes"})
    assert node(scene, "c").opacity() == 1.0
    assert node(scene, "n").opacity() < 0.5
    assert scene.tip_at(scene.port_pos("w", "input", "in")) == "it takes spikes"
    scene.clear_highlight()
    assert node(scene, "n").opacity() == 1.0


def random_edit(document: Document, rng: Random) -> list[dict[str, object]]:
    """Edits of the document's laws, and of what only a canvas cares for."""
    wires = [key for key in document.wires if key not in document.layout]
    choices: list[Callable[[], list[dict[str, object]]]] = [lambda: random_ops(document, rng)] * 4
    if document.groups:
        key = rng.choice(sorted(document.groups))
        entry = {"at": [rng.randrange(200), 0], "collapsed": rng.random() < 0.5}
        choices.append(lambda: [set_op(["layout", key], entry)])
    if wires:
        points = {"points": [[rng.randrange(300), rng.randrange(300)]]}
        choices.append(lambda: [set_op(["layout", rng.choice(wires)], points)])
    if document.nodes:
        some = rng.choice(sorted(document.nodes))
        kind = rng.choice(["projection.dense", "structure.dropout", "population.lif"])
        choices.append(lambda: [set_op(["nodes", some, "type"], kind)])
        choices.append(lambda: [set_op(["nodes", some, "mode"], rng.choice(["mute", "bypass"]))])
        choices.append(lambda: delete_nodes(document, [some]))
    choices.append(lambda: [set_op(["layout", document.fresh_id()], {"at": [1, 2], "comment": "so"})])
    return rng.choice(choices)()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6))
def test_following_edits_shows_the_same_as_beginning_anew(open_session: Open, seed: int) -> None:
    rng = Random(seed)
    session = open_session(new_document())
    scene = CanvasScene(session)
    for _ in range(25):
        try:
            session.document.edit("random", random_edit(session.document, rng))
        except EditError:
            continue
        if rng.random() < 0.2:
            session.undo()
    fresh = CanvasScene(session)
    assert seen(scene) == seen(fresh)
    session.checker.close()
    scene.rebuild()
    assert seen(scene) == seen(fresh)


@pytest.mark.parametrize("mode", ["mute", "bypass"])
def test_modes_show(open_session: Open, mode: str) -> None:
    session = open_session(chain())
    scene = CanvasScene(session)
    session.edit("Mode", [set_op(["nodes", "c", "mode"], mode)])
    assert node(scene, "c").face.mode == mode
