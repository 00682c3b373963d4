"""Numbers as a person writes them in a sentence."""

from __future__ import annotations


def number(value: float, unit: str = "") -> str:
    """``1,000,000`` and ``0.00002`` rather than ``1e+06`` and ``2e-05``; powers are left beyond that."""
    size = abs(value)
    if 1e4 <= size < 1e13:
        text = f"{value:,.2f}".rstrip("0").rstrip(".")
    elif 1e-8 <= size < 1e-4:
        text = f"{value:.13f}".rstrip("0")
    else:
        text = f"{value:g}"
    return f"{text} {unit}" if unit else text
