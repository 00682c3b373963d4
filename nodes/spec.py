"""What a node declares: parameters, ports, state, tensors and step equations.

A node is a class decorated with ``@node``; the declaration alone drives palette, inspector, validation,
help, saving and compiling.  Nothing here is ever instantiated: a class *is* the specification.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from nodes.ops import Array, Ops
from nodes.words import number

Shape = tuple[int, ...]
Shapes = dict[str, Shape | None]
Step = tuple[dict[str, Array], dict[str, Array]]


class Values(dict[str, Any]):
    """A dictionary read by attribute: ``p.tau_mem`` is ``p["tau_mem"]``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Param:
    """One parameter of a node: default value, unit, bounds or choices, and a line of help.

    ``kind`` is read off the default (``bool int float str list``) unless given: ``choice``, ``shape``
    (list of positive integers, empty to infer), ``names`` (a subset of ``choices``) or ``path``.
    """

    default: Any
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    trainable: bool = False
    doc: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        if not self.kind:
            object.__setattr__(self, "kind", "choice" if self.choices else type(self.default).__name__)

    def problem(self, value: Any) -> str | None:
        """The sentence that says why ``value`` cannot stand here, or None."""
        return _CHECKS[self.kind](self, value)

    def coerce(self, value: Any) -> Any:
        """A valid JSON value as the type the equations expect (an integer typed for a float, say)."""
        if self.kind == "float":
            return float(value)
        return tuple(value) if self.kind in ("shape", "names") else value


def _check_number(param: Param, value: Any) -> str | None:
    whole = param.kind == "int"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return f"must be {'a whole number' if whole else 'a number'}, not {value!r}"
    if not abs(value) <= sys.float_info.max:  # neither an infinity, nor NaN, nor an integer beyond any float
        return "must be finite"
    if param.low is not None and value < param.low:
        return f"must be at least {number(param.low, param.unit)}, not {number(value)}"
    if param.high is not None and value > param.high:
        return f"must be at most {number(param.high, param.unit)}, not {number(value)}"
    return None


def _check_choice(param: Param, value: Any) -> str | None:
    return None if value in param.choices else f"must be one of {', '.join(param.choices)}, not {value!r}"


def _check_names(param: Param, value: Any) -> str | None:
    if not isinstance(value, (list, tuple)) or any(name not in param.choices for name in value):
        return f"must be a list from {', '.join(param.choices)}, not {value!r}"
    return None


def _check_shape(param: Param, value: Any) -> str | None:
    whole = isinstance(value, (list, tuple)) and all(
        isinstance(n, int) and not isinstance(n, bool) for n in value
    )
    if not whole or any(n < 1 for n in value):
        return f"must be a list of positive whole numbers, not {value!r}"
    total = math.prod(value)
    if total > 10_000_000:
        asked = f"{total:,}" if total < 1e12 else "too many"
        return f"asks for {asked} elements; at most 10,000,000 are possible"
    return None


def _check_type(kind: type, words: str) -> Callable[[Param, Any], str | None]:
    return lambda param, value: None if isinstance(value, kind) else f"must be {words}, not {value!r}"


_CHECKS: dict[str, Callable[[Param, Any], str | None]] = {
    "int": _check_number,
    "float": _check_number,
    "bool": _check_type(bool, "true or false"),
    "str": _check_type(str, "text"),
    "path": _check_type(str, "a path"),
    "list": _check_type(list, "a list"),
    "choice": _check_choice,
    "names": _check_names,
    "shape": _check_shape,
}


@dataclass(frozen=True)
class Port:
    """A socket of a node.  ``kinds``: what an input accepts, or the one kind an output carries.

    An output of kind ``same`` carries what arrives at the input called ``input``.  Several wires into an
    input with ``many`` are summed.
    """

    kinds: tuple[str, ...]
    doc: str = ""
    many: bool = False
    optional: bool = False


def port(*kinds: str, doc: str = "", many: bool = False, optional: bool = False) -> Port:
    """Shorthand: ``port("spikes", "value", optional=True)``."""
    return Port(kinds, doc, many, optional)


