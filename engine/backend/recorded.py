"""A training with its record: ``run.json``, the document, metrics and weights, whoever asked for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import runs
from engine.backend import evaluation, training
from engine.backend.data import Progress, Split
from engine.backend.metrics import Stopped
from engine.backend.network import Network
from engine.backend.training import Event, Options
from engine.document import Document
from engine.recipe import recipe
from nodes.spec import Values

HELD_OUT = "test"
Counting = Callable[[str], Progress]


def train(
    network: Network,
    document: Document,
    data: Path,
    options: Options,
    about: dict[str, Any],
    counting: Counting,
    home: Path | None = None,
) -> dict[str, Any]:
    """Read the data, train, judge on the held-out split; the record, which is also in ``run.json``.

    ``about``: what the record says besides, such as ``runs.origin``.  ``counting(what)`` gives a callback for
    how far reading and judging have come.  ``home``: the document's folder.  ``stopped`` in the record: it
    was ended by ``should_stop``.
    """
    chosen = recipe("train", document.recipes)
    record: dict[str, Any] = {
        "kind": "train",
        "status": "running",
        **about,
        "recipe": dict(chosen),
        "starts_from": document.meta.get("weights"),
        "protocol": runs.protocol(chosen.validation),
        "weights": runs.WEIGHTS,
    }
    polled = _polled(counting, options.should_stop)
    try:
        with runs.folder_of_run(options.out):
            return _train(network, document, data, options, record, polled, home)
    except Stopped:  # before training began
        return record | {"status": "stopped", "stopped": True, "metrics": {}}


def _train(
    network: Network,
    document: Document,
    data: Path,
    options: Options,
    record: dict[str, Any],
    counting: Counting,
    home: Path | None,
) -> dict[str, Any]:
    chosen = recipe("train", document.recipes)
    splits = {
        name: Split(network.program, name, data, progress=counting(f"reading {name}"))
        for name in ("train", HELD_OUT)
    }
    listener = _Listener(options.on_event, lambda: runs.begin(options.out, document, home, record))
    began = time.monotonic()
    metrics = training.train(network, chosen, splits, replace(options, on_event=listener))
    record |= {"metrics": metrics, "seconds": round(time.monotonic() - began, 3)}
    record |= {"stopped": "stopped" in metrics, "status": "stopped"}
    if not record["stopped"]:
        record |= _judged(network, splits[HELD_OUT], chosen, options.out, counting("held-out accuracy"))
    runs.write_record(options.out, record)
    return record


class _Listener:
    """Passes events on; before the first one, when training is known to work, it calls ``begin``."""

    def __init__(self, listen: Callable[[Event], None], begin: Callable[[], None]) -> None:
        self.listen, self.begin, self.begun = listen, begin, False

    def __call__(self, event: Event) -> None:
        if not self.begun:
            self.begun = True
            self.begin()
        self.listen(event)


def _polled(counting: Counting, should_stop: Callable[[], bool]) -> Counting:
    """The same counting, ended by ``Stopped`` as soon as ``should_stop`` says so."""

    def polled(what: str) -> Progress:
        tick = counting(what)

        def told(done: int, total: int) -> None:
            tick(done, total)
            if should_stop():
                raise Stopped

        return told

    return polled


def _judged(network: Network, held_out: Split, chosen: Values, out: Path, tick: Progress) -> dict[str, Any]:
    """What the weights that were reached do on the held-out split."""
    try:
        found = evaluation.evaluate(network, held_out, batch=chosen.batch, on_progress=tick)
    except Stopped:
        return {"stopped": True}
    weights = runs.BEST if chosen.validation and (out / runs.BEST).exists() else runs.WEIGHTS
    return {"status": "done", "weights": weights, "result": with_interval(found)}


def with_interval(found: dict[str, Any]) -> dict[str, Any]:
    """An evaluation with the 95 % confidence interval of its accuracy."""
    return {**found, "interval": wilson(found["accuracy"], found["samples"])}


def wilson(part: float, samples: int, z: float = 1.959963984540054) -> list[float]:
    """The 95 % confidence interval of a proportion (Wilson 1927)."""
    if not samples:
        return [0.0, 1.0]
    middle = part + z * z / (2 * samples)
    reach = z * math.sqrt(part * (1 - part) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    return [max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)]
