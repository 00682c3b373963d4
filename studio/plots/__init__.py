"""Live plots.  A plot is a widget in a module of this package::

    @plot("raster", "Spike raster", ports=("spikes",), icon="raster")
    class Raster(TimePlot): ...

``ports``: kinds of ports it shows; besides those of wires, ``weights`` and ``delays`` of a projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from nodes.spec import Spec
from studio import discovery

if TYPE_CHECKING:
    from studio.plots.base import Plot
    from studio.session import Session

P = TypeVar("P", bound="type[Plot]")

TENSORS = ("weights", "delays")
"""What a projection can show besides its ports."""


@dataclass(frozen=True)
class PlotType:
    """One sort of plot; ``make(session, id of the view)`` gives the widget."""

    id: str
    title: str
    make: Callable[[Session, str], Plot]
    ports: tuple[str, ...]
    icon: str
    order: int


_found: dict[str, PlotType] = {}


def plot(id: str, title: str, *, ports: tuple[str, ...], icon: str, order: int = 0) -> Callable[[P], P]:
    """Declare the decorated widget a plot; ValueError if the id is taken."""

    def declare(widget: P) -> P:
        if id in _found:
            raise ValueError(f"the plot {id} is declared twice")
        _found[id] = PlotType(id, title, widget, ports, icon, order)
        return widget

    return declare


@cache
def table() -> dict[str, PlotType]:
    """Every plot by id, in order."""
    import studio.plots as package

    discovery.load_all(package)
    return dict(sorted(_found.items(), key=lambda item: (item[1].order, item[0])))


def fitting(spec: Spec, port_kind: str) -> list[PlotType]:
    """The plots that can show a port of this kind (or ``weights``, ``delays``) of such a node."""
    if port_kind in TENSORS and spec.role != "projection":
        return []
    return [found for found in table().values() if port_kind in found.ports]
