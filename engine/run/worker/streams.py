"""Which signals a run sends, and how they look when they arrive."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.arrays import tensor_key
from engine.backend import evaluation
from engine.program import Op, Record, Source
from engine.run.protocol import shown
from engine.run.worker import forms
from engine.run.worker.errors import RefusedError
from engine.run.worker.session import Session

TENSORS = {"weights": "weight", "delays": "delay"}
FORMS = {False: ("signal", "events", "rate"), True: ("signal", "histogram", "image")}
"""In which forms a signal (False) or a tensor (True) can be had."""


@dataclass(frozen=True)
class Stream:
    """A signal under its name; ``neurons``: flat indices, None for all.

    ``records`` as in a program's Record: ``signal [time, *shape]``, ``rate [time]`` (Hz in each step, mean
    over neurons), or a snapshot of ``weights`` or ``delays`` (steps) in each frame in which they are new.
    ``form``: in which short form (see ``engine.run.worker.forms``), if any: ``events`` of a signal,
    ``histogram`` or ``image`` of a snapshot.
    """

    name: str
    source: Source
    records: str = "signal"
    neurons: tuple[int, ...] | None = None
    form: str = ""


def chosen(session: Session, asked: list[Any] | None) -> list[Stream]:
    """The streams asked for as ``[node, port, indices or None, form]``; of None, the probes' records.

    The last one or two may be left out.  Forms: ``signal`` (as it is), ``events`` and ``rate`` of a signal,
    ``histogram`` and ``image`` of weights or delays; all but the first are named ``node.port.form``.
    """
    if asked is not None:
        return _once([_of_request(session, entry) for entry in asked], session)
    found = [_of_record(session, record) for record in evaluation.sources(session.network)]
    names = Counter(stream.name for stream in found)
    return [replace(s, name=f"{s.name} {s.source.op}") if names[s.name] > 1 else s for s in found]


def _once(found: list[Stream], session: Session) -> list[Stream]:
    for (source, *_), times in Counter((s.source, s.records, s.form) for s in found).items():
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
    node, port, neurons, form = _read(entry)
    op = session.op(node)
    tensor = _is_tensor(session, op, port)
    if not tensor and port not in _signals(op):
        has = ", ".join(op.spec.outputs) or "none"
        raise RefusedError(f"'{op.name}' has no signal {port}; it has {has}", node)
    if form not in FORMS[tensor]:
        raise RefusedError(f"{port} of '{op.name}' comes as {', '.join(FORMS[tensor])}, not {form}", node)
    name = f"{node}.{port}" if form == "signal" else f"{node}.{port}.{form}"
    short = form if form in ("events", "histogram", "image") else ""
    if tensor:
        return Stream(name, Source(op.id, port), port, form=short)
    records = "rate" if form == "rate" else "signal"
    return Stream(name, Source(op.id, port), records, indices(op, port, neurons), short)


def _read(entry: Any) -> tuple[str, str, list[Any] | None, str]:
    """Node, port, neurons and form of a request for one signal."""
    match entry:
        case [str(node), str(port)] | [str(node), str(port), None]:
            return node, port, None, "signal"
        case [str(node), str(port), list(neurons)]:
            return node, port, neurons, "signal"
        case [str(node), str(port), list() | None as neurons, str(form)]:
            return node, port, neurons, form
    wanted = "[node, port], [node, port, indices] or [node, port, indices, form]"
    raise RefusedError(f"a signal to stream is {wanted}, not {shown(entry)}")


def _signals(op: Op) -> dict[str, list[int]]:
    """The ports of an op that can be streamed, with their shapes."""
    if op.role in ("dataset", "offline", "loss"):
        return {}
    return {port: list(op.shapes[port] or ()) for port in op.spec.outputs if port in op.shapes}


def _is_tensor(session: Session, op: Op, port: str) -> bool:
    return port in TENSORS and tensor_key(op.id, TENSORS[port]) in session.network.declared


def available(session: Session) -> dict[str, dict[str, list[int]]]:
    """All that can be streamed: for each op its signals, weights and delays, with their shapes."""
    found = {op.id: _signals(op) for op in session.program.ops.values()}
    for op in session.program.ops.values():
        for port in TENSORS:
            if _is_tensor(session, op, port):
                found[op.id][port] = list(session.network.declared[tensor_key(op.id, TENSORS[port])].shape)
    return {op: ports for op, ports in found.items() if ports}


def indices(op: Op, port: str, neurons: list[Any] | None) -> tuple[int, ...] | None:
    """Flat indices into a port's shape, checked."""
    if neurons is None:
        return None
    size = int(np.prod(op.shapes[port] or ()))
    for n in neurons:
        if type(n) is not int or not 0 <= n < size:
            raise RefusedError(f"'{op.name}' has the neurons 0 to {size - 1}, not {shown(n)}", op.id)
    return tuple(neurons)


def cut(stream: Stream, signal: Tensor, dt: float, offset: int = 0) -> np.ndarray:
    """What one window, ``offset`` steps into its frame, adds to a stream: ``signal [time, 1, *shape]``."""
    x = signal[:, 0]
    flat = x.reshape(len(x), math.prod(x.shape[1:]))
    if stream.records == "rate":
        return flat.mean(-1).mul(1000.0 / dt).cpu().numpy()
    if stream.neurons is not None:
        x = flat = flat[:, torch.tensor(stream.neurons, dtype=torch.long, device=x.device)]
    if stream.form == "events":
        return forms.events(flat.cpu().numpy(), stream.neurons, offset)
    return x.cpu().numpy()


def compact(array: np.ndarray) -> np.ndarray:
    """The same numbers as bytes where they are small counts, as spikes are."""
    small = array.astype(np.uint8) if array.size and array.min() >= 0 and array.max() <= 255 else array
    return small if np.array_equal(small, array) else array


def snapshots(session: Session, streams: list[Stream]) -> dict[str, np.ndarray]:
    """Weights and delays as they are now."""
    return {stream.name: _snapshot(session, stream) for stream in streams if stream.records in TENSORS}


def _snapshot(session: Session, stream: Stream) -> np.ndarray:
    op = session.program.ops[stream.source.op]
    values = _tensor(session, op, TENSORS[stream.records])
    if stream.form == "histogram":
        return forms.histogram(values)
    return _image(session, op, values) if stream.form == "image" else values


def _tensor(session: Session, op: Op, name: str) -> np.ndarray:
    found: np.ndarray = session.network.tensor(tensor_key(op.id, name)).detach().cpu().numpy().copy()
    return found


def _image(session: Session, op: Op, values: np.ndarray) -> np.ndarray:
    """Targets by sources; of a projection that keeps pairs, from its pairs."""
    pairs = tensor_key(op.id, "post") in session.network.declared
    if pairs and values.shape == session.network.declared[tensor_key(op.id, "post")].shape:
        shape = (math.prod(op.shapes["output"] or ()), math.prod(op.shapes["input"] or ()))
        return forms.sparse_image(values, _tensor(session, op, "post"), _tensor(session, op, "pre"), shape)
    return forms.image(values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1))
