"""Frame times of the canvas while panning, against the same graph as stock Qt items.

    python tests/bench/bench_canvas.py            300 and 2 000 nodes, at 100 % and with everything in view
    python tests/bench/bench_canvas.py --frames N

A frame is one step of panning and the painting that it causes.  ``fresh`` paints the whole viewport anew, as
after a change of zoom that caches nothing.  The peer draws every node as a QGraphicsRectItem with
QGraphicsTextItems and every wire as a QGraphicsPathItem.  Times are medians in ms of
processor time of the window's thread, off screen, raster: other load on the machine does not count.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QApplication, QGraphicsScene, QGraphicsView

from engine.document import Document
from engine.document.document import new_node
from engine.document.ops import add_node, set_op
from studio.canvas.face import node_size
from studio.canvas.view import CanvasView
from studio.session import Session

SIZE = (1600, 1000)
COLUMNS = 40


def big_document(nodes: int) -> Document:
    """Populations joined by projections with delays: a third of each, in rows of columns, some loops."""
    document = Document.new("big", dt_ms=1.0)
    ops, wires = [], []
    triples = nodes // 3
    for index in range(triples):
        x, y = 460 * (index % (COLUMNS // 2)), 240 * (index // (COLUMNS // 2))
        cell, weights, delays = f"p{index}", f"w{index}", f"d{index}"
        ops += [
            add_node(cell, new_node("population.lif", f"cells {index}", size=[64])),
            add_node(weights, new_node("projection.dense", f"weights {index}")),
            add_node(delays, new_node("delays.learnable", f"delays {index}")),
            set_op(["layout", cell], {"at": [x, y]}),
            set_op(["layout", weights], {"at": [x + 220, y]}),
            set_op(["layout", delays], {"at": [x + 220, y + 90]}),
        ]
        following = (index + 1) % triples if index % 10 else max(index - 7, 0)
        wires += [
            ([cell, "spikes"], [weights, "input"]),
            ([weights, "output"], [f"p{following}", "input"]),
            ([delays, "delays"], [weights, "delays"]),
        ]
    ops += [{"op": "add_wire", "id": f"e{n}", "wire": {"from": a, "to": b}} for n, (a, b) in enumerate(wires)]
    document.edit("Big", ops)
    return document


def naive_view(document: Document) -> QGraphicsView:
    """The peer: one stock item for every box, text and wire."""
    scene = QGraphicsScene()
    for node, record in document.nodes.items():
        x, y = document.layout[node]["at"]
        width, height = node_size(document, node)
        box = scene.addRect(QRectF(0, 0, width, height))
        box.setPos(x, y)
        for row, text in enumerate([record.name, record.type, "tau_mem 20 ms"]):
            label = scene.addText(text)
            label.setParentItem(box)
            label.setPos(8, 16 * row)
        for side in (0.0, width):
            scene.addEllipse(QRectF(side - 5, 19, 10, 10)).setParentItem(box)
    for wire in document.wires.values():
        (ax, ay), (bx, by) = (document.layout[end.node]["at"] for end in (wire.source, wire.target))
        path = QPainterPath(QPointF(ax + 160, ay + 24))
        path.cubicTo(ax + 240, ay + 24, bx - 80, by + 24, bx, by + 24)
        scene.addPath(path)
    view = QGraphicsView(scene)
    scene.setParent(view)
    view.setRenderHint(QPainter.RenderHint.Antialiasing)
    for set_policy in (view.setHorizontalScrollBarPolicy, view.setVerticalScrollBarPolicy):
        set_policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return view


def frames(app: QApplication, view: QGraphicsView, count: int, fresh: bool) -> float:
    """The median milliseconds of a step of panning by 12 pixels to and fro."""
    across, down = view.horizontalScrollBar(), view.verticalScrollBar()
    times = []
    for step in range(count + 5):
        by = 12 if step % 20 < 10 else -12
        begin = time.thread_time()
        across.setValue(across.value() + by)
        down.setValue(down.value() + by // 2)
        if fresh:
            view.viewport().update()
        app.processEvents()
        times.append(1e3 * (time.thread_time() - begin))
    return median(times[5:])


def show(view: QGraphicsView, zoom: float | None) -> None:
    """The view at its size, at a zoom in the middle or with everything in it."""
    view.resize(*SIZE)
    view.show()
    if isinstance(view, CanvasView):
        view.fit_all()
        if zoom is not None:
            view.set_zoom(zoom)
        return
    view.fitInView(view.scene().itemsBoundingRect(), Qt.AspectRatioMode.KeepAspectRatio)
    if zoom is not None:
        view.resetTransform()
        view.scale(zoom, zoom)
        view.centerOn(view.scene().itemsBoundingRect().center())


def measure(app: QApplication, nodes: int, count: int) -> None:
    """Print one table for a graph of this many nodes."""
    document = big_document(nodes)
    begin = time.thread_time()
    session = Session(document)
    canvas = CanvasView(session)
    built = 1e3 * (time.thread_time() - begin)
    print(f"{len(document.nodes)} nodes, {len(document.wires)} wires; scene built in {built:.0f} ms")
    naive = naive_view(document)
    for words, zoom in (("100 %", 1.0), ("50 %", 0.5), ("fit", None)):
        for view in (canvas, naive):
            show(view, zoom)
            app.processEvents()
        for kind, fresh in (("panning", False), ("fresh", True)):
            ours = frames(app, canvas, count, fresh)
            peer = frames(app, naive, count, fresh)
            print(f"  {words:6} {kind:8} ours {ours:7.2f} ms  stock {peer:7.2f} ms  {peer / ours:5.1f} x")
    begin = time.thread_time()
    session.edit("Move", [set_op(["layout", "p1", "at"], [7, 7])])
    app.processEvents()
    print(f"  one move, shown: {1e3 * (time.thread_time() - begin):.1f} ms")
    for view in (canvas, naive):
        view.close()
        view.deleteLater()
    session.close()


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=60)
    arguments = parser.parse_args()
    app = QApplication([])
    for nodes in (300, 2000):
        measure(app, nodes, arguments.frames)


if __name__ == "__main__":
    main()
