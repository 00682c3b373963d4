"""What is deployed: a program with its arrays at rest, reduced to units that step and synapses that sum.

All is numpy.  Delays are whole steps, a hop's lag included; a unit's step is an expression graph
(``engine.codegen``) whose symbols have values; dropout and other nodes that pass their input on are gone;
data sets and random sources stay behind: what they would emit is an input of the artefact.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np

from engine.arrays import Arrays
from engine.codegen.trace import Traced
from engine.document import Document
from engine.program import Op, Program, Source
from nodes.spec import Shape


@dataclass(frozen=True)
class Unit:
    """Neurons, or a node without state, in steps: ``traced`` says how, elementwise but for sums and softmax.

    ``inputs``: for each port that the step reads the sources that are summed there.  ``values``: what the
    step's symbols of role ``tensor`` and ``constant`` stand for, a number or an array of ``shape``.
    ``first``: the state before the first step, ``[*shape]``.
    """

    op: Op
    shape: Shape
    inputs: Mapping[str, tuple[Source, ...]]
    traced: Traced
    values: Mapping[str, Any]
    first: Mapping[str, np.ndarray]

    @property
    def id(self) -> str:
        """The id of its op."""
        return self.op.id

    @property
    def size(self) -> int:
        """How many neurons, or elements."""
        return math.prod(self.shape)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every signal it reads in the step in which it is emitted."""
        return tuple(source for sources in self.inputs.values() for source in sources)


@dataclass(frozen=True)
class Synapses:
    """Weighted, delayed connections: current[post] = sum of weight * signal[pre], ``delay`` steps late.

    ``pre``, ``post`` (flat indices), ``weight`` and ``delay`` are ``[synapses]``.  ``offset [targets]`` is
    added in every step from step ``onset [targets]`` on, None for none.
    """

    op: Op
    inputs: tuple[Source, ...]
    source_shape: Shape
    target_shape: Shape
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    offset: np.ndarray | None = None
    onset: np.ndarray | None = None

    @property
    def id(self) -> str:
        """The id of its op."""
        return self.op.id

    @property
    def source_size(self) -> int:
        """How many elements arrive."""
        return math.prod(self.source_shape)

    @property
    def target_size(self) -> int:
        """How many elements leave."""
        return math.prod(self.target_shape)

    @property
    def shape(self) -> Shape:
        """The shape of its current."""
        return self.target_shape

    @property
    def longest(self) -> int:
        """Steps of the past that it reads."""
        return int(self.delay.max(initial=0))

    @property
    def shortest(self) -> int:
        """Steps that any signal needs; 0 where there is no synapse."""
        return int(self.delay.min()) if self.delay.size else 0

    @property
    def sources(self) -> tuple[Source, ...]:
        """The signals it reads in the step in which they are emitted; none where all synapses are late."""
        return self.inputs if not self.shortest else ()

    def matrix(self) -> np.ndarray:
        """The weights as ``[targets, sources]``, float64; synapses of the same pair add up."""
        full = np.zeros((self.target_size, self.source_size))
        np.add.at(full, (self.post, self.pre), self.weight)
        return full


Part = Unit | Synapses


@dataclass(frozen=True)
class Frozen:
    """A network to deploy.  ``parts`` in the order in which a step runs them.

    ``inputs``: signals that arrive from outside, with their shapes.  ``outputs``: signals that the artefact
    gives: spikes of all populations, potentials of those that do not fire, decisions.  ``arrays``: those it
    was made from, for targets that go on training.  ``document``: what was drawn, for those that write that.
    """

    program: Program
    parts: tuple[Part, ...]
    inputs: Mapping[Source, Shape]
    outputs: tuple[Source, ...]
    arrays: Arrays = field(default_factory=dict)
    document: Document | None = None

    @property
    def dt(self) -> float:
        """The time step in ms."""
        return self.program.dt

    @cached_property
    def by_id(self) -> dict[str, Part]:
        """The parts by the ids of their ops."""
        return {part.id: part for part in self.parts}

    @property
    def units(self) -> tuple[Unit, ...]:
        """The parts that step."""
        return tuple(part for part in self.parts if isinstance(part, Unit))

    @property
    def synapses(self) -> tuple[Synapses, ...]:
        """The parts that sum."""
        return tuple(part for part in self.parts if isinstance(part, Synapses))

    def shape(self, source: Source) -> Shape:
        """The shape of a signal."""
        return self.inputs[source] if source in self.inputs else self.by_id[source.op].shape

    def name(self, source: Source) -> str:
        """What a person calls a signal; no two alike."""
        name = self.program.ops[source.op].name
        whose = f"{name} ({source.op})" if name in self._shared_names else name
        return f"{whose}.{source.port}"

    @cached_property
    def _shared_names(self) -> set[str]:
        names = Counter(op.name for op in self.program.ops.values())
        return {name for name, count in names.items() if count > 1}

    def with_parts(self, parts: Iterable[Part]) -> Frozen:
        """The same network of other parts, in an order that suits them; outputs that went are dropped."""
        ordered = tuple(in_order(list(parts)))
        kept = {part.id for part in ordered} | {source.op for source in self.inputs}
        return replace(self, parts=ordered, outputs=tuple(s for s in self.outputs if s.op in kept))


def every_source(part: Part) -> tuple[Source, ...]:
    """Every signal that a part reads, late or not."""
    return part.inputs if isinstance(part, Synapses) else part.sources


def in_order(parts: list[Part]) -> list[Part]:
    """Every part after those whose output of the same step it needs; equal documents, equal order."""
    graph = nx.DiGraph()
    known = {part.id: part for part in parts}
    graph.add_nodes_from(known)
    for part in parts:
        graph.add_edges_from((source.op, part.id) for source in part.sources if source.op in known)
    return [known[key] for key in nx.lexicographical_topological_sort(graph)]
