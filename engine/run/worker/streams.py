"""Which signals a run sends, and how they look when they arrive."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.backend import evaluation
from engine.backend.tensors import tensor_key
from engine.program import Op, Record, Source
from engine.run.protocol import shown
from engine.run.worker.errors import RefusedError
from engine.run.worker.session import Session

TENSORS = {"weights": "weight", "delays": "delay"}


@dataclass(frozen=True)
class Stream:
    """A signal under its name; ``neurons``: flat indices, None for all.

    ``records`` as in a program's Record: ``signal [time, *shape]``, ``rate [time]`` (Hz in each step, mean
    over neurons), or a snapshot of ``weights`` or ``delays`` (steps) in each frame in which they are new.
    """

    name: str
    source: Source
    records: str = "signal"
    neurons: tuple[int, ...] | None = None


def chosen(session: Session, asked: list[Any] | None) -> list[Stream]:
    """The streams asked for as ``[node, port, indices or None]``; of None, the probes' records."""
    if asked is not None:
        return _once([_of_request(session, entry) for entry in asked], session)
    found = [_of_record(session, record) for record in evaluation.sources(session.network)]
    names = Counter(stream.name for stream in found)
    return [replace(s, name=f"{s.name} {s.source.op}") if names[s.name] > 1 else s for s in found]


def _once(found: list[Stream], session: Session) -> list[Stream]:
    for source, times in Counter(stream.source for stream in found).items():
        if times > 1:
            op = session.program.ops[source.op]
            raise RefusedError(f"the signal {source.port} of '{op.name}' is asked for twice", op.id)
    return found


def _of_record(session: Session, record: Record) -> Stream:
    key = tensor_key(record.source.op, TENSORS.get(record.records, ""))
    if record.records in TENSORS and key not in session.network.declared:
        message = f"probe '{record.name}' records {record.records}, but its projection has none"
        raise RefusedError(message, record.probe)
    return Stream(record.name, record.source, record.records)


def _of_request(session: Session, entry: Any) -> Stream:
    match entry:
        case [str(node), str(port)] | [str(node), str(port), None]:
            neurons = None
        case [str(node), str(port), list(neurons)]:
            pass
        case _:
            wanted = "[node, port] or [node, port, indices]"
            raise RefusedError(f"a signal to stream is {wanted}, not {shown(entry)}")
    op = session.op(node)
    if port in TENSORS and tensor_key(op.id, TENSORS[port]) in session.network.declared:
        return Stream(f"{node}.{port}", Source(op.id, port), port)
    if port not in op.spec.outputs or op.role in ("dataset", "offline", "loss"):
        has = ", ".join(op.spec.outputs) or "none"
        raise RefusedError(f"'{op.name}' has no signal {port}; it has {has}", node)
    return Stream(f"{node}.{port}", Source(op.id, port), "signal", indices(op, port, neurons))


def indices(op: Op, port: str, neurons: list[Any] | None) -> tuple[int, ...] | None:
    """Flat indices into a port's shape, checked."""
    if neurons is None:
        return None
    size = int(np.prod(op.shapes[port] or ()))
    for n in neurons:
        if type(n) is not int or not 0 <= n < size:
            raise RefusedError(f"'{op.name}' has the neurons 0 to {size - 1}, not {shown(n)}", op.id)
    return tuple(neurons)


def cut(stream: Stream, signal: Tensor, dt: float) -> np.ndarray:
    """What one window adds to a stream, from ``signal [time, 1, *shape]``."""
    x = signal[:, 0]
    if stream.records == "rate":
        return x.reshape(len(x), -1).mean(-1).mul(1000.0 / dt).cpu().numpy()
    if stream.neurons is not None:
        x = x.reshape(len(x), -1)[:, torch.tensor(stream.neurons, dtype=torch.long, device=x.device)]
    return x.cpu().numpy()


def compact(array: np.ndarray) -> np.ndarray:
    """The same numbers as bytes where they are small counts, as spikes are."""
    small = array.astype(np.uint8) if array.size and array.min() >= 0 and array.max() <= 255 else array
    return small if np.array_equal(small, array) else array


def snapshots(session: Session, streams: list[Stream]) -> dict[str, np.ndarray]:
    """Weights and delays as they are now."""
    wanted = [stream for stream in streams if stream.records in TENSORS]
    keys = {stream.name: tensor_key(stream.source.op, TENSORS[stream.records]) for stream in wanted}
    return {name: session.network.tensor(key).detach().cpu().numpy().copy() for name, key in keys.items()}
