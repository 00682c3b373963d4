"""A document as a drawing: outlines, curves and texts in the scene's units, where people put the nodes.

The first input and output of a node lie ``AXIS`` below its top, ``ROW`` apart from the next; delays and rules
hang below what they belong to.  Sizes are those of the studio's canvas, for which the layout was made.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from engine.document import Document, Node
from nodes import registry
from nodes.roles import Delays
from nodes.spec import Param, Port, Spec, Values

AXIS, ROW, PAD, GRID = 24.0, 17.0, 12.0, 20
MARGIN = 32.0
ATTACHED = ("delays", "rule", "modulator")
BOXES = ("population", "dataset")
ROUND = ("projection", "delays")
INSETS = {
    "projection": (18.0, 18.0), "delays": (34.0, 16.0), "encoder": (20.0, 20.0), "offline": (20.0, 20.0),
    "rule": (16.0, 16.0), "probe": (30.0, 30.0), "readout": (PAD, 28.0), "loss": (PAD, 26.0),
}  # fmt: skip
_WIDE, _NARROW = frozenset("mwMWQ@%"), frozenset("ijltfrI.,:;|!'()[] 1")
Point = tuple[float, float]


@dataclass(frozen=True)
class Path:
    """An outline or a line: ``("M", x, y)``, ``("L", x, y)``, ``("C", ...six)``, ``("Z",)``.

    ``fill`` and ``stroke`` are roles of a palette, empty for none; ``share`` of their colour is
    mixed into that of ``over``.
    """

    steps: tuple[tuple[str | float, ...], ...]
    fill: str = ""
    stroke: str = ""
    width: float = 1.4
    share: float = 1.0
    over: str = "canvas"


@dataclass(frozen=True)
class Text:
    """One line of text, its baseline at y; ``right``: it ends at x."""

    x: float
    y: float
    text: str
    role: str = "text"
    size: float = 12.0
    bold: bool = False
    right: bool = False


@dataclass
class Drawing:
    """``shapes`` from back to front, inside ``(left, top, right, bottom)``."""

    title: str
    shapes: list[Path | Text] = field(default_factory=list)
    area: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Face:
    """A node as it stands: its corner, its size, its texts, and where its ports are, by (side, name)."""

    x: float
    y: float
    width: float
    height: float
    role: str
    title: str
    info: tuple[str, ...]
    ports: dict[tuple[str, str], tuple[Point, str]]
    labels: tuple[Text, ...]


def draw(document: Document) -> Drawing:
    """The drawing of a document."""
    drawing = Drawing(str(document.meta.get("title", "")))
    faces = {key: face(document, key) for key in sorted(document.nodes)}
    corners: list[Point] = [(f.x, f.y) for f in faces.values()]
    corners += [(f.x + f.width, f.y + f.height) for f in faces.values()]
    notes = [entry for entry in document.layout.values() if "comment" in entry or "frame" in entry]
    for entry in sorted(notes, key=_area, reverse=True):
        shapes, far = _note(entry)
        drawing.shapes += shapes
        corners += [_pair(entry.get("at"), (0, 0)), far]
    for key, group in sorted(document.groups.items()):
        members = [faces[node] for node in group.get("nodes", []) if node in faces]
        if members:
            drawing.shapes += _group(str(group.get("name", key)), members)
    for key, wire in sorted(document.wires.items()):
        points = tuple((float(x), float(y)) for x, y in document.layout.get(key, {}).get("points", ()))
        line = _wire(faces, wire.source, wire.target, points)
        drawing.shapes.append(line)
        corners += _extent(line)
    for key in faces:
        drawing.shapes += _node(faces[key])
    xs, ys = zip(*(corners or [(0.0, 0.0)]), strict=True)
    drawing.area = min(xs) - MARGIN, min(ys) - MARGIN, max(xs) + MARGIN, max(ys) + MARGIN
    return drawing


def _extent(line: Path) -> list[Point]:
    """Corners of an area that holds a line."""
    numbers = [[float(n) for n in step[1:]] for step in line.steps]
    return [(x, y) for step in numbers for x, y in zip(step[::2], step[1::2], strict=True)]


def text_width(text: str, bold: bool = False) -> float:
    """About how wide a text is at 12 px (13 px bold), rather too wide than too narrow."""
    ems = sum(0.34 if c in _NARROW else 0.92 if c in _WIDE else 0.66 if c.isupper() else 0.58 for c in text)
    return ems * (14.2 if bold else 12.4)


def face(document: Document, key: str) -> Face:
    """How a node stands in the drawing."""
    record = document.nodes[key]
    spec = registry.get(record.type)
    role = spec.role if spec is not None else "node"
    title = record.name or (spec.label if spec is not None else record.type)
    info = tuple(text for text in _info(record, spec) if text.lower() != title.lower())
    ins, outs = (_shown(document, key, side) for side in ("in", "out"))
    rows = max(
        len(info), sum(not _hangs(p) for p in ins.values()), sum(not _hangs(p) for p in outs.values()), 1
    )
    widest = max(text_width(title, True), *(text_width(text) + 6 for text in info), 0.0)
    full = widest + sum(INSETS.get(role, (PAD, PAD)))
    width = min(max(-(-int(full) // GRID) * GRID, 160 if role in BOXES else 140), 280)
    height = AXIS + ROW * rows + 7
    x, y = (float(n) for n in document.layout.get(key, {}).get("at", (0, 0)))
    places = dict(_places(ins, "in", x, y, width, height)) | dict(_places(outs, "out", x, y, width, height))
    labels = tuple(_port_labels(places, x, width))
    return Face(x, y, float(width), height, role, title, info, places, labels)


def _info(record: Node, spec: Spec | None) -> Iterator[str]:
    """What kind it is, and what matters most about it."""
    if spec is None:
        yield f"unknown type {record.type}"
        return
    if issubclass(spec, Delays):
        yield _span(spec, record)
        return
    kind = _kind(record, spec)
    facts = [text for _, text in sorted(_facts(record, spec))]
    if spec.role in BOXES:
        yield from (kind, *facts[:2])
    else:
        yield " · ".join([kind, *facts[:1]])


def _kind(record: Node, spec: Spec) -> str:
    """The type, with the size where the node has one."""
    size = record.params.get("size")
    shown = "x".join(str(n) for n in size) if isinstance(size, list) and size else ""
    return f"{spec.label} · {shown}" if shown else spec.label


def _facts(record: Node, spec: Spec) -> Iterator[tuple[int, str]]:
    for name, param in spec.params.items():
        value = record.params.get(name, param.default)
        number = (
            isinstance(value, (int, float)) and not isinstance(value, bool) and param.kind in ("int", "float")
        )
        if number and (value != param.default or (param.trainable and param.unit)):
            yield _rank(param, value), f"{name} {value:.4g}" + (f" {param.unit}" if param.unit else "")


def _rank(param: Param, value: float) -> int:
    return 0 if param.trainable and param.unit else 1 if value != param.default else 2


def _span(spec: type[Delays], record: Node) -> str:
    """Smallest to largest delay; the type's name where its parameters are not in order."""
    try:
        low, high = spec.span(Values(record.params))
        learned = "learned " if spec.learns(Values(record.params)) else ""
    except (TypeError, ValueError, KeyError, AttributeError, OSError):
        return spec.label
    return f"{learned}{high:.4g} ms" if low == high else f"{learned}{low:.4g}-{high:.4g} ms"


