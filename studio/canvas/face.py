"""What a node looks like before anything is painted: size, texts and where its ports are.  No Qt.

Lengths are scene units: pixels at 100 % zoom.  The first input and the first output of every node lie
``AXIS`` below its top, so that nodes aligned at their tops are joined by straight wires.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.document import Document, Node
from nodes import registry
from nodes.spec import Port, Spec
from studio.canvas import words

AXIS = 24.0
ROW = 17.0
PAD = 12.0
GRID = 20
STRIP = 40.0
ATTACHED = ("delays", "rule", "modulator")
"""Kinds whose ports lie on the bottom edge of what takes them and the top edge of what gives them."""

_WIDE = frozenset("mwMWQ@%—…")
_NARROW = frozenset("ijltfrI.,:;|!'()[] 1·")


class PortRef(NamedTuple):
    """A port of a node; ``side`` is ``in`` or ``out``."""

    node: str
    port: str
    side: str


@dataclass(frozen=True)
class Socket:
    """A port as drawn, ``x`` and ``y`` from the top left of the node.

    ``edge``: ``left right top bottom``; ``label`` is empty where shape and place say enough.
    """

    ref: PortRef
    kinds: tuple[str, ...]
    x: float
    y: float
    edge: str
    label: str = ""
    doc: str = ""


@dataclass(frozen=True)
class Line:
    """One line of text: ``style`` is ``title``, ``info`` or ``port``; ``right``: flush right."""

    x: float
    y: float
    width: float
    text: str
    style: str = "info"
    right: bool = False


@dataclass(frozen=True)
class Face:
    """Everything about a node's looks that follows from its record and declaration."""

    shape: str
    width: float
    height: float
    lines: tuple[Line, ...]
    sockets: tuple[Socket, ...]
    strip: tuple[float, float, float, float] | None = None
    mode: str = ""
    note: str = ""
    by_ref: dict[PortRef, Socket] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self.by_ref.update({socket.ref: socket for socket in self.sockets})


SHAPES = {
    "population": "box", "projection": "pill", "delays": "clock", "encoder": "slant", "offline": "hexagon",
    "dataset": "stack", "rule": "octagon", "readout": "arrow", "loss": "shield", "probe": "lens",
    "structure": "plain", "node": "plain",
}  # fmt: skip
"""The shape that tells each role; a role that is not listed is drawn ``plain``."""

_INSET = {"pill": 18.0, "clock": 34.0, "slant": 20.0, "hexagon": 20.0, "octagon": 16.0, "lens": 30.0}
_RIGHT = {"clock": 16.0, "arrow": 28.0, "shield": 26.0}
_ONE_LINE = ("pill", "clock", "plain", "lens", "octagon", "slant", "hexagon", "arrow")


def node_size(document: Document, node: str) -> tuple[float, float]:
    """Width and height of a node as it is drawn at the top."""
    found = face_of(document, node)
    return found.width, found.height


def face_of(document: Document, node: str) -> Face:
    """The face of a node of the document."""
    record = document.nodes[node]
    spec = registry.get(record.type)
    if spec is not None:
        return node_face(node, record, spec)
    wires = [document.wires[key] for key in document.wires_of([node])]
    ins = sorted({wire.target.port for wire in wires if wire.target.node == node})
    outs = sorted({wire.source.port for wire in wires if wire.source.node == node})
    return placeholder_face(node, record, ins, outs)


def node_face(node: str, record: Node, spec: Spec) -> Face:
    """The face of a node whose type is declared."""
    shape = SHAPES.get(spec.role, "plain")
    if shape in _ONE_LINE:
        info = [words.one_line(spec, record.params)]
    else:
        info = [words.subtitle(spec, record.params), *words.facts(spec, record.params)]
    ins = [(name, port) for name, port in spec.inputs.items()]
    outs = [(name, port) for name, port in spec.outputs.items()]
    title = record.name or spec.label
    info = [text for text in info if text.lower() != title.lower()]
    return _face(node, shape, title, info, ins, outs, record)


def placeholder_face(node: str, record: Node, ins: list[str], outs: list[str]) -> Face:
    """The face of a node whose type nobody declares: it keeps the ports that wires use."""
    ports = [[(name, Port(())) for name in names] for names in (ins, outs)]
    title = record.name or record.type
    info = ["unknown type", record.type]
    return _face(node, "unknown", title, info, ports[0], ports[1], record)


def group_face(name: str, info: str, ins: list[tuple[str, PortRef]], outs: list[tuple[str, PortRef]]) -> Face:
    """The box of a collapsed group; its ports stand for ports of members and carry their names."""
    rows = max(len(ins), len(outs), 1)
    left = max([text_width(label) for label, _ in ins], default=0.0)
    right = max([text_width(label) for label, _ in outs], default=0.0)
    width = _fit(max(text_width(name, True) + 2 * PAD + 24, left + right + 2 * PAD + 24, 160))
    sockets = [
        Socket(ref, (), x, AXIS + 26 + ROW * row, edge, label, f"{label} of {name}")
        for ports, x, edge in ((ins, 0.0, "left"), (outs, width, "right"))
        for row, (label, ref) in enumerate(ports)
    ]
    lines = [
        Line(PAD, 7, width - 2 * PAD - 20, name, "title"),
        Line(PAD, AXIS, width - 2 * PAD, info),
        *_labels(sockets, width, PAD),
    ]
    return Face("group", width, AXIS + 26 + ROW * rows, tuple(lines), tuple(sockets))


