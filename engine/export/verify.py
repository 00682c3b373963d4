"""Export, and verification by running the artefact: the same for every target."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export import report as reports
from engine.export.frozen import Frozen
from engine.export.report import Comparison, Report
from engine.export.simulate import Signals
from engine.export.target import Conversion, Converted, NotExecutable, Target, checked, verdict
from engine.export.writing import MARK, publish, require_replaceable, staged
from engine.program import Program, Source
from engine.versions import own_version
from nodes.spec import Values

UNCONVERTIBLE = declare("MYL200", "error", "The network cannot be converted to what the target runs.")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Recording:
    """One sample through our engine: ``inputs [time, *shape]`` of the artefact and what our engine gave."""

    inputs: Mapping[Source, np.ndarray]
    signals: Signals
    steps: int


def export(target: Target, program: Program, frozen: Frozen, path: Path, options: Values) -> Converted:
    """Write the artefact whole or not at all; MyelinError names what the target cannot take."""
    problems = checked(target, program, options)
    if verdict(problems) == "impossible":
        first = next(d for d in problems if d.severity == "error")
        raise MyelinError(f"{target.label} cannot take this network: {first.message}")
    require_replaceable(path, folder=not target.file)
    converted = target.convert(frozen, options)
    with staged(path) as folder:
        target.write(converted.frozen, folder, options)
        if target.file:
            publish(folder / f"network{target.file}", path)
        else:
            (folder / MARK).write_text(_about(target, program, converted, options), "utf-8")
            publish(folder, path)
    return converted


def rehearsed(target: Target, frozen: Frozen, options: Values) -> list[Diagnostic]:
    """What is known before an export, and why the network cannot be converted where only that shows it."""
    found = checked(target, frozen.program, options)
    if verdict(found) == "impossible":
        return found
    try:
        target.convert(frozen, options)
    except MyelinError as error:
        return [*found, UNCONVERTIBLE((), str(error))]
    return found


def _about(target: Target, program: Program, converted: Converted, options: Values) -> str:
    frozen = converted.frozen
    about = {
        "target": target.id,
        "options": dict(options),
        "title": program.title,
        "dt_ms": program.dt,
        "myelin": own_version(),
        "inputs": {frozen.name(source): list(shape) for source, shape in frozen.inputs.items()},
        "outputs": {frozen.name(source): list(frozen.shape(source)) for source in frozen.outputs},
        "conversions": [conversion.message for conversion in converted.conversions],
    }
    return json.dumps(about, indent=2) + "\n"


def verify(
    target: Target,
    artefact: Path,
    frozen: Frozen,
    recordings: Sequence[Recording],
    options: Values,
    *,
    progress: Progress = lambda what, done, total: None,
    keep: Path | None = None,
) -> Report:
    """Run an artefact on what our engine was given, and compare.

    ``frozen``: the network as drawn.  ``keep``: folder for the report and the signals of the first sample.
    """
    if not recordings:
        raise MyelinError("nothing to verify with: there is no sample")
    artefact = artefact.absolute()  # what runs it works in a folder of its own
    _require_artefact(target, artefact)
    converted = target.convert(frozen, options)
    found = _Found(target, converted, options)
    try:
        for number, recording in enumerate(recordings):
            progress(f"running {target.label}", number, len(recordings))
            found.add(artefact, recording)
        progress(f"running {target.label}", len(recordings), len(recordings))
        report = found.report(artefact)
    except NotExecutable as reason:
        report = _unexecuted(target, artefact, converted, recordings, options, str(reason))
    if keep is not None:
        reports.save(report, found.shown, converted.frozen, keep)
    return report


def _require_artefact(target: Target, path: Path) -> None:
    if not path.exists():
        raise MyelinError(f"{path}: there is no such file or folder")
    if target.file:
        if path.is_dir():
            raise MyelinError(f"{path} is a folder, and {target.label} is one file")
        return
    made_for = said_of(path).get("target")
    if made_for != target.id:
        what = f"an export to {made_for}" if made_for else f"a folder without {MARK}"
        raise MyelinError(f"{path} is no export to {target.label}, but {what}")


def said_of(artefact: Path) -> dict[str, Any]:
    """What an artefact that is a folder says of itself: ``target``, ``options``, ...; {} where nothing."""
    try:
        found = json.loads((artefact / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class _Found:
    """What several samples gave; ``shown``: the signals of the first."""

    def __init__(self, target: Target, converted: Converted, options: Values) -> None:
        self.target, self.converted, self.options = target, converted, options
        self.artefact: list[tuple[Comparison, ...]] = []
        self.cost: list[tuple[Comparison, ...]] = []
        self.shown: dict[str, Signals] = {}
        self.steps = 0

    def add(self, artefact: Path, recording: Recording) -> None:
        frozen, target = self.converted.frozen, self.target
        inputs = {source: recording.inputs[source] for source in frozen.inputs}
        expected = target.predict(frozen, inputs, recording.steps, self.options)
        self.shown = self.shown or {"ours": dict(recording.signals), "reference": expected}
        self.cost.append(reports.compare(frozen, recording.signals, expected, target.tolerance))
        self.steps += recording.steps
        theirs = target.execute(artefact, frozen, inputs, recording.steps, self.options)
        missing = sorted(frozen.name(source) for source in set(expected) - set(theirs))
        if missing:
            raise MyelinError(f"the run of {target.label} gave no {missing[0]}")
        self.shown.setdefault("artefact", theirs)
        self.artefact.append(reports.compare(frozen, expected, theirs, target.tolerance))

    def report(self, artefact: Path) -> Report:
        artefacts, cost = _together(self.artefact), _together(self.cost)
        equal = all(comparison.equal for comparison in artefacts)
        status = reports.VERIFIED if equal else reports.DIFFERS
        return Report(
            self.target.id,
            self.target.label,
            status,
            self.target.software,
            _sentence(self.target, status, cost, self.converted.conversions),
            self.steps,
            len(self.artefact),
            self.converted.conversions,
            artefacts,
            cost,
            self.target.figures(artefact, self.converted.frozen, self.options),
        )


def _unexecuted(
    target: Target,
    artefact: Path,
    converted: Converted,
    recordings: Sequence[Recording],
    options: Values,
    reason: str,
) -> Report:
    """Not run: what reading it back told, and what the conversions cost all the same."""
    frozen = converted.frozen
    try:
        status, words = reports.READ, target.read_back(artefact, frozen, options)
    except NotExecutable:
        status, words = reports.UNVERIFIED, "no reader of it is installed here either"
    cost = []
    for one in recordings:
        expected = target.predict(frozen, {s: one.inputs[s] for s in frozen.inputs}, one.steps, options)
        cost.append(reports.compare(frozen, one.signals, expected, target.tolerance))
    return Report(
        target.id,
        target.label,
        status,
        target.software,
        f"not verified by execution: {reason}; {words}",
        sum(one.steps for one in recordings),
        len(recordings),
        converted.conversions,
        (),
        _together(cost),
        target.figures(artefact, frozen, options),
    )


def _together(samples: Sequence[Sequence[Comparison]]) -> tuple[Comparison, ...]:
    """The comparisons of all samples, signal by signal; the first difference is that of the first sample."""
    merged = []
    for same in zip(*samples, strict=True):
        first = next((one.first for one in same if one.first), None)
        merged.append(
            Comparison(
                same[0].signal,
                same[0].spikes,
                sum(one.values for one in same),
                sum(one.ours for one in same),
                sum(one.theirs for one in same),
                sum(one.differing for one in same),
                first,
                max(one.largest for one in same),
            )
        )
    return tuple(merged)


def _sentence(
    target: Target, status: str, cost: Sequence[Comparison], conversions: Sequence[Conversion]
) -> str:
    if status == reports.DIFFERS:
        return f"{target.software or target.label} does not do what the export should do"
    who = f"{target.software or target.label} does exactly what our reference of the export does"
    lost = [one for one in cost if not one.equal]
    if not lost:
        return f"{who}, which is what was drawn, spike for spike"
    worst = max(lost, key=lambda one: one.differing / one.values)
    share = 100 * worst.differing / worst.values
    return f"{who}; the {len(conversions)} conversions change {share:.3g} % of '{worst.signal}'"
