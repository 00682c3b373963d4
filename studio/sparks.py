"""How the delays of each projection are spread, or its weights where it has none, for the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.document import Document, Edit
from nodes import registry
from nodes.roles import Delays
from nodes.spec import Values
from studio.session import Session

BARS = 24
"""Bars of what has no steps, or more than ``MOST``."""
LEAST, MOST = 8, 40
"""Bars of delays, one a step."""


@dataclass(frozen=True)
class Spark:
    """Heights of bars, 0 to 1; ``what`` is ``delays`` (from 0 to the longest) or ``weights`` (with 0 in the
    middle).
    """

    what: str
    heights: tuple[float, ...]


class Sparks(QObject):
    """The newest that run or training has told of each projection, else what the document says."""

    updated = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._wanted: list[str] = []
        self._attached = attached(session.document)
        self._told: dict[str, Spark] = {}
        self._drawn: dict[str, Spark | None] = {}
        session.edited.connect(self._on_edited)
        session.checked.connect(self._ask)
        session.runner.metrics.connect(self._on_metrics)
        session.runner.records.connect(self._on_records)
        self._ask()

    @staticmethod
    def of(session: Session) -> Sparks:
        """The one of a session."""
        if session not in _made:
            _made[session] = Sparks(session)
        return _made[session]

    def spark(self, projection: str) -> Spark | None:
        """How to draw a projection; None where nothing is known."""
        if projection in self._told:
            return self._told[projection]
        if projection not in self._drawn:
            delays = self._attached.get(projection)
            self._drawn[projection] = _declared(self._session.document, delays) if delays else None
        return self._drawn[projection]

    def _on_edited(self, edit: Edit) -> None:
        before = self._attached
        if any(op["op"] in ("add_wire", "del_wire", "add_node", "del_node") for op in edit.ops):
            self._attached = attached(self._session.document)
        touched = {op["path"][1] for op in edit.ops if op.get("path", [""])[0] == "nodes"}
        known = {*self._told, *self._drawn}
        if any(op.get("path", [""])[0] == "meta" for op in edit.ops):
            old = known  # another time step
        else:
            old = {key for key in known if self._outdated(key, before.get(key), touched)}
        for key in old:
            self._told.pop(key, None)
            self._drawn.pop(key, None)
        if old:
            self.updated.emit()

    def _outdated(self, projection: str, delays: str | None, touched: set[str]) -> bool:
        """Whether an edit of the nodes ``touched`` changes a projection that had these delays."""
        return delays != self._attached.get(projection) or projection in touched or delays in touched

    def _ask(self) -> None:
        """Let the worker send what is shown here, whenever it is new."""
        self._wanted = []
        for node, record in sorted(self._session.document.nodes.items()):
            spec = registry.get(record.type)
            if spec is not None and spec.role == "projection":
                self._wanted.append(node)
        streams = [[node, self._shown_as(node), None, "histogram"] for node in self._wanted]
        self._session.runner.want(self, streams)

    def _on_records(self, message: dict[str, Any]) -> None:
        records, news = message["records"], False
        for node in self._wanted:
            what = self._shown_as(node)
            found = records.get(f"{node}.{what}.histogram")
            if found is not None:
                news = True
                self._tell(node, what, found[0], found[1, :-1], message["dt"])
        if news:
            self.updated.emit()

    def _on_metrics(self, message: dict[str, Any]) -> None:
        """An epoch of training is over: delays have moved."""
        watched = message.get("watched")
        if not watched:
            return
        for what in ("weights", "delays"):
            for one in watched.get(what, []):
                if self._shown_as(one["node"]) == what:
                    edges = np.linspace(one["low"], one["high"], len(one["counts"]) + 1)
                    self._tell(one["node"], what, edges, np.asarray(one["counts"]), one.get("dt", 1.0))
        self.updated.emit()

    def _shown_as(self, node: str) -> str:
        return "delays" if node in self._attached else "weights"

    def _tell(self, node: str, what: str, edges: np.ndarray, counts: np.ndarray, dt: float) -> None:
        if not counts.size or not counts.max():
            return
        if what == "weights":
            most = float(np.abs(edges).max())
            self._told[node] = Spark(what, _bars(edges, counts, np.linspace(-most, most, BARS + 1)))
            return
        longest = _span(self._session.document, self._attached[node])[1]
        bars = _steps(max(longest, float(edges[-2] * dt)), dt)
        self._told[node] = Spark(what, _bars(edges * dt, counts, bars))


_made: WeakKeyDictionary[Session, Sparks] = WeakKeyDictionary()


def attached(document: Document) -> dict[str, str]:
    """The delays node of every projection that has one."""
    return {
        wire.target.node: wire.source.node
        for wire in document.wires.values()
        if wire.target.port == "delays" and _spec(document, wire.source.node) is not None
    }


def _spec(document: Document, node: str) -> type[Delays] | None:
    spec = registry.get(document.nodes[node].type)
    return spec if spec is not None and issubclass(spec, Delays) else None


def _span(document: Document, delays: str) -> tuple[float, float]:
    """Smallest and largest delay in ms; zeros where the parameters are not in order."""
    spec = _spec(document, delays)
    try:
        return spec.span(Values(document.nodes[delays].params)) if spec else (0.0, 0.0)
    except (TypeError, ValueError, KeyError, AttributeError, OSError):
        return 0.0, 0.0


def _declared(document: Document, delays: str) -> Spark | None:
    """One bar for one delay, even bars for a range drawn evenly; nothing where only a run can tell."""
    params, (low, high) = document.nodes[delays].params, _span(document, delays)
    ways = [params[name] for name in ("distribution", "init") if name in params]
    if high <= 0 or (low < high and ways != ["uniform"]):
        return None
    dt = float(document.meta.get("dt_ms", 1.0))
    edges = np.array([low - dt / 2, high + dt / 2])
    return Spark("delays", _bars(edges, np.ones(1), _steps(high, dt)))


def _steps(longest: float, dt: float) -> np.ndarray:
    """The edges of bars around every step from 0 to the longest delay, or around several at once."""
    count = max(round(longest / dt) + 1, LEAST)
    return np.linspace(-dt / 2, (count - 0.5) * dt, 1 + (count if count <= MOST else BARS))


def _bars(edges: np.ndarray, counts: np.ndarray, bars: np.ndarray) -> tuple[float, ...]:
    """The relative heights of a histogram with other edges."""
    below = np.concatenate([[0.0], np.cumsum(counts)])
    found = np.diff(np.interp(bars, edges, below))
    return tuple((found / max(float(found.max()), 1e-9)).round(3).tolist())
