"""Lint: where a program breaks the limits of a chip, at the node, with the number, its source and a fix.

``lint`` reads a compiled program and a chip's file and writes nothing; ``Chip`` and ``chips`` are those of
``engine.export.hardware.chips``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.compile.diagnostics import Diagnostic, Fix, declare
from engine.document import Document
from engine.export.hardware import fixes, surgery
from engine.export.hardware.chips import Chip, ChipError, Limit, Part, chip, chips
from engine.export.hardware.demand import Demand, Layer, Link, demand, kind_of, origin
from engine.export.hardware.footprint import amounts, hop_steps
from engine.program import Op, Program
from nodes import registry

__all__ = ["Chip", "ChipError", "chip", "chips", "lint"]

UNKNOWN_CHIP = declare("MYL210", "warning", "the chip that the document is meant for is not known")
MODEL = declare("MYL211", "limit", "the chip does not have this neuron model or convention")
DELAYS = declare("MYL212", "limit", "the chip cannot hold these delays")
AMOUNT = declare("MYL213", "limit", "the network is larger than the chip")
FANS = declare("MYL214", "limit", "a neuron has more synapses than the chip allows")
PROJECTION = declare("MYL215", "limit", "the chip does not have this kind of projection")
WIRING = declare("MYL216", "limit", "the chip cannot be wired like this")
TIMES = declare("MYL217", "limit", "a time does not go with the chip")
SIGNALS = declare("MYL218", "limit", "the chip does not take this kind of signal")
CONVERTED = declare("MYL219", "info", "an export to the chip changes something")

FOLDED = ("structure.batch_norm", "structure.dropout", "structure.flatten", "structure.scale")
"""Structure that an export folds into weights or wiring."""
CONSTANT = "constant current"
"""Kind of an encoder without input: what chips call a bias."""
FINER = {
    "synapse": ("synapse", "axonal", "dendritic", "projection"),
    "axonal": ("axonal", "projection"),
    "dendritic": ("dendritic", "projection"),
    "projection": ("projection",),
}
"""What a chip with delays per ... can hold: a coarser granularity is a special case of a finer one."""


def lint(program: Program, target: Chip, document: Document | None = None) -> list[Diagnostic]:
    """What breaks the limits of ``target``, and what an export to it converts.

    With the ``document`` behind the program there are also fixes that add or delete nodes.
    """
    asked = demand(program, document)
    found = [
        *_models(asked, target),
        *_delays(asked, target),
        *_amounts(asked, target),
        *_populations(asked, target),
        *_fans(asked, target),
        *_projections(asked, target),
        *_wiring(asked, target),
        *_times(asked, target),
        *_signals(asked, target),
        *_conversions(asked, target),
    ]
    return list({(d.code, d.nodes, d.at): d for d in reversed(found)}.values())[::-1]


def _said(target: Chip, limit: Limit | Part, advice: str = "") -> str:
    """The hint: what to do, and where the number was read."""
    return "; ".join(filter(None, (advice, f"source: {limit.source}")))


def _models(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """Neuron types and conventions."""
    for layer in asked.layers.values() if target.neurons else ():
        fitting = [p for p in target.neurons if layer.op.type in p.types and p.where in ("", layer.where)]
        if not fitting:
            yield _no_model(asked, layer, target)
            continue
        part = min(fitting, key=lambda p: len(fixes.misfits(layer.op, p)))
        wrong = fixes.misfits(layer.op, part)
        if wrong:
            said = ", ".join(f"{name} is {layer.op.p[name]}" for name in wrong)
            had = ", ".join(f"{name} {_either(part.only[name])}" for name in wrong)
            message = f"'{layer.op.name}': {said}; {target.title} has {had}"
            fix = fixes.conform(layer.op, part, target)
            hint = _said(target, part, "" if fix else "change its thresholds, then its conventions")
            yield MODEL((origin(layer.op),), message, next(iter(wrong)), hint, fix)


def _no_model(asked: Demand, layer: Layer, target: Chip) -> Diagnostic:
    possible = [p for p in target.neurons if p.where in ("", layer.where)]
    types = dict.fromkeys(t for part in possible for t in part.types)
    message = f"{target.title} has no {layer.op.spec.label} ('{layer.op.name}')"
    fix = fixes.replace(layer, target)
    advice = f"it has {_either([_label(t) for t in types])}" if types else "it has no neurons with state"
    return MODEL(
        (origin(layer.op),), message, "", _said(target, (possible or target.neurons)[0], advice), fix
    )


def _label(type: str) -> str:
    spec = registry.get(type)
    return spec.label if spec else type


def _either(values: Iterable[object]) -> str:
    return " or ".join(map(str, values))


def _delays(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """Length and granularity of delays."""
    longest = target.limit("delay_steps")
    for link in asked.links.values():
        steps = link.delay_steps - hop_steps(asked, link, target)
        if longest is None or longest.max is None or steps <= 0:
            continue
        if steps > longest.max:
            yield _too_long(asked, link, target, longest)
        elif link.op.delay and link.op.delay.high > 0:
            yield from _too_fine(link, target)


def _too_long(asked: Demand, link: Link, target: Chip, longest: Limit) -> Diagnostic:
    op, dt = link.op, asked.program.dt
    hop, most = hop_steps(asked, link, target), int(longest.max or 0)
    can = f"holds {most} steps" if most else "has no delays"
    message = f"'{op.name}' delays by up to {op.largest_delay - hop} steps of {dt:g} ms; {target.title} {can}"
    looped = any(op.id in stage.ops for stage in asked.program.stages if stage.chunk is not None)
    clip = fixes.clip(op, most + hop, dt, looped)
    relay = surgery.relay_delay(asked, link, target)
    nodes = (op.delay.node, origin(op)) if op.delay else (origin(op),)
    offers = [fix for fix in (relay, clip) if fix]
    hint = _said(target, longest, "" if offers else "shorten them")
    return DELAYS(nodes, message, _delay_param(op), hint, offers[0] if offers else None, tuple(offers[1:]))


def _delay_param(op: Op) -> str:
    names = {"delays.fixed": "delay", "delays.random": "high", "delays.learnable": "max_delay"}
    return names.get(op.delay.type, "") if op.delay else "lag"


def _too_fine(link: Link, target: Chip) -> Iterator[Diagnostic]:
    limit, delay = target.limit("granularities"), link.op.delay
    if limit is None or delay is None:
        return
    if any(delay.granularity in FINER.get(choice, ()) for choice in limit.choices):
        return
    message = (
        f"'{link.op.name}' has delays per {delay.granularity}; {target.title} has {_either(limit.choices)}"
    )
    fix = fixes.coarsen(link.op, limit.choices)
    hint = _said(target, limit, "" if fix else f"set the granularity to {limit.choices[0]}")
    yield DELAYS((delay.node, origin(link.op)), message, "granularity", hint, fix)


def _amounts(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """Numbers of the whole network; the largest part of it is named."""
    memory = any(name.endswith("_bytes") for name in target.limits)
    for amount in amounts(asked, target, memory):
        limit = target.limit(amount.name)
        if limit is None or limit.max is None or amount.used <= limit.max:
            continue
        message = (
            f"the network needs {amount.used:,.0f} {amount.words}; {target.title} has {limit.max:,.0f}"
            + (f" ('{amount.largest.name}' needs the most)" if amount.largest else "")
        )
        nodes = (origin(amount.largest),) if amount.largest else ()
        yield AMOUNT(nodes, message, amount.name, _said(target, limit, "make the network smaller"))


def _populations(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """Numbers of one population."""
    for layer in asked.layers.values():
        for name, used in (("population", layer.neurons), ("channels", layer.channels)):
            limit = target.limit(name)
            if limit is None or limit.max is None or used <= limit.max:
                continue
            words = "neurons" if name == "population" else "channels"
            message = f"'{layer.op.name}' has {used:,} {words}; {target.title} takes {limit.max:,.0f}"
            fix, reason = surgery.split(asked, layer, int(limit.max))
            hint = _said(target, limit, reason)
            yield AMOUNT((origin(layer.op),), message, "size", hint, fix)


def fan_out(asked: Demand, layer: Layer, target: Chip) -> float:
    """Most synapses from a neuron; a chip that sets readout neurons apart has weights apart for them."""
    if not target.limit("hidden"):
        return layer.fan_out

    def hidden(key: str) -> bool:
        return key in asked.layers and not asked.layers[key].output

    return sum(link.fan_out for link in layer.leaving if any(map(hidden, link.targets)))


def _fans(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """Synapses of one neuron."""
    into, out, reach = (target.limit(name) for name in ("fan_in", "fan_out", "destinations"))
    for layer in asked.layers.values():
        name = layer.op.name
        if into and into.max is not None and layer.fan_in > into.max:
            heard = f"a neuron of '{name}' hears {layer.fan_in:,.0f} synapses"
            message = f"{heard}; {target.title} allows {into.max:,.0f}"
            hint = _said(target, into, "join fewer pairs: a sparse projection, or a smaller source")
            yield FANS((origin(layer.op),), message, "fan_in", hint)
        reached = fan_out(asked, layer, target)
        if out and out.max is not None and reached > out.max:
            message = (
                f"a neuron of '{name}' reaches {reached:,.0f} synapses; {target.title} allows {out.max:,.0f}"
            )
            fix = surgery.relay_fan_out(asked, layer, target)
            hint = _said(
                target, out, "" if fix else "join fewer pairs: a sparse projection, or a smaller target"
            )
            yield FANS((origin(layer.op),), message, "fan_out", hint, fix)
        if reach and reach.max is not None and layer.destinations > reach.max:
            projects = f"'{name}' projects to {layer.destinations} populations"
            message = f"{projects}; {target.title} allows {reach.max:,.0f}"
            fix = surgery.relay_fan_out(asked, layer, target)
            hint = _said(target, reach, "" if fix else "project to fewer")
            yield WIRING((origin(layer.op),), message, "destinations", hint, fix)


def _projections(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """Kinds of projections, their windows, strides and weights."""
    most = target.limit("projection_weights")
    for link in asked.links.values() if most and most.max is not None else ():
        assert most is not None and most.max is not None
        if link.weights > most.max:
            words = f"'{link.op.name}' has {link.weights:,.0f} weights"
            message = f"{words}; {target.title} takes {most.max:,.0f}"
            yield PROJECTION((origin(link.op),), message, "weights", _said(target, most, "make it smaller"))
    between = (op for op in asked.program.of_role("structure") if op.type not in FOLDED)
    for op in (*(link.op for link in asked.links.values()), *between) if target.projections else ():
        yield from _kind(op, target)


def _kind(op: Op, target: Chip) -> Iterator[Diagnostic]:
    """Whether a chip has a projection, or pooling between layers, with these parameters."""
    part = next((part for part in target.projections if op.type in part.types), None)
    if part is None:
        types = dict.fromkeys(_label(t) for each in target.projections for t in each.types)
        hint = _said(target, target.projections[0], f"it has {_either(types)}")
        yield PROJECTION((origin(op),), f"{target.title} has no {op.spec.label} ('{op.name}')", "", hint)
        return
    for name in fixes.misfits(op, part):
        message = f"'{op.name}': {name} is {op.p[name]}; {target.title} has {_either(part.only[name])}"
        yield PROJECTION((origin(op),), message, name, _said(target, part), fixes.choose(op, name, part))
    for name, top in part.most.items():
        if name in op.p and op.p[name] > top:
            message = f"'{op.name}': {name} is {op.p[name]}; {target.title} has at most {top:g}"
            yield PROJECTION((origin(op),), message, name, _said(target, part))


def _wiring(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """Loops, and readout neurons that project."""
    loops, outputs = target.limit("loops"), target.limit("outputs")
    for layer in asked.layers.values():
        name = layer.op.name
        if loops and loops.max == 0 and layer.looped:
            message = f"'{name}' is part of a loop; {target.title} is feed-forward only"
            hint = _said(target, loops, "remove the projection that leads back")
            yield WIRING((origin(layer.op),), message, "loops", hint)
        if outputs and target.limit("hidden") and layer.output and layer.fan_out:
            message = f"'{name}' is read out and projects on; readout neurons of {target.title} cannot"
            hint = _said(target, outputs, "read out a population of its own")
            yield WIRING((origin(layer.op),), message, "outputs", hint)


def _times(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """The time step and refractory times."""
    dt, limit = asked.program.dt, target.limit("dt_ms")
    if limit:
        near = max(limit.min or 0.0, min(dt, limit.max if limit.max is not None else dt))
        if near != dt:
            message = f"the time step is {dt:g} ms; {target.title} allows {limit} ms"
            fix = fixes.step(asked.program, near)
            yield TIMES(
                (), message, "dt_ms", _said(target, limit, "" if fix else "delays forbid another"), fix
            )
    hold = target.limit("refractory_steps")
    for layer in asked.layers.values() if hold and hold.max is not None else ():
        assert hold is not None and hold.max is not None
        steps = round(layer.op.p.get("refractory", 0.0) / dt)
        if steps > hold.max:
            name = layer.op.name
            message = f"'{name}' is refractory for {steps} steps; {target.title} allows {hold.max:,.0f}"
            path = ["nodes", origin(layer.op), "params", "refractory"]
            fix = Fix(f"Shorten the refractory time of '{name}'", (fixes.put(path, hold.max * dt),))
            yield TIMES((origin(layer.op),), message, "refractory", _said(target, hold), fix)


def _signals(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """What comes in from outside, what passes between layers, and what is read out."""
    taken, read = target.limit("input_kinds"), target.limit("output_kinds")
    for source in asked.inputs if taken else ():
        assert taken is not None
        op = asked.program.ops[source.op]
        constant = not any(op.inputs.values()) and op.role == "encoder"
        kind = CONSTANT if constant else kind_of(asked.program, source)
        if kind not in taken.choices:
            message = f"'{op.name}' gives the chip a {kind}; {target.title} takes {_either(taken.choices)}"
            yield SIGNALS(
                (origin(op),), message, source.port, _said(target, taken, "put an encoder behind it")
            )
    for link in asked.links.values() if taken else ():
        assert taken is not None
        for source in link.sources:
            kind = kind_of(asked.program, source)
            if source.op in asked.layers and kind not in taken.choices:
                message = f"'{link.op.name}' carries a {kind}; between neurons {target.title} carries spikes"
                hint = _said(target, taken, "project the spikes")
                yield SIGNALS((origin(link.op),), message, "input", hint)
    for op, kind in asked.readings if read else ():
        assert read is not None
        if kind not in read.choices:
            message = f"'{op.name}' reads out a {kind}; {target.title} gives {_either(read.choices)}"
            yield SIGNALS((origin(op),), message, "input", _said(target, read, "count its spikes instead"))


def _conversions(asked: Demand, target: Chip) -> Iterator[Diagnostic]:
    """What an export changes, for the record."""
    bits = target.limit("weight_bits")
    if bits and bits.max and asked.links and not fixes.quantised(asked.program, int(bits.max)):
        message = f"weights become numbers of {bits.max:g} bits on {target.title}"
        hint = _said(target, bits, "the export quantises them and tells the cost")
        yield CONVERTED((), message, "weight_bits", hint, fixes.quantise(asked.document, int(bits.max)))
    hop = target.limit("hop_steps")
    if hop and hop.min:
        late = [
            k.op for k in asked.links.values() if asked.between_layers(k) and k.op.smallest_delay < hop.min
        ]
        late = [op for op in late if any(t in asked.layers for t in asked.links[op.id].targets)]
        if late:
            word = "projection has" if len(late) == 1 else "projections have"
            message = (
                f"a spike takes a step from population to population on {target.title}; "
                f"{len(late)} {word} no delay and will answer a step later there"
            )
            nodes = tuple(dict.fromkeys(origin(op) for op in late))
            yield CONVERTED(nodes, message, "lag", _said(target, hop), fixes.lag(late))
