"""The wire format between client and worker: a length (4 bytes, big-endian), then one msgpack map.

Arrays travel as ``{"dtype", "shape", "data"}``; nothing is pickled.  Every map has a ``type``.  A client
sends requests (``REQUESTS``) with a number ``request``; each is answered by exactly one ``done`` or ``error``
with that number, ``run``, ``step`` and ``train`` when they end.  Besides these a worker sends ``state``,
``progress``, ``metrics``, ``records``, ``diagnosis``, and errors that belong to no request.

A ``diagnosis`` says once what is wrong with the network that runs: ``code``, ``severity``, ``node``, ``text``
(a sentence), ``hint`` (what to do), ``fix`` (``{"label", "ops"}``: the edit that does it, or None), and
``resolved``: whether what was said before about this code and node is over.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np

VERSION = 1
MAX_FRAME = 256 * 2**20
"""Longest frame in bytes.  Text that is taken for a length is longer: its first byte alone makes 512 MiB."""

Message = dict[str, Any]

_LENGTH = struct.Struct(">I")
_DTYPE = re.compile(r"[<|](b1|[iu][1248]|f[248])")
_ARRAY = {"dtype", "shape", "data"}


class FrameError(ValueError):
    """The stream cannot be read any further; ``str(error)`` is one sentence."""


@dataclass(frozen=True)
class Malformed:
    """A whole frame without a message in it; the frames after it can be read."""

    reason: str


@dataclass(frozen=True)
class Field:
    """One field of a request: its types, whether it must be there, and its smallest value."""

    kinds: tuple[type, ...]
    required: bool = False
    low: float | None = None

    def problem(self, value: Any) -> str | None:
        """Why ``value`` cannot stand here, or None."""
        if object in self.kinds:
            return None
        if (isinstance(value, bool) and bool not in self.kinds) or not isinstance(value, self.kinds):
            return f"must be {' or '.join(_WORDS[kind] for kind in self.kinds)}, not {shown(value)}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"must be finite, not {value}"
        if self.low is not None and isinstance(value, (int, float)) and value < self.low:
            return f"must be at least {self.low:g}, not {shown(value)}"
        return None


_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
_TEXT, _FLAG = Field((str,)), Field((bool,))
_COUNT = Field((int,), low=1)
_RATE = Field((int, float), low=1e-9)
_NODE = Field((str,), required=True)

REQUESTS: dict[str, dict[str, Field]] = {
    "hello": {},
    "devices": {},
    "load": {"document": Field((str,), required=True), "name": _TEXT, "checkpoint": _TEXT, "device": _TEXT},
    "run": {
        "steps": _COUNT,
        "duration": _RATE,
        "frame": _COUNT,
        "fps": _RATE,
        "factor": _RATE,
        "stream": Field((list,)),
        "split": _TEXT,
        "samples": _COUNT,
        "data_root": _TEXT,
    },
    "watch": {"stream": Field((list,), required=True)},
    "pause": {},
    "step": {"steps": _COUNT, "stream": Field((list,))},
    "set_param": {"node": _NODE, "name": _NODE, "value": Field((object,), required=True)},
    "stimulate": {
        "node": _NODE,
        "neurons": Field((list,)),
        "amplitude": Field((int, float), required=True),
        "steps": _COUNT,
        "at": Field((int,), low=0),
    },
    "train": {
        "out": Field((str,), required=True),
        "seed": Field((int,)),
        "device": _TEXT,
        "data_root": _TEXT,
        "resume": _FLAG,
    },
    "checkpoint": {"path": Field((str,), required=True)},
    "deploy": {
        "target": _NODE,
        "options": Field((object,)),
        "path": _TEXT,
        "verify": _FLAG,
        "samples": _COUNT,
        "steps": _COUNT,
        "data_root": _TEXT,
    },
    "files": {"folder": _NODE},
    "fetch": {"folder": _NODE, "file": _NODE, "offset": Field((int,), low=0)},
    "stop": {},
    "quit": {},
}


def problem(message: Message) -> str | None:
    """Why a request cannot be understood, in one sentence, or None; a field of None counts as absent."""
    kind = message["type"]
    if kind not in REQUESTS:
        return f"there is no message {shown(kind)}, only {', '.join(REQUESTS)}"
    fields = REQUESTS[kind]
    given = {name: value for name, value in message.items() if name not in ("type", "request")}
    for name in given:
        if name not in fields:
            return f"{kind}: there is no field {shown(name)}, only {', '.join(fields) or 'none'}"
    for name, field in fields.items():
        value = given.get(name)
        if value is None and object not in field.kinds:
            if field.required:
                return f"{kind}: {name} is missing"
        elif (sentence := field.problem(value)) is not None:
            return f"{kind}: {name} {sentence}"
    return None


def shown(value: Any) -> str:
    """Any value as short text on one line."""
    text = ascii(value) if isinstance(value, (str, bytes)) else repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."


def encode(message: Mapping[str, Any]) -> bytes:
    """One frame; FrameError when the message is too long or holds what cannot travel."""
    try:
        body: bytes = msgpack.packb(message, default=_pack)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FrameError(f"a message {shown(message.get('type'))} cannot be sent: {error}") from None
    if len(body) > MAX_FRAME:
        raise FrameError(
            f"a message {shown(message.get('type'))} of {len(body) >> 20} MiB is longer than the"
            f" {MAX_FRAME >> 20} MiB that can be sent"
        )
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Messages from bytes that arrive in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def inside(self) -> bool:
        """Whether a frame has begun that is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[Message | Malformed]:
        """The messages that ``data`` completes; FrameError when it cannot be frames."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME:
                begin = shown(bytes(self._buffer[:40]))
                raise FrameError(f"the stream is no Myelin protocol: it goes on with {begin}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield decode(body)


def decode(body: bytes) -> Message | Malformed:
    """The message in one frame."""
    try:
        message = msgpack.unpackb(body, object_hook=_unpack)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        return Malformed(f"a frame holds no message: {shown(str(error) or type(error).__name__)}")
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return Malformed(f"a frame holds {shown(message)} instead of a message with a type")
    return message


def _pack(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if not _DTYPE.fullmatch(array.dtype.str):
            raise TypeError(f"an array of {value.dtype} cannot travel")
        return {"dtype": array.dtype.str, "shape": list(value.shape), "data": array.tobytes()}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} cannot travel")


def _unpack(tree: dict[str, Any]) -> Any:
    """An array where a map has exactly its keys; read-only, for it lies in the frame's own bytes."""
    if tree.keys() != _ARRAY or not isinstance(tree["data"], bytes):
        return tree
    dtype, shape = tree["dtype"], tree["shape"]
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise ValueError(f"no array has the dtype {shown(dtype)}")
    if not isinstance(shape, list) or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"no array has the shape {shown(shape)}")
    return np.frombuffer(tree["data"], np.dtype(dtype)).reshape(shape)
