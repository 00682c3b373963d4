"""What can be wrong with a network that runs or trains, in words and with a fix.  No torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.compile.diagnostics import Diagnostic, Fix, declare
from engine.document.ops import set_op
from engine.program import Op, Program, Source
from nodes.spec import Values

SILENT = declare("MYL201", "warning", "a population gets input but does not fire")
NO_INPUT = declare("MYL202", "warning", "nothing comes from a source of input")
UNWIRED = declare("MYL203", "info", "a population has nothing wired to its input")
SATURATED = declare("MYL204", "warning", "a population fires as often as it can")
RUNAWAY = declare("MYL205", "warning", "the rate of a population keeps growing")
NOT_FINITE = declare("MYL206", "error", "the state of a population is no finite number any more")

UNTRAINED_FACTOR = 3.0
"""By how much weights are raised where nothing was measured but that a population stays silent."""


@dataclass(frozen=True)
class Route:
    """A projection whose current reaches a population as ``source``, directly or through ``via``."""

    source: Source
    projection: Op
    via: tuple[Op, ...] = ()

    @property
    def ops(self) -> tuple[Op, ...]:
        """All that a current passes."""
        return (self.projection, *self.via)


def routes(program: Program, op: Op) -> list[Route]:
    """The projections with a gain behind a population's input."""
    found = (_route(program, source) for source in op.inputs.get("input", ()))
    return [route for route in found if route is not None]


def _route(program: Program, source: Source) -> Route | None:
    op, via = program.ops[source.op], []
    while op.role == "structure" and len(op.inputs.get("input", ())) == 1:
        via.append(op)
        op = program.ops[op.inputs["input"][0].op]
    if op.role != "projection" or "gain" not in op.spec.params:
        return None
    return Route(source, op, tuple(via))


def roots(program: Program, op: Op) -> set[Source]:
    """The signals from which the current into a population is made, beyond projections and structure."""
    found: set[Source] = set()
    waiting = list(op.inputs.get("input", ()))
    seen = set(waiting)
    while waiting:
        source = waiting.pop()
        behind = program.ops[source.op]
        if behind.role not in ("projection", "structure"):
            found.add(source)
            continue
        before = set(behind.inputs.get("input", ())) - seen
        seen |= before
        waiting += before
    return found


def message(diagnostic: Diagnostic, resolved: bool = False) -> dict[str, Any]:
    """A diagnosis as it travels; ``resolved``: what was said before is no longer so."""
    fix = diagnostic.fix
    return {
        "type": "diagnosis",
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "node": diagnostic.nodes[0] if diagnostic.nodes else "",
        "text": diagnostic.message,
        "hint": diagnostic.hint,
        "fix": {"label": fix.label, "ops": list(fix.ops)} if fix else None,
        "resolved": resolved,
    }


def node_of(op: Op) -> str:
    """The document's node of an op; copies in repeated groups are ``id~1``, ``id~2``, ..."""
    return op.id.partition("~")[0]


def silent(op: Op, ms: float, ratio: float | None, hint: str, fix: Fix | None) -> Diagnostic:
    """It has not fired for ``ms``; ``ratio``: how much of the way from rest to threshold it came."""
    if ratio is None:
        how = "its input is too weak"
    elif ratio <= 0:
        how = "its input does not excite it"
    else:
        how = f"its input reaches {ratio:.2g} of the threshold"
    return SILENT((node_of(op),), f"'{op.name}' has not fired for {_seconds(ms)}: {how}", "", hint, fix)


def no_input(op: Op, ms: float) -> Diagnostic:
    """Nothing has come from a source for ``ms``."""
    text = f"nothing has come from '{op.name}' for {_seconds(ms)}"
    if op.role == "dataset":
        return NO_INPUT(
            (node_of(op),), text, "", "its recordings hold no spikes: look at its file and settings"
        )
    for name, unit in (("rate", "Hz"), ("offset", "")):
        param = op.spec.params.get(name)
        if param is not None and not op.inputs.get("input") and abs(op.p[name]) < 1e-3:
            value = param.default or 1.0
            hint = f"raise its {name} from {op.p[name]:g} to {value:g} {unit}".rstrip()
            return NO_INPUT((node_of(op),), text, name, hint, set_fix(op, name, value))
    return NO_INPUT((node_of(op),), text, "", "look at what it is given and at its parameters")


def unwired(op: Op, ms: float) -> Diagnostic:
    """It cannot fire by itself."""
    text = f"'{op.name}' has not fired for {_seconds(ms)}: nothing is wired to its input"
    return UNWIRED((node_of(op),), text, "input", "wire a projection or an encoder to it, or stimulate it")


def saturated(op: Op, hertz: float, part: float, hint: str, fix: Fix | None) -> Diagnostic:
    """A part of its neurons fires at the limit."""
    who = f"'{op.name}'" if part > 0.9 else f"{100 * part:.0f} % of '{op.name}'"
    limit = (
        f"as often as its refractory time of {op.p.refractory:g} ms allows"
        if op.p.get("refractory", 0.0) > 0
        else "in nearly every step"
    )
    return SATURATED((node_of(op),), f"{who} fires {limit}, {hertz:.0f} Hz", "", hint, fix)


def runaway(op: Op, before: float, now: float, ms: float, hint: str, fix: Fix | None) -> Diagnostic:
    """Its rate has grown from ``before`` to ``now`` Hz in ``ms``."""
    text = f"'{op.name}' fires ever faster: from {before:.0f} to {now:.0f} Hz in {_seconds(ms)}"
    return RUNAWAY((node_of(op),), text, "", hint, fix)


