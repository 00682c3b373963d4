"""A target: something one can export to.  One file in ``targets/`` each; others by the entry point."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export import targets
from engine.export.freeze import outside_of, random
from engine.export.frozen import Frozen
from engine.export.quantise import Quantisation
from engine.export.simulate import Signals, simulate
from engine.export.writing import MARK
from engine.program import Program, Source
from nodes.spec import Param, Values

ENTRY_POINTS = "myelin.targets"
RANDOM = declare("MYL207", "error", "A node inside the network draws random numbers: no export repeats them.")
REPLACED = declare("MYL208", "info", "Its signal is an input of the exported network.")


STATE = declare("MYL209", "warning", "The recipe rounds state in every step; the export does not.")


class NotExecutable(MyelinError):  # noqa: N818 (an answer, not a failure)
    """The target's software does not run on this machine: one sentence why, and what would help."""


@dataclass(frozen=True)
class Conversion:
    """One thing that differs between what was drawn and what is exported, in a sentence with its number.

    ``nodes``: ids in the document.  ``exact``: it cannot change a spike.
    """

    message: str
    nodes: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class Converted:
    """What a target will really run, and all that was changed for it."""

    frozen: Frozen
    conversions: tuple[Conversion, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What an export would write, to look at: a name, the text, and its language for colours."""

    name: str
    text: str
    language: str = "text"


class Target(ABC):
    """Somewhere a network can be exported to.

    ``options`` are declared as the parameters of a node are, and come as ``Values``.  ``file``: the suffix of
    an artefact that is one file; empty where it is a folder.  ``software``: who runs it when it is verified.
    ``tolerance``: largest difference of a signal that is no spike, relative to its largest value.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    group: ClassVar[str] = "Code"  # Code, Exchange, Simulators, Hardware, Documents
    file: ClassVar[str] = ""
    software: ClassVar[str] = ""
    options: ClassVar[dict[str, Param]] = {}
    tolerance: ClassVar[float] = 1e-5
    whole_sequence: ClassVar[bool] = False  # runs sequences that end, as training does, not an endless stream

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """What the target cannot take (errors) or will change (warnings), before anything is written."""
        return []

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        """The network that the artefact will run; pure."""
        return Converted(frozen)

    @abstractmethod
    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """Write a converted network into an empty folder; a target of one file writes ``network<file>``."""

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """What the artefact must give, worked out by us: ``simulate`` unless its arithmetic is another."""
        return simulate(frozen, inputs, steps)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """Run the artefact in the target's own software: signals ``[steps, *shape]`` of the outputs.

        Raises NotExecutable where that cannot be done here, MyelinError where it fails.
        """
        raise NotExecutable(f"{self.software or self.label} cannot be run here")

    def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
        """Check the artefact with its consumer's reader or schema: a sentence on what was checked.

        Raises NotExecutable where there is no reader either.
        """
        raise NotExecutable(f"no reader of {self.label} is installed here")

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        """Numbers for the report by their names, such as bytes of memory or logic cells."""
        return {}

    def preview(self, folder: Path) -> list[Preview]:
        """What was written, for people to look at: the texts among it."""
        return [Preview(p.name, p.read_text("utf-8"), _LANGUAGES[p.suffix]) for p in _texts(folder)]


_LANGUAGES = {
    ".py": "python",
    ".c": "c",
    ".h": "c",
    ".v": "verilog",
    ".json": "json",
    ".toml": "toml",
    ".xml": "xml",
    ".svg": "xml",
    ".nml": "xml",
    ".txt": "text",
    ".md": "text",
}


def _texts(folder: Path) -> list[Path]:
    found = [folder] if folder.is_file() else folder.rglob("*")
    files = sorted(found, key=lambda path: (path.name == MARK, path))
    return [path for path in files if path.suffix in _LANGUAGES and path.is_file()]


T = TypeVar("T", bound=type[Target])
_REGISTERED: dict[str, Target] = {}


def target(id: str, *, label: str) -> Callable[[T], T]:
    """Register a target under its permanent id."""

    def register(cls: T) -> T:
        cls.id, cls.label = id, label
        known = _REGISTERED.get(id)
        if known is not None and type(known).__qualname__ != cls.__qualname__:
            raise ValueError(f"two targets claim the id {id}: {type(known).__module__} and {cls.__module__}")
        _REGISTERED[id] = cls()
        return cls

    return register


@cache
def discover() -> dict[str, Target]:
    """Every target by its id: the modules of ``targets/`` and the entry points ``myelin.targets``."""
    for module in pkgutil.iter_modules(targets.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{targets.__name__}.{module.name}")
    for point in entry_points(group=ENTRY_POINTS):
        point.load()
    return dict(sorted(_REGISTERED.items()))


def get(id: str) -> Target:
    """A target by its id; MyelinError names those there are."""
    found = discover().get(id)
    if found is None:
        raise MyelinError(f"there is no target {id!r}: there are {', '.join(discover())}")
    return found


def options_of(target: Target, given: Mapping[str, Any] | None = None) -> Values:
    """The options of a target with its defaults; MyelinError for one that it has not or cannot be so."""
    given = given or {}
    if not isinstance(given, Mapping):
        raise MyelinError(f"options of {target.label} are values by their names")
    odd = sorted(set(given) - set(target.options))
    if odd:
        known = ", ".join(target.options) or "none"
        raise MyelinError(f"{target.label} has no option {odd[0]!r} (it has: {known})")
    for name, value in given.items():
        problem = target.options[name].problem(value)
        if problem:
            raise MyelinError(f"option {name} of {target.label} {problem}")
    return Values({n: p.coerce(given.get(n, p.default)) for n, p in target.options.items()})


def checked(target: Target, program: Program, options: Values) -> list[Diagnostic]:
    """Everything to know before an export: what holds for all targets, then what the target says."""
    return [*_boundary(program), *target.check(program, options)]


def _boundary(program: Program) -> Iterable[Diagnostic]:
    outside, bits = outside_of(program), Quantisation.of(program.recipes).state
    if bits:
        yield STATE((), f"the recipe rounds state to {bits} bits; an export does not, but as its target does")
    for op in program.ops.values():
        if op.id in outside:
            yield REPLACED((op.id,), f"'{op.name}' stays behind: what it emits is an input of the export")
        elif random(op, program.dt):
            yield RANDOM((op.id,), f"'{op.name}' draws random numbers in every step, which no export repeats")


def verdict(diagnostics: Iterable[Diagnostic]) -> str:
    """``impossible``, ``partial`` (something is converted) or ``complete``, from what was checked."""
    severities = {d.severity for d in diagnostics}
    if "error" in severities:
        return "impossible"
    return "partial" if "warning" in severities else "complete"
