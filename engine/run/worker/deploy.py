"""Export inside the worker: write, show and verify what is loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Arrays, names_by_op, tensor_key
from engine.backend.deployment import Trial, proved, stimuli
from engine.backend.network import Network
from engine.data.store import data_root
from engine.export.freeze import freeze
from engine.export.report import FILE, RASTERS
from engine.export.target import Preview, Target, get, options_of
from engine.export.verify import export
from engine.export.writing import publish, require_replaceable, staged
from engine.run.protocol import Message
from engine.run.worker.errors import StoppedError
from engine.run.worker.session import Session
from nodes.spec import Values

MOST_TEXT = 200_000  # characters of a file that are shown


def deploy(
    session: Session, message: Message, send: Callable[[Message], None], should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Export to ``message["path"]``, or nowhere to stay, and verify unless told not to.

    What fails or is stopped before its report is there leaves nothing at the path, or what was there.
    The answer: ``path``, ``conversions``, ``preview`` (texts), ``report`` (``Report.as_json``, or None) and
    ``signals``: arrays ``[steps, neurons]`` of the first sample by ``<ours|reference|artefact>/<name>``.
    """
    target = get(message["target"])
    options = options_of(target, message.get("options") or {})

    def progress(what: str, done: int, total: int) -> None:
        send({"type": "progress", "of": "deploy", "what": what, "done": done, "total": total})
        if should_stop():
            raise StoppedError("the export was stopped")

    with tempfile.TemporaryDirectory(prefix="myelin-deploy-") as scratch:
        keep = Path(scratch) / "report"
        if not message.get("path"):
            place = Path(scratch) / f"network{target.file}"
            return _deployed(session, target, options, message, place, keep, progress)
        path = Path(message["path"])
        require_replaceable(path, folder=not target.file)
        with staged(path) as folder:
            answer = _deployed(session, target, options, message, folder / path.name, keep, progress)
            publish(folder / path.name, path)
            return answer


def _deployed(
    session: Session,
    target: Target,
    options: Values,
    message: Message,
    place: Path,
    keep: Path,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    program, arrays = session.program, arrays_of(session.network)
    frozen = replace(freeze(program, arrays), document=session.document)
    progress("writing", 0, 1)
    converted = export(target, program, frozen, place, options)
    answer: dict[str, Any] = {
        "path": message.get("path") or "",
        "conversions": [
            {"message": c.message, "nodes": list(c.nodes), "exact": c.exact} for c in converted.conversions
        ],
        "preview": [_shown(one) for one in target.preview(place)],
        "report": None,
        "signals": {},
    }
    if message.get("verify") is False:
        return answer
    data = Path(message["data_root"]) if message.get("data_root") else data_root()
    given = stimuli(program, frozen, Trial(message.get("samples") or 1, message.get("steps")), data)
    report = proved(target, place, frozen, arrays, given, options, progress=progress, keep=keep)
    report_json = {**report.as_json(), "stimulus": given.origin}
    return {**answer, "report": report_json, "signals": _signals(keep)}


def arrays_of(network: Network) -> Arrays:
    """What a network holds now, in numpy."""
    names = names_by_op(network.program, network.declared)
    return {
        op: {name: network.tensor(tensor_key(op, name)).detach().cpu().numpy().copy() for name in own}
        for op, own in names.items()
    }


def _shown(preview: Preview) -> dict[str, str]:
    text = preview.text
    if len(text) > MOST_TEXT:
        text = f"{text[:MOST_TEXT]}\n... {len(text) - MOST_TEXT:,} more characters in the file\n"
    return {"name": preview.name, "text": text, "language": preview.language}


def _signals(keep: Path) -> dict[str, np.ndarray]:
    if not (keep / FILE).exists():
        return {}
    with np.load(keep / RASTERS) as stored:
        return {name: stored[name].reshape(len(stored[name]), -1) for name in stored.files}
