"""Training inside the worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.backend import recorded, training
from engine.backend.data import Progress
from engine.data.store import data_root
from engine.document.ops import set_op
from engine.run.protocol import Message
from engine.run.worker.session import Session
from engine.runs import origin


def train(
    session: Session, options: Message, send: Callable[[Message], None], should_stop: Callable[[], bool]
) -> tuple[Session, dict[str, Any]]:
    """Train the document's network from its own seed; (session with what was learned, the run's record).

    ``send`` gets ``metrics`` for each epoch and ``progress`` for each batch, and recording read or judged.
    """
    document = session.document
    if options.get("seed") is not None:
        document = document.copy()
        document.edit("Set seed", [set_op(["meta", "seed"], options["seed"])])
    trained = Session(document, session.device, session.folder)
    if not options.get("resume"):
        trained.load_tensors()
    device = options.get("device") or "cpu"

    def on_event(event: dict[str, Any]) -> None:
        kind = "metrics" if event["event"] == "epoch" else "progress"
        send({"type": kind, "of": "train", **event})

    def counting(what: str) -> Progress:
        return lambda done, total: on_event({"event": "data", "what": what, "done": done, "total": total})

    settings = training.Options(
        out=Path(options["out"]),
        seed=trained.program.seed,
        device=device,
        resume=bool(options.get("resume")),
        watch=True,
        on_event=on_event,
        should_stop=should_stop,
    )
    data = Path(options["data_root"]) if options.get("data_root") else data_root()
    try:
        record = recorded.train(
            trained.network.train(),
            trained.document,
            data,
            settings,
            origin(document, device),
            counting,
            trained.folder,
        )
    finally:
        trained.network.to(trained.device).eval()
    return trained, record
