"""How a NIR file is to be read: by its metadata, by what only one package writes, or by an assumption."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export.nir.dialects import DIALECTS, NEURONS, Dialect
from engine.export.nir.file import NirGraph, NirNode

ASSUMED = declare("MYL300", "warning", "A NIR file leaves open how it is meant, and something was assumed.")
CLOSE = 1e-4


@dataclass(frozen=True)
class Reading:
    """``dt``: a step in the unit of the file's time constants; ``dt_ms``: the same step in ms.

    ``stretch``: factor on the time constants, where a package writes them wrong.
    """

    name: str
    dt: float
    dt_ms: float
    stretch: float = 1.0

    @property
    def dialect(self) -> Dialect:
        """Its entry in the table."""
        return DIALECTS[self.name]


def reading(graph: NirGraph, asked: str, dt_ms: float | None) -> tuple[Reading, list[Diagnostic]]:
    """The reading of a flat graph; ``asked``: a dialect or ``auto``; ``dt_ms``: where the user says it."""
    if asked != "auto" and asked not in DIALECTS:
        raise MyelinError(f"there is no NIR dialect {asked!r}: there are auto, {', '.join(DIALECTS)}")
    _check(graph)
    neurons = [node for node in _nodes(graph) if node.type in NEURONS]
    told = graph.metadata.get("dialect")
    if asked == "auto" and told in DIALECTS:
        return _by_metadata(graph, str(told), dt_ms), []
    name = asked if asked != "auto" else _package(neurons)
    found, doubts = _timed(name, neurons, dt_ms)
    if asked == "auto":
        doubts += _of_reset(found, neurons)
    return found, doubts


def _check(graph: NirGraph) -> None:
    """What every reader takes for granted."""
    for name, node in graph.nodes.items():
        if not isinstance(node, NirNode):
            continue
        shapes = {key: np.shape(value) for key, value in node.fields.items() if not isinstance(value, str)}
        if any(0 in shape for shape in shapes.values()):
            raise MyelinError(f"'{name}' ({node.type}) in the NIR file has no numbers in {_empty(shapes)}")
        if node.type in NEURONS and len({shape for shape in shapes.values() if np.prod(shape) > 1}) > 1:
            raise MyelinError(f"the numbers of '{name}' ({node.type}) in the NIR file differ in shape")
    ends = {"Input": [b for _, b in graph.edges], "Output": [a for a, _ in graph.edges]}
    for kind, wrong in ends.items():
        for name in wrong:
            node = graph.nodes[name]
            if isinstance(node, NirNode) and node.type == kind:
                raise MyelinError(f"an edge of the NIR file is on the wrong side of '{name}' ({kind})")


def _empty(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return next(key for key, shape in shapes.items() if 0 in shape)


def _nodes(graph: NirGraph) -> Iterator[NirNode]:
    yield from (node for node in graph.nodes.values() if isinstance(node, NirNode))


def _by_metadata(graph: NirGraph, name: str, dt_ms: float | None) -> Reading:
    numbers = [_number(graph.metadata.get(key)) for key in ("dt", "dt_ms")]
    if not all(numbers):
        raise MyelinError(
            f"the NIR file says that it is in the dialect {name}, but not how long a step is: its metadata "
            "must hold dt and dt_ms"
        )
    return Reading(name, numbers[0], dt_ms or numbers[1])


def _number(value: object) -> float:
    """A positive number, or 0."""
    array = np.asarray(value if value is not None and not isinstance(value, str) else 0.0)
    good = array.dtype.kind in "fiu" and array.size == 1 and 0 < array.item() < 1e9
    return float(array.item()) if good else 0.0


def _package(neurons: list[NirNode]) -> str:
    """The dialect of the package that alone writes such neurons; ``nirtorch``, the documented rule, else."""
    leaky = [node for node in neurons if "r" in node.fields and node.type != "IF"]
    if _is_rockpool(leaky):
        return "rockpool"
    if leaky and all(node.type == "LIF" and _same(node.fields["r"], 1 - 1 / _tau(node)) for node in leaky):
        return "spyx"
    old = not any("v_reset" in node.fields for node in neurons)
    in_steps = all(_same(node.fields["r"], 1.0) and _tau(node).min(initial=1) >= 1 for node in leaky)
    if neurons and old and in_steps and all(node.type in ("IF", "LIF", "LI") for node in neurons):
        whole = all(_same(node.fields["r"], 1.0) for node in neurons)
        return "sinabs" if whole else "nirtorch"
    return "nirtorch"


def _is_rockpool(leaky: list[NirNode]) -> bool:
    cuba = [node for node in leaky if node.type == "CubaLIF"]
    return bool(cuba) and all(
        _same(node.fields.get("w_in", 1.0), 1.0) and not _same(node.fields["r"], 1.0) for node in cuba
    )


def _tau(node: NirNode) -> np.ndarray:
    return np.asarray(node.fields["tau_mem" if "tau_mem" in node.fields else "tau"], np.float64)


def _same(a: object, b: object) -> bool:
    x, y = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return bool(np.allclose(x, y, rtol=CLOSE, atol=0))


def _timed(name: str, neurons: list[NirNode], dt_ms: float | None) -> tuple[Reading, list[Diagnostic]]:
    match DIALECTS[name].rule:
        case "sinabs" | "spyx":
            if dt_ms:
                return Reading(name, 1.0, dt_ms), []
            note = f"time constants are in steps, as {name} writes them; a step is taken for 1 ms"
            return Reading(name, 1.0, 1.0), [_assume(note, "choose with --dt")]
        case "rockpool":
            dt = _rockpool_dt(neurons)
            return Reading(name, dt, dt_ms or 1000 * dt), []
    steps = _steps(neurons)
    own = DIALECTS[name].dt
    if len(steps) == 1 or (own and not steps):
        dt = steps[0] if steps else own or 1e-3
        return Reading(name, dt, dt_ms or _rounded(1000 * dt)), []
    return _guessed(name, neurons, dt_ms)


def _guessed(name: str, neurons: list[NirNode], dt_ms: float | None) -> tuple[Reading, list[Diagnostic]]:
    taus = [_tau(node) * 1.0 for node in neurons if node.type not in ("I", "IF")]
    smallest = min((float(tau.min(initial=np.inf)) for tau in taus), default=np.inf)
    if name in ("nirtorch", "norse") and smallest < 2e-4 and not dt_ms:
        note = (
            f"a time constant of {smallest:g} s is below any usual step: Norse 1.1 writes tau times dt, so "
            "it is divided by dt = 1 ms"
        )
        return Reading("norse", 1e-3, 1.0, 1e3), [_assume(note, "choose another --dialect or --dt")]
    dt = dt_ms / 1000 if dt_ms else (1e-3 if smallest >= 2e-3 else 1e-4)
    if dt_ms:
        return Reading(name, dt, dt_ms), []
    if not taus and not any(node.type in ("I", "IF") for node in neurons):
        return Reading(name, dt, 1000 * dt), []
    note = f"the file does not say how long a step is: {1000 * dt:g} ms is taken, time constants being in s"
    return Reading(name, dt, 1000 * dt), [_assume(note, "choose with --dt")]


def _steps(neurons: Iterable[NirNode]) -> list[float]:
    """The step lengths that the gains speak of (r = tau/dt, w_in = tau_syn/dt, r of IF = 1/dt); 0 to 2."""
    found: list[float] = []
    for node in neurons:
        r = np.asarray(node.fields["r"], np.float64)
        told = []
        if node.type in ("LIF", "CubaLIF", "LI", "CubaLI") and not _same(r, 1.0) and (r > 0).all():
            told.append(_tau(node) / r)
        if node.type == "IF" and not _same(r, 1.0) and (r > 0).all():
            told.append(1 / r)
        for dt in (float(x) for values in told for x in np.unique(values)):
            if not any(abs(dt - known) <= CLOSE * known for known in found):
                found.append(dt)
    return [_rounded(dt) for dt in found[:2]]


def _rounded(dt: float) -> float:
    """Without the dirt of single precision."""
    return float(f"{dt:.5g}")


def _rockpool_dt(neurons: list[NirNode]) -> float:
    """The dt of r = x exp(-1/x) with x = tau/dt, the same for all neurons."""
    found = []
    for node in (node for node in neurons if node.type == "CubaLIF"):
        tau, r = np.broadcast_arrays(_tau(node), np.asarray(node.fields["r"], np.float64))
        found += [t / _ratio(float(gain)) for t, gain in {*zip(tau.flat, r.flat, strict=True)}]
    if not found or max(found) - min(found) > 1e-2 * max(found):
        raise MyelinError(
            "the NIR file has gains r that do not agree on one step, as those of Rockpool would"
        )
    return _rounded(float(np.median(found)))


def _ratio(r: float) -> float:
    """x of r = x exp(-1/x), for r > 0."""
    from scipy.optimize import brentq  # takes longer to import than the window may take to open

    if not 0 < r < 1e12:
        raise MyelinError(f"the NIR file has a gain r of {r:g}, which Rockpool cannot have written")
    return float(brentq(lambda x: x * np.exp(-1 / x) - r, 1e-3, 2 * r + 2))


def _of_reset(found: Reading, neurons: list[NirNode]) -> list[Diagnostic]:
    spiking = [node for node in neurons if node.type in ("IF", "LIF", "CubaLIF")]
    silent = [node for node in spiking if "v_reset" not in node.fields]
    if not silent or found.dialect.rule != "nir" or found.dialect.reset != "value":
        return []
    note = "the file does not say what a spike does to v: it is set to 0, as nir 1.0.8 documents"
    return [_assume(note, "nir 1.0.4 documented v - threshold: choose that with --dialect nir104")]


def _assume(note: str, hint: str) -> Diagnostic:
    return ASSUMED((), note, hint=hint)