def text_width(text: str, bold: bool = False) -> float:
    """About how wide a text is at 12 px (13 px bold), rather too wide than too narrow."""
    ems = sum(0.34 if c in _NARROW else 0.92 if c in _WIDE else 0.66 if c.isupper() else 0.58 for c in text)
    return ems * (14.2 if bold else 12.4)


def _face(
    node: str,
    shape: str,
    title: str,
    info: list[str],
    ins: list[tuple[str, Port]],
    outs: list[tuple[str, Port]],
    record: Node,
) -> Face:
    left_pad, right_pad = _INSET.get(shape, PAD), _RIGHT.get(shape, _INSET.get(shape, PAD))
    lefts = [entry for entry in ins if not _attached(entry[1])]
    rights = [entry for entry in outs if not _attached(entry[1])]
    rows = max(len(info), len(lefts), len(rights), 1)
    width = _fit(max(_row_widths(title, info, lefts, rights)) + left_pad + right_pad)
    width = min(max(width, 160 if shape in ("box", "stack") else 140), 280)
    top = 8.0 if shape == "stack" else 0.0
    height = AXIS + ROW * rows + 7 + (8 if shape == "stack" else 0)
    strip = None
    if shape == "box":
        strip = (10.0, height, width - 20, STRIP)
        height += STRIP + 10
    sockets = _sockets(node, shape, width, height, ins, outs)
    lines = _lines(title, info, sockets, width, left_pad, right_pad, top)
    mode, note = record.extra.get("mode"), record.extra.get("note")
    return Face(
        shape, width, height, tuple(lines), tuple(sockets), strip,
        mode if mode in ("mute", "bypass") else "", note if isinstance(note, str) else "",
    )  # fmt: skip


def _row_widths(title: str, info: list[str], ins: list[Any], outs: list[Any]) -> list[float]:
    rows = [text_width(title, True)]
    for row in range(max(len(info), len(ins), len(outs))):
        texts = [info[row : row + 1], [entry[0] for entry in outs[row : row + 1] if row]]
        rows.append(sum(text_width(text) + 6 for found in texts for text in found))
    return rows


def _fit(width: float) -> float:
    """The next width on the grid."""
    return float(-(-int(width) // GRID) * GRID)


def _attached(port: Port) -> bool:
    return bool(port.kinds) and port.kinds[0] in ATTACHED


def _sockets(
    node: str,
    shape: str,
    width: float,
    height: float,
    ins: list[tuple[str, Port]],
    outs: list[tuple[str, Port]],
) -> list[Socket]:
    return _side(node, shape, width, height, ins, "in") + _side(node, shape, width, height, outs, "out")


def _side(
    node: str, shape: str, width: float, height: float, ports: list[tuple[str, Port]], side: str
) -> list[Socket]:
    found: list[Socket] = []
    attached = [entry for entry in ports if _attached(entry[1])]
    places = {1: [0.5], 2: [0.5, 0.8]}.get(len(attached), [i / (len(attached) + 1) for i in range(1, 99)])
    for place, (name, port) in zip(places, attached, strict=False):
        edge, y = ("bottom", height) if side == "in" else ("top", 0.0)
        found.append(
            Socket(PortRef(node, name, side), port.kinds, round(place * width), y, edge, "", port.doc)
        )
    plain = [entry for entry in ports if not _attached(entry[1])]
    for row, (name, port) in enumerate(plain):
        y = AXIS if row == 0 else AXIS + ROW * row + ROW / 2
        x = _edge_x(shape, width, height, y, side)
        edge = "left" if side == "in" else "right"
        found.append(Socket(PortRef(node, name, side), port.kinds, x, y, edge, name if row else "", port.doc))
    return found


def _edge_x(shape: str, width: float, height: float, y: float, side: str) -> float:
    """Where the outline is at height ``y``: shapes with slanted sides move their ports along."""
    if shape == "slant":
        return SLANT * (1 - y / height) if side == "in" else width - SLANT * y / height
    return 0.0 if side == "in" else width


SLANT = 14.0
"""How far an encoder's sides lean."""


def _lines(
    title: str, info: list[str], sockets: list[Socket], width: float, left: float, right: float, top: float
) -> list[Line]:
    lines = [Line(left, 7 + (0 if not top else 2), width - left - right, title, "title")]
    taken = [socket.label for socket in sockets if socket.label and socket.edge == "left"]
    first = 1 + len(taken) if taken else 0
    rows = [0, *range(first, 99)] if taken else list(range(99))
    beside = {
        round((s.y - AXIS) // ROW): text_width(s.label) + 8 for s in sockets if s.edge == "right" and s.label
    }
    for row, text in zip(rows, info, strict=False):
        lines.append(Line(left, AXIS + ROW * row, width - left - right - beside.get(row, 0), text))
    return lines + _labels(sockets, width, PAD)


def _labels(sockets: list[Socket], width: float, pad: float) -> list[Line]:
    return [
        Line(pad, s.y - ROW / 2, width - 2 * pad, s.label, "port", s.edge == "right")
        for s in sockets
        if s.label
    ]