def _shown(document: Document, key: str, side: str) -> dict[str, Port]:
    """The ports of one side, of those for delays and rules the ones in use, each with its kind."""
    ends = {(w.target if side == "in" else w.source) for w in document.wires.values()}
    used = {end.port for end in ends if end.node == key}
    ports = {
        name: port for name, port in _ports(document, key, side).items() if name in used or not _hangs(port)
    }
    through = {name: port for name, port in ports.items() if port.kinds[:1] == ("same",)}
    return ports | {name: Port((_passing(document, key),)) for name in through}


def _passing(document: Document, key: str, most: int = 50) -> str:
    """The kind of what arrives at a node that passes it on."""
    for wire in document.wires.values():
        if wire.target == (key, "input") and most:
            port = _ports(document, wire.source.node, "out").get(wire.source.port)
            kind = port.kinds[0] if port and port.kinds else "value"
            return _passing(document, wire.source.node, most - 1) if kind == "same" else kind
    return "value"


def _ports(document: Document, key: str, side: str) -> dict[str, Port]:
    """The ports of one side; of an unknown node those that wires use."""
    spec = registry.get(document.nodes[key].type)
    if spec is not None:
        return spec.inputs if side == "in" else spec.outputs
    ends = [(w.target if side == "in" else w.source) for w in document.wires.values()]
    return {end.port: Port(()) for end in sorted(ends) if end.node == key}