def not_finite(op: Op, name: str, step: int, hint: str, fix: Fix | None) -> Diagnostic:
    """``name`` of its state has become infinite or undefined."""
    text = f"'{op.name}' has no finite {name} any more by step {step}"
    return NOT_FINITE((node_of(op),), text, name, hint, fix)


def set_fix(op: Op, name: str, value: float) -> Fix:
    """The fix that sets one parameter."""
    shown = f"{value:g} {op.spec.params[name].unit}".rstrip()
    return Fix(f"Set {name} of '{op.name}' to {shown}", (_set(op, name, value),))


def gain_fix(projection: Op, factor: float, up: bool) -> tuple[str, Fix] | None:
    """(hint, fix) that multiplies a projection's weights, rounded away from where they are; None: impossible.

    A negative factor turns inhibition into excitation.
    """
    old = float(projection.p.gain)
    turned = factor < 0 and projection.p.get("sign") == "inhibitory"
    new = nice(old * (abs(factor) if turned else factor), up)
    if new == old or projection.spec.params["gain"].problem(new) is not None:
        return None
    ops = [_set(projection, "gain", new)]
    if turned:
        ops.insert(0, _set(projection, "sign", "excitatory"))
        hint = f"make '{projection.name}' excitatory and set its gain from {old:g} to {new:g}"
        return hint, Fix(f"Make '{projection.name}' excitatory with gain {new:g}", tuple(ops))
    verb = "raise" if new > old else "lower"
    hint = f"{verb} the gain of '{projection.name}' from {old:g} to {new:g}"
    return hint, Fix(f"Set gain of '{projection.name}' to {new:g}", tuple(ops))


def open_gate(program: Program, op: Op) -> tuple[str, Fix | None]:
    """(hint, fix) for a population that nothing reaches, although what it is wired to fires."""
    for route in routes(program, op):
        if route.projection.p.gain == 0:
            value = float(route.projection.spec.params["gain"].default)
            hint = f"raise the gain of '{route.projection.name}' from 0 to {value:g}"
            return hint, set_fix(route.projection, "gain", value)
    return "the weights on the way to it are zero: look at its projections", None


def threshold_fix(op: Op, new: float) -> tuple[str, Fix] | None:
    """(hint, fix) that sets ``v_th``; None where the neuron could not have it."""
    if op.spec.check(Values({**op.p, "v_th": new})) or op.spec.params["v_th"].problem(new) is not None:
        return None
    verb = "raise" if new > op.p.v_th else "lower"
    return f"{verb} the threshold of '{op.name}' from {op.p.v_th:g} to {new:g}", set_fix(op, "v_th", new)


def of_rates(program: Program, rates: Mapping[str, float], epochs: int = 1) -> list[Diagnostic]:
    """Populations that did not fire in ``epochs`` epochs of training, or fired as often as they can.

    ``rates``: mean rate (Hz) by population.  Of silent ones in a row only the first is named.
    """
    known = [op for op in program.of_role("population") if op.id in rates]
    quiet = {op.id for op in known if rates[op.id] == 0}
    return [
        *(_silent_epochs(program, op, epochs) for op in known if op.id in quiet and _fed(program, op, quiet)),
        *(_hot_epochs(program, op, rates[op.id]) for op in known if _hot(op, rates[op.id], program.dt)),
    ]


def _fed(program: Program, op: Op, quiet: set[str]) -> bool:
    sources = {source.op for source in roots(program, op)} - {op.id}
    return not sources or not sources <= quiet


def _hot(op: Op, hertz: float, dt: float) -> bool:
    return bool(op.spec.inputs) and hertz >= 0.9 * most(op, dt) * 1000 / dt


def _silent_epochs(program: Program, op: Op, epochs: int) -> Diagnostic:
    when = "an epoch" if epochs == 1 else f"{epochs} epochs"
    hint, fix = _guess(program, op, UNTRAINED_FACTOR)
    return SILENT((node_of(op),), f"'{op.name}' has not fired in {when} of training", "", hint, fix)


def _hot_epochs(program: Program, op: Op, hertz: float) -> Diagnostic:
    return saturated(op, hertz, 1.0, *_guess(program, op, 1 / UNTRAINED_FACTOR))


def _guess(program: Program, op: Op, factor: float) -> tuple[str, Fix | None]:
    """(hint, fix) for weights of which nothing was measured."""
    for route in routes(program, op):
        found = gain_fix(route.projection, factor, factor > 1)
        if found is not None and route.projection.p.get("sign") != "inhibitory":
            return f"{found[0]} and train again", found[1]
    return f"{'strengthen' if factor > 1 else 'weaken'} what reaches it and train again", None


def most(op: Op, dt: float) -> float:
    """Spikes of a neuron in a step on average at most; infinite where nobody would reach it."""
    spikes = op.p.get("max_spikes", 1)
    return math.inf if spikes > 100 else spikes / (1 + round(op.p.get("refractory", 0.0) / dt))


def nice(value: float, up: bool) -> float:
    """``value`` in two digits, rounded to a larger (``up``) or smaller magnitude."""
    if value == 0 or not math.isfinite(value):
        return value
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    digits = abs(value) / unit
    whole = math.ceil(digits - 1e-6) if up else math.floor(digits + 1e-6)
    return float(f"{math.copysign(whole * unit, value):.3g}")


def _set(op: Op, name: str, value: Any) -> dict[str, Any]:
    return set_op(["nodes", node_of(op), "params", name], value)


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 100 else f"{ms:g} ms"
