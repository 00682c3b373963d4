"""The text of an exported PyTorch file: the nodes' classes, the network that joins them, its training."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from engine.export.freeze import outside_of
from engine.export.frozen import Frozen
from engine.export.targets._names import op_names, printed, signal_names, unique
from engine.export.targets._torch import pieces
from engine.export.targets._torch.code import TAKEN, Lines, Node, class_text, node_of, surrogate_text
from engine.export.targets._torch.training import Lessons
from engine.program import Op, Program, Source, Stage
from engine.versions import own_version
from nodes.surrogates import SURROGATES

PASSIVE = ("loss", "probe")
HELPERS = {
    "Spike": pieces.SPIKE,
    "fit": pieces.FIT,
    "reshape": pieces.RESHAPE,
    "conv": pieces.CONV,
    "pool": pieces.POOL,
    "batch_norm": pieces.BATCH_NORM,
    "Neurons": pieces.NEURONS,
    "Projection": pieces.PROJECTION,
    "Delayed": pieces.DELAYED,
    "convolved": pieces.CONVOLVED,
    "late": pieces.LATE,
    "SynapticDelays": pieces.SYNAPTIC,
    "SparseSynapticDelays": pieces.SPARSE_SYNAPTIC,
    "DelayBefore": pieces.BEFORE,
    "DelayAfter": pieces.AFTER,
}
WORDS = {"Spike": ("spike", "Spike")}  # what else calls for a piece
RESERVED = ("self", "state", "steps", "batch", "after", "tail", "device", "found", "label", "t", *TAKEN)


@dataclass
class File:
    """The file of one network.  ``signals``: names of its inputs and outputs."""

    frozen: Frozen
    refs: dict[Source, str] = field(
        default_factory=dict
    )  # where a signal is found, in the code written so far

    @cached_property
    def inside(self) -> list[Op]:
        """The ops of the file in the order they run."""
        return inside_of(self.frozen.program)

    @cached_property
    def losses(self) -> list[Op]:
        """The losses that a file can say."""
        return [op for op in self.frozen.program.of_role("loss") if op.type in pieces.LOSSES]

    @cached_property
    def outputs(self) -> list[Source]:
        """What the network gives: the outputs, and what losses read."""
        mine = {op.id for op in self.inside}
        judged = [s for op in self.losses for port, own in op.inputs.items() if port != "label" for s in own]
        return [s for s in dict.fromkeys([*self.frozen.outputs, *judged]) if s.op in mine]

    @cached_property
    def signals(self) -> dict[Source, str]:
        """What inputs and outputs are called."""
        return signal_names(self.frozen, [*self.frozen.inputs, *self.outputs], RESERVED)

    @property
    def inputs(self) -> list[str]:
        """What the inputs are called."""
        return [self.signals[source] for source in self.frozen.inputs]

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The ops as they stand in the file."""
        program = self.frozen.program
        names = op_names(self.inside, [*self.inputs, *RESERVED])
        classes = {*HELPERS, "Network", "SparseProjection", *keyword.kwlist}
        found = {}
        for op in self.inside:
            cls = unique("".join(map(str.capitalize, names[op.id].split("_"))), classes)
            classes.add(cls)
            found[op.id] = node_of(op, program.dt, names[op.id], cls, self._wanted(op))
        return found

    @cached_property
    def lessons(self) -> Lessons:
        """What the file says about training."""
        return Lessons(self.frozen.program, list(self.nodes.values()), self.losses, self.signals)

    def _wanted(self, op: Op) -> tuple[str, ...]:
        read = {s for other in self.inside for sources in other.inputs.values() for s in sources}
        return tuple(p for p in op.spec.outputs if {Source(op.id, p)} & {*read, *self.outputs})

    def text(self) -> str:
        """The file."""
        own = [class_text(node) for node in self.nodes.values()]
        own += [self._network()]
        own += [self.lessons.loop()] if self.lessons.groups and self.losses else []
        own += [pieces.MAIN.strip("\n")]
        head = "\n".join([self._head(), *(["", *self.lessons.constants()] if self.lessons.groups else [])])
        return "\n\n\n".join([head, *_helpers("\n".join(own)), *own]) + "\n"

    def _head(self) -> str:
        program = self.frozen.program
        title = printed(program.title) or "A network"
        kinds = {source: "x".join(map(str, self.frozen.shape(source))) for source in self.signals}
        titles = {source: printed(self.frozen.name(source)) for source in self.signals}
        listed = [f"    {name} [{kinds[s]}]  {titles[s]}" for s, name in self.signals.items()]
        count = len(self.frozen.inputs)
        about = _DOCSTRING.format(
            title=title,
            version=own_version(),
            dt=f"{program.dt:g}",
            tail=program.tail,
            arguments=", ".join(self.inputs) or "steps",
            inputs="\n".join(listed[:count]) or "    none: it drives itself",
            outputs="\n".join(listed[count:]),
        )
        plain = about.replace("\\", "/").replace('"', "'")
        return f'"""{plain}"""\n\n{_IMPORTS}\n\nDT = {program.dt!r}  # ms'

    # the network

    def _network(self) -> str:
        made = [f"self.{node.name} = {node.cls}()" for node in self.nodes.values()]
        keeping = [node for node in self.nodes.values() if node.stateful or node.delayed]
        first = [f'"{node.name}": self.{node.name}.begin(batch, device),' for node in keeping]
        lines = [
            "class Network(nn.Module):",
            '    """All of it.  The state is a dictionary of what every node keeps."""',
            "",
            "    def __init__(self):",
            *_in(["super().__init__()", *made], 2),
            "",
            "    def begin(self, batch, device=None):",
            '        """The state before the first step."""',
            "        return {",
            *_in(first, 3),
            "        }",
            "",
            *self._entrances(),
            "",
            f"    def _run(self, {', '.join([*(self.inputs or ['steps', 'batch']), 'state', 'tail'])}):",
            *_in(self._run(), 2),
        ]
        return "\n".join([*lines, *self.lessons.methods()])

    def _entrances(self) -> Lines:
        given = ", ".join(self.inputs) or "steps, batch=1"
        passed = ", ".join(self.inputs) or "steps, batch"
        tail = self.frozen.program.tail
        return [
            f"    def forward(self, {given}, state=None):",
            '        """A whole sequence'
            + (f", whose outputs outlast it by up to {tail} steps" if tail else "")
            + ': outputs by name, and the state after it."""',
            f"        return self._run({passed}, state, tail=1)",
            "",
            f"    def stream(self, {given}, state=None):",
            '        """The next steps of a sequence without end: outputs by name, and the state after."""',
            f"        return self._run({passed}, state, tail=0)",
        ]

    def _run(self) -> Lines:
        self.refs = {source: name for source, name in self.signals.items() if source in self.frozen.inputs}
        lines = [*self._sizes(), "state = state or self.begin(batch, device)", "after = {}"]
        for stage in self.frozen.program.stages:
            ops = [self.nodes[key] for key in stage.ops if key in self.nodes]
            if stage.chunk is None:
                lines += [line for node in ops for line in self._whole(node)]
            elif ops:
                lines += self._loop(stage, ops)
        answer = [f'"{self.signals[source]}": {self.refs[source]},' for source in self.outputs]
        return [*lines, "outputs = {", *_in(answer), "}", "return outputs, after"]

    def _sizes(self) -> Lines:
        if not self.inputs:
            return ["device = next((x.device for x in self.state_dict().values()), None)"]
        steps = ", ".join(f"len({name})" for name in self.inputs)
        return [
            f"steps = {steps}" if len(self.inputs) == 1 else f"steps = max({steps})",
            f"batch, device = {self.inputs[0]}.shape[1], {self.inputs[0]}.device",
        ]

    def _whole(self, node: Node) -> Lines:
        """A node over the whole window."""
        name, signals = node.name, [self._arriving(node.op, port) for port in node.ports]
        self._found(node, name)
        given = ", ".join([*signals, *(f"self.{name}.draw(batch, device)" for _ in node.masks)])
        if node.stateful:
            return [f'after["{name}"], {name} = self.{name}(state["{name}"], {given})']
        if node.delayed:
            return [f'{name}, after["{name}"] = self.{name}({given}, state["{name}"])']
        return [f"{name} = self.{name}({given})"]

    def _found(self, node: Node, name: str) -> None:
        several = node.stateful or len(node.op.spec.outputs) > 1
        for port in node.op.spec.outputs:
            self.refs[Source(node.op.id, port)] = f'{name}["{port}"]' if several else name

    def _arriving(self, op: Op, port: str) -> str:
        """What arrives at a port, for as many steps as the op lasts."""
        sources = [source for source in op.inputs.get(port, ()) if source in self.refs]
        if not sources:
            shape = ", ".join(map(str, op.shapes[port] or ()))
            return f"torch.zeros({_length(op.tail)}, batch, {shape}, device=device)"
        return " + ".join(self._fitting(source, op.tail) for source in sources)

    def _fitting(self, source: Source, tail: int) -> str:
        given = source in self.frozen.inputs
        own = 0 if given else self.frozen.program.ops[source.op].tail
        alike = own == tail and not (given and len(self.inputs) > 1)
        return self.refs[source] if alike else f"fit({self.refs[source]}, {_length(tail)})"

    # a loop of nodes runs step by step

    def _loop(self, stage: Stage, ops: list[Node]) -> Lines:
        tail = max(node.op.tail for node in ops)
        mine = {node.op.id for node in ops}
        outside = list(
            dict.fromkeys(s for n in ops for p in n.ports for s in n.op.inputs.get(p, ()) if s.op not in mine)
        )
        outside = [source for source in outside if source in self.refs]
        fitting = {source: self._fitting(source, tail) for source in outside}
        short = {source: text for source, text in fitting.items() if not text.startswith("fit(")}
        before = [f"{self._bare(s)} = {text}" for s, text in fitting.items() if s not in short]
        before += [f"{n.name}_{m} = self.{n.name}.draw(batch, device)" for n in ops for m in n.masks]
        keeping = [node.name for node in ops if node.stateful or node.delayed]
        before += [f'after["{name}"] = state["{name}"]' for name in keeping]
        now = {source: short.get(source, self._bare(source)) for source in outside}
        self.refs.update({source: f"{name}[t]" for source, name in now.items()})
        kept = list(self._leaving(stage, mine))
        before += [f"{self._bare(source)}_over_time = []" for source in kept]
        inner = [line for node in ops for line in self._once(node, node.op.id in stage.cut)]
        inner += [self._remembered(self.nodes[key]) for key in stage.cut if key in self.nodes]
        inner += [f"{self._bare(source)}_over_time.append({self.refs[source]})" for source in kept]
        self.refs.update({source: f"{self._bare(source)}_all" for source in kept})
        self.refs.update(now)
        gathered = [f"{self._bare(s)}_all = torch.stack({self._bare(s)}_over_time)" for s in kept]
        return [*before, f"for t in range({_length(tail)}):", *_in(inner), *gathered]

    def _bare(self, source: Source) -> str:
        """A signal as one word."""
        if source in self.frozen.inputs:
            return self.signals[source]
        node = self.nodes[source.op]
        return f"{node.name}_{source.port}"

    def _leaving(self, stage: Stage, mine: set[str]) -> list[Source]:
        """Signals of a loop that somebody outside reads."""
        others = [op for op in self.inside if op.id not in mine]
        read = {s for op in others for sources in op.inputs.values() for s in sources}
        found = (
            Source(key, port) for key in stage.ops if key in self.nodes for port in self.nodes[key].wanted
        )
        return [source for source in found if source in read or source in self.outputs]

    def _once(self, node: Node, cut: bool) -> Lines:
        """A node in one step of a loop."""
        name = node.name
        if cut:
            self._found(node, name)
            return [f'{name} = self.{name}.ahead(after["{name}"])']
        given = ", ".join(
            [self._now(node.op, port) for port in node.ports] + [f"{name}_{m}" for m in node.masks]
        )
        self._found(node, name)
        if node.stateful:
            return [f'after["{name}"], {name} = self.{name}.step(after["{name}"], {given})']
        if node.delayed:
            return [
                f'{name}, after["{name}"] = self.{name}(({given})[None], after["{name}"])',
                f"{name} = {name}[0]",
            ]
        if node.op.role == "projection":
            return [f"{name} = self.{name}(({given})[None])[0]"]
        return [f"{name} = self.{name}({given})"]

    def _remembered(self, node: Node) -> str:
        given = self._now(node.op, node.ports[0])
        return f'after["{node.name}"] = self.{node.name}.remember({given}, after["{node.name}"])'

    def _now(self, op: Op, port: str) -> str:
        """What arrives at a port in one step."""
        sources = [source for source in op.inputs.get(port, ()) if source in self.refs]
        shape = ", ".join(map(str, op.shapes[port] or ()))
        silent = f"torch.zeros(batch, {shape}, device=device)"
        return " + ".join(self.refs[source] for source in sources) or silent


