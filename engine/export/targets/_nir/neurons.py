"""Populations as neurons of a NIR dialect: fields, and the factor by which their weights must grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.export.frozen import Unit
from engine.export.nir.dialects import Dialect
from engine.export.nir.file import NirNode
from engine.export.targets._lif import Cell, cell
from engine.export.targets._nir.rules import KINDS


@dataclass(frozen=True)
class Neurons:
    """A node of a file; ``factor [size]``: what arrives must be multiplied by it, None for 1."""

    node: NirNode
    factor: np.ndarray | None


def neurons(unit: Unit, dt: float, dialect: Dialect, step: float) -> Neurons:
    """The neurons of a unit; ``dt``: its step in ms, ``step``: the same in the unit of the file."""
    kind, c = KINDS[unit.op.type], cell(unit, dt)
    fields: dict[str, np.ndarray] = {}
    if kind in ("LI", "LIF"):
        factor = _leaky(fields, c, dialect, step)
    elif kind in ("CubaLI", "CubaLIF"):
        factor = _current_based(fields, c, dialect, step)
    else:
        factor = _summing(fields, c, dialect, step)
    if kind not in ("I", "IF"):
        fields["v_leak"] = np.asarray(c.v_leak)
    if kind in ("IF", "LIF", "CubaLIF"):
        fields["v_threshold"] = np.asarray(c.v_th)
        if not dialect.strip_reset:
            fields["v_reset"] = np.asarray(0.0 if c.reset is None else c.reset)
    full = {key: np.broadcast_to(value, unit.shape).astype(np.float32) for key, value in fields.items()}
    wide = np.broadcast_to(np.asarray(factor, np.float64), unit.shape).ravel()
    return Neurons(NirNode(kind, full), None if np.allclose(wide, 1.0, rtol=1e-7, atol=0) else wide)


def _tau(a: np.ndarray, dialect: Dialect, step: float) -> np.ndarray:
    """The time constant by which the reader's step decays by ``a``."""
    if dialect.rule in ("nir", "spyx"):
        return np.asarray(step / (1 - a))
    return np.asarray(-step / np.log(a))


def _leaky(fields: dict[str, np.ndarray], c: Cell, dialect: Dialect, step: float) -> np.ndarray:
    tau = _tau(np.asarray(c.a), dialect, step)
    unit = tau / step  # r by which an input of 1 adds 1
    r, factor = {
        "any": (c.gain * unit, 1.0),
        "unit": (unit, c.gain),
        "folded": (1.0, c.gain * unit),
        "textbook": (1.0, c.gain * unit),
        "one": (1.0, c.gain),
    }[dialect.gains]
    fields |= {"tau": tau, "r": np.asarray(r)}
    return np.asarray(factor)


def _current_based(fields: dict[str, np.ndarray], c: Cell, dialect: Dialect, step: float) -> np.ndarray:
    mem, syn = _tau(np.asarray(c.a), dialect, step), _tau(np.asarray(c.s), dialect, step)
    both = np.asarray(c.entry * c.gain)
    r, w_in, factor = {
        "any": (c.gain * mem / step, c.entry * syn / step, 1.0),
        "unit": (mem / step, syn / step, both),
        "folded": (mem / step, syn / step, both),
        "textbook": (1.0, 1.0, both * mem * syn / step**2),
        # its reader takes tau/(1 + r) for the step; its writer has another r, and so its reader another step
        "rockpool": (mem / step - 1, 1.0, both / np.asarray(c.s)),
    }[dialect.gains]
    fields |= {"tau_mem": mem, "tau_syn": syn, "r": np.asarray(r), "w_in": np.asarray(w_in)}
    return np.asarray(factor)


def _summing(fields: dict[str, np.ndarray], c: Cell, dialect: Dialect, step: float) -> np.ndarray:
    """Integrators: an input of 1 adds r dt, or, where the reader ignores that, 1."""
    if dialect.gains in ("folded", "one"):
        fields["r"] = np.asarray(1.0)
        return np.asarray(c.gain)
    if dialect.gains == "unit":
        fields["r"] = np.asarray(1 / step)
        return np.asarray(c.gain)
    fields["r"] = np.asarray(c.gain / step)
    return np.asarray(1.0)
