"""What of a unit's state anything that leaves it depends on."""

from __future__ import annotations

from collections.abc import Collection

from engine.codegen.expr import Expr, symbols
from engine.export.frozen import Unit


def live_state(unit: Unit, ports: Collection[str]) -> list[str]:
    """The state variables, in their order, that the outputs ``ports`` depend on in this or any later step."""
    traced = unit.traced
    wanted: set[str] = set()
    ahead: list[Expr] = [expr for port, expr in traced.outputs.items() if port in ports]
    while ahead:
        read = {found.name for found in symbols([ahead.pop()]) if found.role == "state"}
        ahead += [traced.new_state[name] for name in read - wanted]
        wanted |= read
    return [name for name in traced.state if name in wanted]