def inside_of(program: Program) -> list[Op]:
    """The ops that an exported file runs, in order."""
    outside = outside_of(program)
    staged = [program.ops[key] for stage in program.stages for key in stage.ops]
    return [op for op in staged if op.id not in outside and op.role not in PASSIVE]


def _length(tail: int) -> str:
    return f"steps + {tail} * tail" if tail else "steps"


def _in(lines: Iterable[str], depth: int = 1) -> Lines:
    return ["    " * depth + line if line else "" for line in lines]


def _helpers(text: str) -> Lines:
    """The pieces that a text calls for, and those that they call for."""
    known = {name: piece.strip("\n") for name, piece in HELPERS.items()}
    known |= {name: surrogate_text(name) for name in SURROGATES}
    known |= {key.rpartition(".")[2]: piece.strip("\n") for key, piece in pieces.LOSSES.items()}
    known |= {name: piece.strip("\n") for name, piece in pieces.SCHEDULES.items()}
    wanted: set[str] = set()
    while True:
        called = set(re.findall(r"(?<![.\w])\w+(?=\(|,|\))", text))
        more = {name for name in known if {name, *WORDS.get(name, ())} & called} - wanted
        if not more:
            break
        wanted |= more
        text = "\n".join([text, *(known[name] for name in more)])
    sparse = re.search(r"self\.sparse\(", text) is not None
    found = {name: piece for name, piece in known.items() if name in wanted}
    if sparse and "Projection" in found:
        found["Projection"] += "\n\n" + pieces.SPARSE.strip("\n")
    return list(found.values())


_IMPORTS = """import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn"""

_DOCSTRING = """{title}

A spiking network in plain PyTorch, written by Myelin Studio {version}.  It needs torch, numpy
and weights.npz beside it.  A time step is {dt} ms; signals are [time, batch, *shape].

    network = load()                                    # in evaluation: delays in whole steps, exact sums
    outputs, state = network({arguments})               # a whole sequence
    outputs, state = network.stream({arguments}, state=state)  # the next steps of one without end

Inputs
{inputs}

Outputs
{outputs}
"""
