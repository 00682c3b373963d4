"""Training inside the worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.backend import training
from engine.backend.data import Split
from engine.backend.network import Network
from engine.data.store import data_root
from engine.document.ops import set_op
from engine.recipe import recipe
from engine.run.protocol import Message
from engine.run.worker.errors import StoppedError
from engine.run.worker.session import Session

SPLITS = ("train", "test")


def train(
    session: Session, options: Message, send: Callable[[Message], None], should_stop: Callable[[], bool]
) -> tuple[Session, dict[str, Any]]:
    """Train the document's network from its own seed; (session with what was learned, last metrics).

    ``send`` gets ``metrics`` for each epoch and ``progress`` for each batch and recording read.
    """
    document = session.document
    if options.get("seed") is not None:
        document = document.copy()
        document.edit("Set seed", [set_op(["meta", "seed"], options["seed"])])
    trained = Session(document, session.device)

    def on_event(event: dict[str, Any]) -> None:
        kind = "metrics" if event["event"] == "epoch" else "progress"
        send({"type": kind, "of": "train", **event})

    settings = training.Options(
        out=Path(options["out"]),
        seed=trained.program.seed,
        device=options.get("device") or "cpu",
        resume=bool(options.get("resume")),
        on_event=on_event,
        should_stop=should_stop,
    )
    splits = _splits(trained, options, on_event, should_stop)
    network: Network = trained.network.train()
    try:
        found = training.train(network, recipe("train", document.recipes), splits, settings)
    finally:
        network.to(trained.device).eval()
    return trained, found


def _splits(
    session: Session,
    options: Message,
    on_event: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
) -> dict[str, Split]:
    root = Path(options["data_root"]) if options.get("data_root") else data_root()

    def progress(done: int, total: int) -> None:
        on_event({"event": "data", "done": done, "total": total})
        if should_stop():
            raise StoppedError("the reading of the data was stopped")

    return {name: Split(session.program, name, root, progress=progress) for name in SPLITS}