def _hangs(port: Port) -> bool:
    return bool(port.kinds) and port.kinds[0] in ATTACHED


def _places(
    ports: dict[str, Port], side: str, x: float, y: float, width: float, height: float
) -> Iterator[tuple[tuple[str, str], tuple[Point, str]]]:
    hanging = [name for name, port in ports.items() if _hangs(port)]
    shares = {1: [0.5], 2: [0.5, 0.8]}.get(
        len(hanging), [(k + 1) / (len(hanging) + 1) for k in range(len(hanging))]
    )
    for name, share in zip(hanging, shares, strict=True):
        yield (
            (side, name),
            ((x + round(share * width), y + (height if side == "in" else 0.0)), ports[name].kinds[0]),
        )
    plain = [name for name in ports if name not in hanging]
    for row, name in enumerate(plain):
        down = AXIS if row == 0 else AXIS + ROW * row + ROW / 2
        kind = ports[name].kinds[0] if ports[name].kinds else "value"
        yield (side, name), ((x if side == "in" else x + width, y + down), kind)


def _port_labels(places: dict[tuple[str, str], tuple[Point, str]], x: float, width: float) -> Iterator[Text]:
    """Names of the ports that are not the first of their side."""
    seen: set[str] = set()
    for (side, name), ((px, py), _) in places.items():
        if px not in (x, x + width):
            continue
        if side in seen:
            inward = 9.0 if side == "in" else -9.0
            yield Text(px + inward, py + 4, name, "muted", 11.0, right=side == "out")
        seen.add(side)


def rounded(
    x: float, y: float, width: float, height: float, radius: float
) -> tuple[tuple[str | float, ...], ...]:
    """A rectangle with round corners."""
    r, k = radius, radius * 0.448
    right, bottom = x + width, y + height
    return (
        ("M", x + r, y), ("L", right - r, y), ("C", right - k, y, right, y + k, right, y + r),
        ("L", right, bottom - r), ("C", right, bottom - k, right - k, bottom, right - r, bottom),
        ("L", x + r, bottom), ("C", x + k, bottom, x, bottom - k, x, bottom - r),
        ("L", x, y + r), ("C", x, y + k, x + k, y, x + r, y), ("Z",),
    )  # fmt: skip


def _node(face: Face) -> Iterator[Path | Text]:
    role, radius = f"role.{face.role}", {"population": 8.0, "dataset": 8.0}.get(face.role, 4.0)
    radius = face.height / 2 if face.role in ROUND else radius
    outline = rounded(face.x, face.y, face.width, face.height, radius)
    yield Path(outline, fill=role, share=0.1, over="node")
    yield Path(outline, stroke=role)
    if face.role in BOXES:
        yield Path(rounded(face.x, face.y, 5.0, face.height, 2.4), fill=role)
    inset = INSETS["delays"][0] if face.role == "delays" else 18.0 if face.role in ROUND else PAD
    room = face.width - inset - PAD
    yield Text(face.x + inset, face.y + 18, _fitted(face.title, room, True), size=13.0, bold=True)
    for row, text in enumerate(face.info):
        yield Text(face.x + inset, face.y + AXIS + 12 + ROW * row, _fitted(text, room), "muted")
    if face.role == "delays":
        yield from _clock(face.x + 19, face.y + face.height / 2)
    for (x, y), kind in face.ports.values():
        yield Path(rounded(x - 4, y - 4, 8, 8, 4), fill=f"kind.{kind}", stroke="canvas", width=1.0)
    yield from face.labels


def _clock(x: float, y: float) -> Iterator[Path]:
    yield Path(rounded(x - 8, y - 8, 16, 16, 8), stroke="role.delays")
    yield Path((("M", x, y - 5), ("L", x, y), ("L", x + 4, y + 2)), stroke="role.delays")


