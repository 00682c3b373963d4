"""Which neurons a plot shows, as text: ``0-9, 15``."""

from __future__ import annotations

MOST = 4096


def parse(text: str, size: int | None) -> list[int] | None:
    """The neurons that a text names, sorted; None for all (empty, ``all``); ValueError says what is wrong."""
    if text.strip().lower() in ("", "all"):
        return None
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        low, dash, high = part.partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise ValueError(f"'{part}' names no neurons: write for instance 0-9, 15")
        first, last = int(low), int(high or low)
        if size is not None and max(first, last) >= size:
            raise ValueError(f"there is no neuron {max(first, last)}: they are 0 to {size - 1}")
        if abs(last - first) >= MOST:
            raise ValueError(f"{part} are too many: choose at most {MOST}, or all")
        found |= set(range(min(first, last), max(first, last) + 1))
    return sorted(found)


def shorten(neurons: list[int] | None) -> str:
    """The same text of a list."""
    if neurons is None:
        return "all"
    runs: list[list[int]] = []
    for neuron in neurons:
        if runs and neuron == runs[-1][1] + 1:
            runs[-1][1] = neuron
        else:
            runs.append([neuron, neuron])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
