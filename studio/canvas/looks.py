"""How the things of a document look on the canvas, as values to compare.  Pure functions of the document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.compile import Diagnostic
from engine.document import Document
from engine.document.groups import members
from nodes import registry
from nodes.roles import Delays
from studio.canvas import words
from studio.canvas.box import TITLE, Box
from studio.canvas.face import Face, PortRef, group_face
from studio.canvas.node import Marks
from studio.canvas.shown import exposed
from studio.canvas.wire import Look
from studio.canvas.wiring import Wiring

AROUND = 16.0
"""How far the frame of an expanded group stands off its members."""
DEFAULT_SIZE = (240.0, 120.0)


def node_marks(document: Document, wiring: Wiring, face: Face, key: str, problems: list[Diagnostic]) -> Marks:
    """The marks of a node or collapsed group ``key`` with this face."""
    glyphs = tuple((s.ref, *_glyph(document, wiring, s.ref)) for s in face.sockets)
    return Marks(
        _role(document, key), glyphs, _worst(problems), tuple(map(_sentence, problems)), _tip(document, key)
    )


def wire_look(document: Document, wiring: Wiring, key: str) -> Look:
    """The look of a wire."""
    wire = document.wires[key]
    kind = wiring.kind(*wire.source)
    points = tuple((float(x), float(y)) for x, y in _points(document, key))
    source = document.nodes[wire.source.node]
    spec = registry.get(source.type)
    projecting = spec is not None and spec.role == "projection" and kind == "current"
    label = _delay(document, wiring, wire.source.node) if projecting else ""
    tip = f"{kind}: '{source.name}' {wire.source.port} to "
    tip += f"'{document.nodes[wire.target.node].name}' {wire.target.port}"
    sign = words.sign(source.params) if projecting else ""
    return Look(kind, sign, label, points, tip, apart=len(wiring.into(*wire.target)) > 1)


def note_box(entry: dict[str, Any]) -> Box:
    """The box of a frame or comment."""
    width, height = size_of(entry)
    role = entry.get("colour")
    text = entry.get("comment") if "comment" in entry else entry.get("frame")
    kind = "comment" if "comment" in entry else "frame"
    return Box(kind, width, height, str(text or ""), role if isinstance(role, str) else "muted")


def size_of(entry: dict[str, Any]) -> tuple[float, float]:
    """Width and height of a frame or comment."""
    match entry.get("size"):
        case [int() | float() as width, int() | float() as height]:
            return max(float(width), 40.0), max(float(height), TITLE)
    return DEFAULT_SIZE


def box_face(document: Document, group: str) -> Face:
    """The face of a collapsed group."""
    entry = document.groups[group]
    count = len(members(document.groups)[group])
    repeat = entry.get("repeat", 1)
    info = f"group of {count} node{'s' if count != 1 else ''}" + (f" × {repeat}" if repeat > 1 else "")
    return group_face(entry["name"], info, exposed(document, group, "in"), exposed(document, group, "out"))


def _role(document: Document, key: str) -> str:
    record = document.nodes.get(key)
    spec = registry.get(record.type) if record else None
    return {"offline": "encoder"}.get(spec.role, spec.role) if spec else "node"


def _glyph(document: Document, wiring: Wiring, ref: PortRef) -> tuple[str, bool]:
    """Kind and whether wired."""
    if ref.side == "out":
        return wiring.kind(ref.node, ref.port), bool(wiring.out_of(ref.node, ref.port))
    arriving = wiring.into(ref.node, ref.port)
    if arriving:
        return wiring.kind(*document.wires[arriving[0]].source), True
    spec = registry.get(document.nodes[ref.node].type) if ref.node in document.nodes else None
    port = spec.inputs.get(ref.port) if spec else None
    return (port.kinds[0] if port else "any"), False


def _worst(problems: list[Diagnostic]) -> str:
    found = {problem.severity for problem in problems}
    return next((severity for severity in ("error", "limit", "warning") if severity in found), "")


def _sentence(problem: Diagnostic) -> str:
    return problem.message + (f" ({problem.hint})" if problem.hint else "")


def _tip(document: Document, key: str) -> str:
    record = document.nodes.get(key)
    if record is None:
        return str(document.groups[key]["name"])
    spec = registry.get(record.type)
    what = (
        f"{record.name or record.type}: {spec.label}" if spec else f"{record.type}: nobody declares this type"
    )
    note = record.extra.get("note")
    doc = (spec.__doc__ or "").strip().partition("\n")[0] if spec else ""
    return "\n".join(text for text in (what, doc, note) if isinstance(text, str) and text)


def _points(document: Document, key: str) -> list[Any]:
    points = document.layout.get(key, {}).get("points", [])
    if not isinstance(points, list):
        return []
    return [
        p for p in points if isinstance(p, list) and len(p) == 2 and all(type(n) in (int, float) for n in p)
    ]


def _delay(document: Document, wiring: Wiring, projection: str) -> str:
    """What the delays of a projection span; empty without delays."""
    for key in wiring.into(projection, "delays"):
        record = document.nodes[document.wires[key].source.node]
        spec = registry.get(record.type)
        if spec is not None and issubclass(spec, Delays):
            return words.facts(spec, record.params)[0].removeprefix("learned ")
    return ""


def shifted(look: Look, dx: float, dy: float) -> Look:
    """The look of a wire whose reroute points are moved along."""
    return replace(look, points=tuple((x + dx, y + dy) for x, y in look.points))
