"""Direct current."""

from __future__ import annotations

from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Encoder
from nodes.spec import Param, Port, Shapes, Step, Values, node, port


@node("encoder.direct", label="Direct current", keywords=("DC", "constant", "source", "analog", "input"))
class Direct(Encoder):
    """A value as a current, I = gain x + offset; with nothing wired, the constant current ``offset``."""

    inputs: ClassVar[dict[str, Port]] = {
        "input": port("value", optional=True, doc="signal; 0 when not wired")
    }
    outputs: ClassVar[dict[str, Port]] = {"output": port("current", doc="current")}
    gain = Param(1.0, low=-1e6, high=1e6, doc="factor on the value")
    offset = Param(0.0, low=-1e6, high=1e6, doc="current at value 0")
    size = Param([], kind="shape", doc="shape of the current; empty takes that of the neighbours")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        known = tuple(p.size) or shapes["input"] or shapes["output"]
        return dict.fromkeys(shapes, known)

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": p.gain * x.input + p.offset}
