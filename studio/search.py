"""Finding a node type by what one types, ranked by how well it matches and how often it was used."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass

from nodes import registry
from nodes.spec import Spec
from studio.edits.ports import DEFAULT_PROJECTION, fitting_port
from studio.settings import Settings

USES = "search/uses"
ROLES = (
    "population", "projection", "delays", "dataset", "encoder", "offline", "rule", "readout", "loss", "probe",
    "structure",
)  # fmt: skip
"""The order of roles where nothing else tells."""


@dataclass(frozen=True)
class Wanted:
    """What a node must fit: a wire that carries one of ``kinds`` and enters it, or is fed by it.

    No kinds: anything fits.
    """

    kinds: tuple[str, ...] = ()
    entering: bool = True

    def direct(self, spec: Spec) -> bool:
        """Whether a port of the type fits as it is."""
        return not self.kinds or fitting_port(spec, self.kinds, self.entering) is not None

    def bridged(self, spec: Spec) -> bool:
        """Whether one fits with the default projection between."""
        projection = registry.get(DEFAULT_PROJECTION)
        if projection is None:
            return False
        near, far = projection.inputs["input"].kinds, ("current",)
        here, there = (near, far) if self.entering else (far, near)
        return any(kind in here for kind in self.kinds) and Wanted(there, self.entering).direct(spec)


def found(query: str, wanted: Wanted | None = None, uses: Mapping[str, int] | None = None) -> list[Spec]:
    """The node types that match what is typed and fit, the likeliest first."""
    counts, need = uses or {}, wanted or Wanted()
    ranked = []
    for spec in registry.all().values():
        tier, direct = match(query, spec), need.direct(spec)
        if tier is not None and (direct or need.bridged(spec)):
            used = counts.get(spec.type, 0)
            ranked.append((tier, -used, not direct, _place(spec.role, ROLES), spec.label.lower(), spec.type))
    return [registry.all()[row[-1]] for row in sorted(ranked)]


def match(query: str, spec: Spec) -> int | None:
    """How well a type matches: 0 exactly to 6 hardly; None not at all."""
    query = " ".join(query.lower().split())
    whole = _match(query, spec)
    if whole is not None or " " not in query:
        return whole
    tiers = [_match(word, spec) for word in query.split()]
    found = [tier for tier in tiers if tier is not None]
    return max(found) if len(found) == len(tiers) else None


def _match(query: str, spec: Spec) -> int | None:
    label, short = spec.label.lower(), spec.type.rsplit(".", 1)[-1]
    words = [*label.replace("-", " ").split(), *short.split("_")]
    keywords = [word.lower() for word in spec.keywords]
    tests = (
        query in ("", label, short),
        label.startswith(query),
        any(word.startswith(query) for word in words),
        any(word.startswith(query) for keyword in keywords for word in (keyword, *keyword.split())),
        spec.category.lower().startswith(query) or spec.role.startswith(query) or spec.type.startswith(query),
        query in label or query in short,
        len(query) > 1 and (_subsequence(query, label) or _subsequence(query, short)),
    )
    return next((tier for tier, passed in enumerate(tests) if passed), None)


def _subsequence(query: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in query)


def _place(item: str, order: tuple[str, ...]) -> int:
    return order.index(item) if item in order else len(order)


class Uses:
    """How often each node type was chosen, remembered in the settings if there are any."""

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings
        self.counts = _counts(settings.text(USES) if settings else "", registry.all())

    def add(self, type: str) -> None:
        """The type was chosen once more."""
        self.counts[type] = self.counts.get(type, 0) + 1
        if self._settings:
            self._settings.put(USES, json.dumps(self.counts, sort_keys=True))


def _counts(text: str, known: Container[str]) -> dict[str, int]:
    """Counts out of a text that may hold anything."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    pairs = read.items() if isinstance(read, dict) else ()
    return {type: count for type, count in pairs if isinstance(count, int) and type in known}
