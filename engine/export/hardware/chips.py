"""Chips as data: one TOML file a chip, every number with the place it was read from.

A file of ``hardware/`` is a chip; its name is the chip's id.  Others come by entry points of the group
``myelin.chips``, each the path of such a file.  A file holds

    title, maker, about     words
    exports                 ids of the export targets whose output runs on it (`lava`, `c`, ...)
    [[neuron]]              types and `only`, conventions it can have: {parameter = [values]}; `where` is
                            `hidden` or `output` where they differ; `source`
    [[projection]]          types, `only`, `most` {parameter = largest value}; `source`
    [limits.NAME]           max, min or choices, and `source`; the names are those of LIMITS
    [energy]                `model`: its name; [energy.PART] value and `source`; the parts are those of ENERGY

A source that begins with "unverified" says that the number is secondary, derived or assumed.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from engine.errors import MyelinError

FOLDER = Path(__file__).parent
LIMITS: dict[str, str] = {
    "neurons": "neurons",
    "hidden": "neurons whose spikes stay on the chip",
    "outputs": "neurons that are read out",
    "inputs": "channels of input",
    "input_neurons": "neurons that hear the input",
    "output_sources": "neurons that project to what is read out",
    "input_kinds": "kinds of signals that come in",
    "output_kinds": "kinds of signals that can be read out",
    "layers": "populations",
    "population": "neurons of one population",
    "channels": "channels of one population",
    "cores": "cores",
    "neurons_per_core": "neurons of one core",
    "synapses": "synapses",
    "projection_weights": "weights of one projection",
    "fan_in": "synapses onto one neuron",
    "fan_out": "synapses from one neuron",
    "destinations": "populations that one population projects to",
    "hop_steps": "steps that a spike needs from one population to the next, besides delays",
    "delay_steps": "steps of a delay, besides the hop",
    "granularities": "what has a delay of its own",
    "loops": "populations in loops",
    "weight_bits": "bits of a weight",
    "state_bits": "bits of a state variable",
    "dt_ms": "time step in ms",
    "refractory_steps": "steps of refractory time",
    "weight_bytes": "bytes for weights",
    "memory_bytes": "bytes for state and delay buffers",
    "shared_bytes": "bytes for weights, state and delay buffers together",
}
ENERGY: dict[str, str] = {
    "synapse_pj": "pJ for a spike that passes a synapse",
    "update_pj": "pJ for a neuron's step",
    "spike_pj": "pJ for a spike, besides its synapses",
    "static_mw": "mW while it runs, whatever it does",
}


class ChipError(MyelinError):
    """A chip that is not known, or whose file is malformed."""


@dataclass(frozen=True)
class Limit:
    """One number of a chip, or a list of what is possible, and where it was read."""

    name: str
    source: str
    min: float | None = None
    max: float | None = None
    choices: tuple[Any, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether it was read in the maker's own papers, documents or software."""
        return not self.source.lower().startswith("unverified")

    def __str__(self) -> str:
        low = f"at least {_digits(self.min)}" if self.min is not None else ""
        high = f"at most {_digits(self.max)}" if self.max is not None else ""
        return ", ".join(filter(None, (low, high, " or ".join(map(str, self.choices))))) or "none"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


@dataclass(frozen=True)
class Part:
    """Node types a chip has, with the values their parameters can have there."""

    types: tuple[str, ...]
    source: str
    where: str = ""
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """One part of an energy model: a value in the unit its name ends in."""

    name: str
    value: float
    source: str


@dataclass(frozen=True)
class Energy:
    """What a chip spends on what; ``model`` names the publication."""

    model: str
    costs: Mapping[str, Cost]

    def value(self, name: str) -> float:
        """A part's value, 0 where the model has none."""
        return self.costs[name].value if name in self.costs else 0.0


@dataclass(frozen=True)
class Chip:
    """A chip and everything a network must keep to run on it."""

    id: str
    title: str
    maker: str
    about: str
    exports: tuple[str, ...]
    neurons: tuple[Part, ...]
    projections: tuple[Part, ...]
    limits: Mapping[str, Limit]
    energy: Energy | None = None

    def limit(self, name: str) -> Limit | None:
        """A limit, or None where the chip has no such limit or nobody knows it."""
        return self.limits.get(name)

    def most(self, name: str) -> float | None:
        """The largest value of a limit, None where there is none."""
        found = self.limits.get(name)
        return found.max if found else None

    def least(self, name: str) -> float:
        """The smallest value of a limit, 0 where there is none."""
        found = self.limits.get(name)
        return found.min or 0.0 if found else 0.0


def chips() -> dict[str, Chip]:
    """Every chip by its id; one whose file is malformed is left out, see ``problems``."""
    return _discover()[0]


def problems() -> tuple[str, ...]:
    """What is wrong with the files that could not be read, a sentence each."""
    return _discover()[1]


