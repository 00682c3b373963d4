"""Coefficients of linear differential equations over one step."""

from __future__ import annotations

import math

from nodes.ops import Array, Ops


def decay(ops: Ops, tau: Array, integration: str, dt: float) -> Array:
    """Factor by which a quantity of time constant ``tau`` (ms) decays in ``dt`` ms: 1 - dt/tau by Euler."""
    return 1 - dt / tau if integration == "euler" else ops.exp(-dt / tau)


def current_to_potential(ops: Ops, tau_mem: Array, tau_syn: Array, dt: float) -> Array:
    """What a synaptic current of 1 at the start of a step adds to v by its end, for R = 1.

    P21 = tau_syn/(tau_mem - tau_syn) (exp(-dt/tau_mem) - exp(-dt/tau_syn)) (Rotter & Diesmann 1999), written
    dt/tau_mem exp(-dt/tau_mem) (1 - e^-z)/z with z = dt/tau_syn - dt/tau_mem: finite for equal constants.
    """
    z = dt / tau_syn - dt / tau_mem
    leak = dt / tau_mem * ops.exp(-dt / tau_mem)
    if isinstance(z, float):
        return leak * (-math.expm1(-z) / z if z else 1.0)
    small = ops.abs(z) < 0.03
    safe = ops.where(small, 1 + 0 * z, z)
    series = 1 - z / 2 * (1 - z / 3 * (1 - z / 4 * (1 - z / 5)))
    # tanh keeps every digit of 1 - e^-z where z is small
    ratio = ops.where(small, series, ops.tanh(safe / 2) * (1 + ops.exp(-safe)) / safe)
    return leak * ratio
