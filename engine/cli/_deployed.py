"""A document as it is deployed, for the commands that export: its program and arrays, without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.arrays import Arrays, drawn, read
from engine.cli._documents import program_of
from engine.cli._failures import UsageError
from engine.cli._network import own_weights
from engine.cli._runs import runs_of, settings_of, weights_of
from engine.cli._settings import Settings
from engine.document import Document, load
from engine.errors import MyelinError
from engine.export.freeze import freeze
from engine.export.frozen import Frozen
from engine.export.target import Target, get, options_of
from engine.export.verify import said_of
from engine.program import Program
from engine.runs import WEIGHTS
from nodes.spec import Values

To = Annotated[str, typer.Option("--to", metavar="TARGET", help="Where to: see `myelin targets`.")]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="An option of the target; may be repeated."),
]


@dataclass(frozen=True)
class Deployed:
    """A document with the arrays to deploy.  ``weights``: their file, None as they are drawn."""

    document: Document
    program: Program
    arrays: Arrays
    weights: Path | None

    @property
    def frozen(self) -> Frozen:
        """What is deployed."""
        return replace(freeze(self.program, self.arrays), document=self.document)


def deployed(file: Path, weights: Path | None, settings: Settings) -> Deployed:
    """The document, changed as its training run had changed it and then by ``settings``, and its arrays."""
    document = load(file)
    checkpoint = _checkpoint(file, weights)
    if checkpoint is not None:
        settings_of(checkpoint).apply(document, "train")
    settings.apply(document, "run")
    program = program_of(document, file)
    arrays = drawn(program) if checkpoint is None else read(program, checkpoint)
    return Deployed(document, program, arrays, checkpoint)


def _checkpoint(file: Path, given: Path | None) -> Path | None:
    """The weights asked for, those the document names, those of its newest run, or none."""
    if given is not None:
        return weights_of(given, file)
    own = own_weights(file)
    trained = any(runs_of(file).glob(f"**/{WEIGHTS}"))
    return own or (weights_of(None, file) if trained else None)


def chosen(to: str, given: list[str] | None, artefact: Path | None = None) -> tuple[Target, Values]:
    """A target by its id, and its options from ``key=value``; others as the artefact was made with."""
    pairs = dict(_pair(text) for text in given or ())
    try:
        target = get(to)
        made_with = {} if artefact is None else said_of(artefact).get("options", {})
        known = {name: value for name, value in made_with.items() if name in target.options}
        return target, options_of(target, {**known, **pairs})
    except MyelinError as error:
        raise UsageError(str(error)) from None


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (equals and key):
        raise UsageError(f"--option takes key=value, not {text!r}")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
