"""The update equations of a node for its help page, without a network around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.codegen.equations import equations
from engine.codegen.trace import trace
from nodes.kinds import SIGNALS
from nodes.spec import Node, Port, Shape, Shapes, Values, defaults

# one, two and three axes: between them they suit dense, 1-D and 2-D convolutional nodes
_ARRIVING: tuple[Shape, ...] = ((6,), (2, 12), (2, 8, 8))
_LEAVING: tuple[Shape | None, ...] = (None, (4,))


def explain(spec: type[Node], chosen: Mapping[str, Any], dt: float) -> list[str]:
    """The equations of ``spec`` at ``dt`` ms with its defaults but for the parameters ``chosen``.

    Empty for a node without step equations, and where no usual shape of input suits the parameters.
    """
    if spec.step is Node.step:
        return []
    values = defaults(spec) | dict(chosen)
    p = Values({name: param.coerce(values[name]) for name, param in spec.params.items()})
    shapes = example_shapes(spec, p)
    return [] if shapes is None else equations(trace(spec, p, dt, shapes, symbolic=True))


def example_shapes(spec: type[Node], p: Values) -> Shapes | None:
    """The first of some usual shapes with which the node can tell the shape of every port."""
    ports = {name: port for name, port in (spec.inputs | spec.outputs).items() if _is_signal(port)}
    for arriving in _ARRIVING:
        for leaving in _LEAVING:
            try:
                shapes = spec.infer(p, {name: arriving if name in spec.inputs else leaving for name in ports})
            except ValueError:
                continue
            if all(shapes[name] is not None for name in ports):
                return shapes
    return None


def _is_signal(port: Port) -> bool:
    return bool({*SIGNALS, "same"} & {*port.kinds})