def _fitted(text: str, room: float, bold: bool = False) -> str:
    """The text, cut where it is too wide."""
    if text_width(text, bold) <= room + 8:
        return text
    while text and text_width(text, bold) > room - 4:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _wire(
    faces: dict[str, Face], source: tuple[str, str], target: tuple[str, str], points: tuple[Point, ...]
) -> Path:
    a, kind = faces[source[0]].ports.get(
        ("out", source[1]), ((faces[source[0]].x, faces[source[0]].y), "value")
    )
    b, _ = faces[target[0]].ports.get(("in", target[1]), ((faces[target[0]].x, faces[target[0]].y), "value"))
    if kind in ATTACHED:
        steps = _upward([a, *points, b])
    elif not points and b[0] <= a[0] - 10:
        steps = _back(faces[source[0]], faces[target[0]], a, b)
    else:
        steps = _along([a, *points, b])
    return Path(steps, stroke=f"kind.{kind}", width=2.0)


def _along(stops: list[Point]) -> tuple[tuple[str | float, ...], ...]:
    steps: list[tuple[str | float, ...]] = [("M", *stops[0])]
    for (ax, ay), (bx, by) in pairwise(stops):
        lead = max((bx - ax) / 2, min(abs(by - ay), 60.0)) if bx >= ax else min(60 - (bx - ax) / 4, 240.0)
        steps.append(("C", ax + lead, ay, bx - lead, by, bx, by))
    return tuple(steps)


def _upward(stops: list[Point]) -> tuple[tuple[str | float, ...], ...]:
    steps: list[tuple[str | float, ...]] = [("M", *stops[0])]
    for (ax, ay), (bx, by) in pairwise(stops):
        reach = max(abs(ay - by) / 2, min(40.0, abs(ax - bx)))
        steps.append(("C", ax, ay - reach, bx, by + reach, bx, by))
    return tuple(steps)


def _back(source: Face, target: Face, a: Point, b: Point) -> tuple[tuple[str | float, ...], ...]:
    """From an output back to an input that lies to its left, in a lane between the nodes or above both."""
    upper, lower = sorted((source, target), key=lambda face: face.y)
    between = lower.y - upper.y - upper.height
    lane = (upper.y + upper.height + lower.y) / 2 if between >= 24 else upper.y - 24
    out, into = (min(max(abs(lane - y) * 0.7, 36.0), 80.0) for y in (a[1], b[1]))
    return (
        ("M", *a),
        ("C", a[0] + out, a[1], a[0] + out, lane, a[0], lane),
        ("L", b[0], lane),
        ("C", b[0] - into, lane, b[0] - into, b[1], b[0], b[1]),
    )


def _note(entry: dict[str, object]) -> tuple[list[Path | Text], Point]:
    """A comment or a frame, and its far corner."""
    (x, y), (width, height) = (
        _pair(entry.get(name), usual) for name, usual in (("at", (0, 0)), ("size", (240, 120)))
    )
    sheet = rounded(x, y, width, height, 8)
    role, comment = str(entry.get("colour", "muted")), "comment" in entry
    shapes: list[Path | Text] = [Path(sheet, fill=role, share=0.06 if comment else 0.09)]
    if not comment:
        shapes += [
            Path(sheet, stroke=role, share=0.5),
            Text(x + 12, y + 18, str(entry["frame"]), "muted", 13.0, True),
        ]
        return shapes, (x + width, y + height)
    columns = max(10, int((width - 24) / 6.4))
    lines = [
        line for part in str(entry["comment"]).split("\n") for line in textwrap.wrap(part, columns) or [""]
    ]
    shown = lines[: max(1, int((height - 14) / 18))]
    shapes += [Text(x + 12, y + 21 + 18 * row, line, size=12.5) for row, line in enumerate(shown)]
    return shapes, (x + width, y + height)


def _area(entry: dict[str, object]) -> float:
    width, height = _pair(entry.get("size"), (240, 120))
    return width * height


def _pair(value: object, usual: tuple[float, float]) -> Point:
    first, second = value if isinstance(value, (list, tuple)) else usual
    return float(first), float(second)


def _group(name: str, members: list[Face]) -> list[Path | Text]:
    """The frame around the members of a group."""
    left, top = min(f.x for f in members) - 16, min(f.y for f in members) - 34
    right, bottom = max(f.x + f.width for f in members) + 16, max(f.y + f.height for f in members) + 16
    sheet = rounded(left, top, right - left, bottom - top, 8)
    title = Text(left + 12, top + 20, name, "muted", 13.0, True)
    return [Path(sheet, fill="muted", share=0.08), Path(sheet, stroke="muted", share=0.5), title]