Initialiser = Callable[[np.random.Generator, Shape], np.ndarray]


@dataclass(frozen=True)
class Tensor:
    """An array a node owns: what it holds at first, which optimiser group learns it, its bounds.

    Groups: ``weights``, ``delays``, ``neurons``, ``norm`` (no weight decay); ``fixed`` is not learned.
    """

    shape: Shape
    init: Initialiser
    group: str = "weights"
    low: float | None = None
    high: float | None = None


def constant(value: float) -> Initialiser:
    """An initialiser that fills with one number."""
    return lambda rng, shape: np.full(shape, value, np.float32)


class Node:
    """Base of all declarations.  Subclasses fill in class attributes; see CONTRIBUTING in resources/help."""

    type: ClassVar[str]
    label: ClassVar[str]
    category: ClassVar[str]
    keywords: ClassVar[tuple[str, ...]] = ()
    version: ClassVar[int] = 1
    role: ClassVar[str] = "node"
    params: ClassVar[dict[str, Param]] = {}
    inputs: ClassVar[dict[str, Port]] = {}
    outputs: ClassVar[dict[str, Port]] = {}
    state: ClassVar[Mapping[str, str | float]] = {}
    noise: ClassVar[Mapping[str, str]] = {}  # name -> "uniform" or "normal" each step, "sequence" once a run
    over_time: ClassVar[bool] = False  # in training a step depends on all steps that it is given at once

    def __init_subclass__(cls) -> None:
        lineage = [vars(base).items() for base in reversed(cls.__mro__)]
        cls.params = {name: value for items in lineage for name, value in items if isinstance(value, Param)}
        trainable = tuple(name for name, param in cls.params.items() if param.trainable)
        if trainable:
            doc = "parameters to learn, one value per neuron"
            cls.params["train"] = Param([], kind="names", choices=trainable, doc=doc)

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        """Problems that involve several parameters: ``[(parameter, sentence)]``."""
        return []

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        """Complete the shapes of ports as far as they are known; None is unknown.  Default: all equal."""
        known = next((shape for shape in shapes.values() if shape is not None), None)
        return dict.fromkeys(shapes, known)

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        """The arrays this node owns, given the shapes of its ports."""
        return {}

    @classmethod
    def state_of(cls, p: Values) -> Mapping[str, str | float]:
        """State variables and their initial value (a number, or the name of a parameter)."""
        return cls.state

    @classmethod
    def noise_of(cls, p: Values) -> Mapping[str, str]:
        """Random numbers a step needs."""
        return cls.noise

    @staticmethod
    def constants(ops: Ops, p: Values, dt: float) -> dict[str, Array]:
        """Coefficients made once per run from parameters and ``dt`` (ms); the step reads them from ``p``."""
        return {}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        """One time step: ``(new state, outputs)``.  Arrays are ``[batch, *shape]``; ``dt`` in ms.

        A node without state may be given whole sequences ``[time, batch, *shape]`` at once.
        """
        raise TypeError("this node has no step equations")


Spec = type[Node]
T = TypeVar("T", bound=Spec)
REGISTERED: dict[str, type[Node]] = {}


def node(type: str, *, label: str, category: str = "", keywords: tuple[str, ...] = ()) -> Callable[[T], T]:
    """Register a declaration under its permanent type name, e.g. ``population.lif``."""

    def register(cls: T) -> T:
        if REGISTERED.get(type, cls).__qualname__ != cls.__qualname__:
            raise ValueError(
                f"two nodes claim the type {type}: {REGISTERED[type].__module__} and {cls.__module__}"
            )
        cls.type, cls.label, cls.keywords = type, label, keywords
        cls.category = category or cls.category
        REGISTERED[type] = cls
        return cls

    return register


def defaults(spec: type[Node]) -> dict[str, Any]:
    """Every parameter of a node at its default, as JSON values."""
    return {name: param.default for name, param in spec.params.items()}