@cache
def _discover() -> tuple[dict[str, Chip], tuple[str, ...]]:
    found, wrong = {}, []
    for path in (*sorted(FOLDER.glob("*.toml")), *entry_points(group="myelin.chips")):
        try:
            one = read(path) if isinstance(path, Path) else read(_file_of(path))
        except ChipError as error:  # one bad file must not take the others with it
            wrong.append(str(error))
        else:
            found[one.id] = one
    return dict(sorted(found.items())), tuple(wrong)


def _file_of(entry: EntryPoint) -> Path:
    try:
        return Path(str(entry.load()))
    except (Exception, SystemExit) as error:  # someone else's code may fail in any way
        raise ChipError(f"the chip {entry.name} cannot be loaded ({error})") from None


def chip(name: str) -> Chip:
    """The chip with that id or title; ChipError with the nearest where there is none."""
    known = chips()
    titles = {one.title.lower(): one for one in known.values()}
    found = known.get(name) or titles.get(name.lower())
    if found is None:
        near = difflib.get_close_matches(name.lower(), known, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise ChipError("; ".join((f"there is no chip {name!r} ({hint})", *problems())))
    return found


def read(path: Path) -> Chip:
    """The chip in a file; ChipError says what is wrong and where."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChipError(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ChipError(f"{path.name} is no TOML: {error}") from None
    try:
        return _chip(path.stem, tree)
    except ChipError as error:
        raise ChipError(f"{path.name}: {error}") from None


def _chip(name: str, tree: dict[str, Any]) -> Chip:
    _known(
        tree, ("title", "maker", "about", "exports", "neuron", "projection", "limits", "energy"), "the file"
    )
    limits = _expect(tree.get("limits", {}), dict, "limits")
    _known(limits, LIMITS, "limits")
    return Chip(
        name,
        _text(tree, "title", "the file"),
        _text(tree, "maker", "the file"),
        _text(tree, "about", "the file"),
        tuple(_expect(tree.get("exports", []), list, "exports")),
        _parts(tree, "neuron"),
        _parts(tree, "projection"),
        {key: _limit(key, entry) for key, entry in limits.items()},
        _energy(tree["energy"]) if "energy" in tree else None,
    )


def _parts(tree: dict[str, Any], kind: str) -> tuple[Part, ...]:
    return tuple(_part(entry, kind) for entry in _expect(tree.get(kind, []), list, kind))


def _part(entry: Any, kind: str) -> Part:
    fields = _expect(entry, dict, kind)
    _known(fields, ("types", "where", "only", "most", "source"), kind)
    only = _expect(fields.get("only", {}), dict, f"{kind}.only")
    most = _expect(fields.get("most", {}), dict, f"{kind}.most")
    where = fields.get("where", "")
    if where not in ("", "hidden", "output"):
        raise ChipError(f"{kind}.where must be hidden or output, not {where!r}")
    return Part(
        tuple(_expect(fields.get("types"), list, f"{kind}.types")),
        _text(fields, "source", kind),
        where,
        {key: tuple(_expect(values, list, f"{kind}.only.{key}")) for key, values in only.items()},
        {key: _number(value, f"{kind}.most.{key}") for key, value in most.items()},
    )


def _limit(name: str, entry: Any) -> Limit:
    where = f"limits.{name}"
    fields = _expect(entry, dict, where)
    _known(fields, ("min", "max", "choices", "source"), where)
    if not fields.keys() & {"min", "max", "choices"}:
        raise ChipError(f"{where} has neither min, max nor choices")
    numbers = {key: _number(fields[key], f"{where}.{key}") for key in ("min", "max") if key in fields}
    choices = tuple(_expect(fields.get("choices", []), list, f"{where}.choices"))
    return Limit(name, _text(fields, "source", where), numbers.get("min"), numbers.get("max"), choices)


def _energy(entry: Any) -> Energy:
    fields = dict(_expect(entry, dict, "energy"))
    model = _text(fields, "model", "energy")
    del fields["model"]
    _known(fields, ENERGY, "energy")
    return Energy(model, {key: _cost(key, value) for key, value in fields.items()})


def _cost(name: str, entry: Any) -> Cost:
    where = f"energy.{name}"
    fields = _expect(entry, dict, where)
    _known(fields, ("value", "source"), where)
    return Cost(name, _number(fields.get("value"), f"{where}.value"), _text(fields, "source", where))


def _known(fields: Mapping[str, Any], names: Iterable[str], where: str) -> None:
    known = list(names)
    for name in fields:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ChipError(f"{where} has an unknown entry {name!r} ({hint})")


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ChipError(f"{where} needs {name}, a text")
    return " ".join(value.split())


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ChipError(f"{where} must be a number of at least 0, not {value!r}")
    return value


def _expect(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind):
        raise ChipError(f"{where} must be {'a table' if kind is dict else 'a list'}, not {value!r}")
    return value
