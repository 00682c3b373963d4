"""What the canvas shows of a run: rates, small rasters, glow of wires and spikes on their way."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from engine.program import Op, Program
from studio.records import Records
from studio.session import Session
from studio.theme import theme

STRIP_WIDTH = 160
STRIP_NEURONS = 64
"""Pixels of a small raster; of larger populations so many neurons are shown, evenly spread."""

PULSES = 6
"""Most pulses on one wire."""

RATE_MS = 100
"""Rates are means over longer times, so they are not found anew for every frame."""

LONGEST_S, SHORTEST_S = 0.9, 0.15
"""Seconds on the wall that the longest delay and no delay at all take on the canvas, at least."""

HALF_GLOW = 20.0
"""Rate in Hz at which a wire glows with about 0.6."""


@dataclass(frozen=True)
class Spiking:
    """A node whose spikes are known: the port they come from, how many neurons, and a sample of them."""

    node: str
    port: str
    size: int
    chosen: np.ndarray


@dataclass(frozen=True)
class Route:
    """What travels on a wire: spikes of ``source`` on the part ``begin .. end`` of a way that takes
    ``low .. high`` steps.
    """

    source: Spiking
    low: float
    high: float
    begin: float
    end: float


class Activity(QObject):
    """A session's run as its canvas paints it; every answer is about the step that ``Records`` shows."""

    updated = Signal()
    """Some answer is another; at most 30 times a second."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session, self.records = session, Records.of(session)
        self._sources: dict[str, Spiking] = {}
        self._routes: dict[str, list[Route]] = {}
        self._longest = 1.0
        self._real_time = 1.0
        self._cache: dict[Any, Any] = {}
        self._rates: dict[str, float | None] = {}
        self._behind = False
        self._pause = QTimer(self, singleShot=True, interval=RATE_MS)
        self._pause.timeout.connect(self._catch_up)
        session.checked.connect(self._rebuild)
        session.runner.meter.connect(self._on_meter)
        for signal in (self.records.updated, self.records.moved, theme.changed):
            signal.connect(self._refresh)
        if session.problems.program:
            self._rebuild()

    @staticmethod
    def of(session: Session) -> Activity:
        """The one of a session."""
        if session not in _made:
            _made[session] = Activity(session)
        return _made[session]

    def rate(self, node: str) -> float | None:
        """Mean rate of a node's spikes in Hz over the last moments; None if nothing is known."""
        source = self._sources.get(node)
        if source is None:
            return None
        if node not in self._rates:
            self._rates[node] = self._rate(source)
        return self._rates[node]

    def raster(self, node: str) -> QImage | None:
        """A small raster of a node's last spikes, newest at the right, one row a neuron; None if there are
        no spikes to know of.  It is to be stretched to the place it has.
        """
        source = self._sources.get(node)
        if source is None or not self.records.has(source.node, f"{source.port}.events"):
            return None
        image: QImage = self._once(("raster", node), lambda: self._strip(source))
        return image

    def level(self, wire: str) -> float:
        """How much a wire glows, from 0 (silent) to 1."""
        rates = [self.rate(route.source.node) or 0.0 for route in self._routes.get(wire, ())]
        return 1.0 - math.exp(-max(rates, default=0.0) / HALF_GLOW)

    def pulses(self, wire: str) -> list[float]:
        """Where spikes are on a wire now, from 0 (its beginning) to 1.

        A spike's way through a projection, on the wires before and behind it, lasts as long as its delay;
        where that is too quick to be seen, all delays of the network are drawn out alike.
        """
        found: list[float] = self._once(("pulses", wire), lambda: self._pulses(wire))
        return found

    # --- one answer each

    def _once(self, key: Any, compute: Any) -> Any:
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    def _rate(self, source: Spiking) -> float | None:
        steps = max(200.0 / self.records.dt, 0.5 * self._pace, 1)
        at = self.records.at
        _, rates = self.records.rate(source.node, source.port, round(at - steps), at)
        return float(np.nanmean(rates)) if rates.size else None

    def _events(self, source: Spiking) -> tuple[np.ndarray, np.ndarray]:
        """Steps and places in ``chosen`` of the sampled neurons' spikes, as far back as anything needs."""
        first, last = self.records.shown
        first = min(first, last - math.ceil(self._travel(self._longest)))
        steps, neurons = self.records.events(source.node, source.port, first, last)
        rows = np.searchsorted(source.chosen, neurons).clip(max=len(source.chosen) - 1)
        known = source.chosen[rows] == neurons
        return steps[known], rows[known]

    def _recent(self, source: Spiking) -> tuple[np.ndarray, np.ndarray]:
        key = ("events", source.node)
        found: tuple[np.ndarray, np.ndarray] = self._once(key, lambda: self._events(source))
        return found

    def _strip(self, source: Spiking) -> QImage:
        first, last = self.records.shown
        steps, rows = self._recent(source)
        inside = steps >= first
        columns = (steps[inside] - first) * STRIP_WIDTH // (last - first)
        height = len(source.chosen)
        pixels = np.zeros((height, STRIP_WIDTH), np.uint32)
        pixels[rows[inside], columns] = theme.colour("kind.spikes").rgba()
        image = QImage(pixels.data, STRIP_WIDTH, height, 4 * STRIP_WIDTH, QImage.Format.Format_ARGB32)
        return image.copy()

    def _pulses(self, wire: str) -> list[float]:
        found = [place for route in self._routes.get(wire, ()) for place in self._on_route(route)]
        return found[: 2 * PULSES]

    def _on_route(self, route: Route) -> Iterable[float]:
        steps, rows = self._recent(route.source)
        gap = max(1.0, self._travel(route.high) / PULSES)
        first_of_gap = np.flatnonzero(np.diff(steps // gap, prepend=-1.0))
        steps, rows = steps[first_of_gap], rows[first_of_gap]
        spread = (rows * 0.618 + steps * 0.382) % 1.0
        delays = route.low + spread * (route.high - route.low)
        travel = np.maximum(self._stretch * delays, SHORTEST_S * self._pace)
        way = (self.records.at - steps) / np.maximum(travel, 1e-9)
        place = (way - route.begin) / (route.end - route.begin)
        shown: list[float] = place[(place >= 0) & (place <= 1)].tolist()
        return shown

    # --- how fast

    @property
    def _pace(self) -> float:
        """Steps a second on the wall, roughly: it should not tremble."""
        factor = self.session.runner.speed.get("factor") or 2.0 ** round(math.log2(self._real_time))
        return factor * 1000.0 / self.records.dt

    @property
    def _stretch(self) -> float:
        return max(1.0, LONGEST_S * self._pace / max(self._longest, 1.0))

    def _travel(self, delay: float) -> float:
        """Steps that a way with this delay takes on the canvas."""
        return max(self._stretch * delay, SHORTEST_S * self._pace)

    # --- following

    def _on_meter(self, message: dict[str, Any]) -> None:
        if message.get("real_time"):
            self._real_time = message["real_time"]

    def _refresh(self) -> None:
        self._cache = {}
        self._behind = self._pause.isActive()
        if not self._behind:
            self._rates = {}
            self._pause.start()
        self.updated.emit()

    def _catch_up(self) -> None:
        """Nothing more may come: the rates are to be the newest, too."""
        if self._behind:
            self._refresh()

    def _rebuild(self) -> None:
        """The drawing is another: which signals there are, and on which wires they travel."""
        program = self.session.problems.program
        if not isinstance(program, Program):
            return
        self._sources = {source.node: source for source in map(_spiking, program.ops.values()) if source}
        self._longest = max((op.largest_delay for op in program.ops.values()), default=1)
        wires = self.session.document.wires
        self._routes = {wire: _routes(self.session, program, self._sources, wire) for wire in wires}
        wanted: list[list[Any]] = []
        for source in self._sources.values():
            sample = None if len(source.chosen) == source.size else source.chosen.tolist()
            wanted += [[source.node, source.port, sample, "events"], [source.node, source.port, None, "rate"]]
        self.session.runner.want(self, wanted)
        self._refresh()


_made: WeakKeyDictionary[Session, Activity] = WeakKeyDictionary()


def _spiking(op: Op) -> Spiking | None:
    port = next((name for name, port in op.spec.outputs.items() if port.kinds[:1] == ("spikes",)), None)
    if port is None or op.role in ("dataset", "offline") or "~" in op.id:
        return None
    size = math.prod(op.shapes.get(port) or ())
    shown = min(size, STRIP_NEURONS)
    return Spiking(op.id, port, size, np.arange(shown) * size // max(shown, 1))


def _routes(session: Session, program: Program, sources: dict[str, Spiking], wire: str) -> list[Route]:
    """What travels on one wire: of a spiking node its spikes, behind a projection those that reach it."""
    start, end = session.document.wires[wire].source, session.document.wires[wire].target
    target = program.ops.get(end.node)
    if start.node in sources and sources[start.node].port == start.port:
        if target is not None and target.role == "projection":
            return [Route(sources[start.node], target.smallest_delay, target.largest_delay, 0.0, 0.5)]
        return [Route(sources[start.node], 0.0, 0.0, 0.0, 1.0)]
    projection = program.ops.get(start.node)
    if projection is None or projection.role != "projection":
        return []
    low, high = projection.smallest_delay, projection.largest_delay
    reaching = {source.op.partition("~")[0] for source in projection.inputs.get("input", ())}
    return [Route(sources[node], low, high, 0.5, 1.0) for node in sorted(reaching & sources.keys())]
