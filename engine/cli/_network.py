"""A network with trained weights, for commands that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli._documents import program_of
from engine.cli._failures import UsageError
from engine.cli._runs import settings_of
from engine.cli._settings import Settings
from engine.document import Document, load, weights
from engine.errors import MyelinError
from engine.program import Program

if TYPE_CHECKING:
    from engine.backend.network import Network

DEVICES = ("cpu", "cuda", "mps")
Device = Annotated[str, typer.Option("--device", metavar="cpu|cuda|mps", help="Where to compute.")]


def trained(
    file: Path,
    checkpoint: Path | None,
    settings: Settings,
    device: str,
    look: Callable[[Program], Program] = lambda program: program,
) -> tuple[Network, Document]:
    """The network of a document, changed as the training run had changed it, and then by ``settings``.

    Without a checkpoint the weights are those that the document names, or the initial
    ones.  ``look`` may add records to the program.
    """
    document = load(file)
    if checkpoint is not None:
        settings_of(checkpoint).apply(document, "train")
    settings.apply(document, "run")
    network = on_device(look(program_of(document, file)), device)
    from engine.backend.checkpoint import begin, read

    if checkpoint is None:
        begin(network, weights.place(document, file.parent))
    else:
        read(network, checkpoint)
    network.eval()
    return network, document


def own_weights(file: Path) -> Path | None:
    """The weights that a document names; None where it names none."""
    return weights.place(load(file), file.parent) if file.exists() else None


def on_device(program: Program, device: str) -> Network:
    """The program as a network on a device."""
    if device not in DEVICES:
        raise UsageError(f"--device cannot be {device!r}: there are {', '.join(DEVICES)}")
    from engine.backend.network import Network

    try:
        return Network(program).to(device)
    except (RuntimeError, AssertionError) as error:  # torch raises either, as the device
        if device == "cpu":
            raise
        raise MyelinError(
            f"there is no device {device} here: use --device cpu ({str(error).splitlines()[0]})"
        ) from None
