"""Schema 0, before the first release: wires as a list of pairs of ends, the time step ``dt`` in seconds."""

from __future__ import annotations

from typing import Any


def migrate(d: dict[str, Any]) -> dict[str, Any]:
    """Wires get ids by their place in the list; title, seed and dt move into ``meta``, dt in ms."""
    new = {key: value for key, value in d.items() if key not in ("dt", "title", "seed")}
    new["wires"] = {
        f"w{index:07d}": {"from": list(source), "to": list(target)}
        for index, (source, target) in enumerate(d["wires"])
    }
    # Rounded, for 0.001 * 1000 is not always 1: twelve digits undo the error of the multiplication.
    new["meta"] = {**d.get("meta", {}), "dt_ms": round(d["dt"] * 1000.0, 12)}
    new["meta"].update({key: d[key] for key in ("title", "seed") if key in d})
    return new
