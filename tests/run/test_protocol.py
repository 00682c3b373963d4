"""Frames: what goes in comes out, in pieces of any size, and garbage is told from a message."""

from __future__ import annotations

import struct
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.run import protocol
from engine.run.protocol import Decoder, FrameError, Malformed

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ARRAYS = st.sampled_from(["?", "u1", "i4", "<i8", ">i2", "f4", "f8", ">f8"]).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=0, min_side=0))
)
MESSAGES = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(st.text(), PLAIN | ARRAYS, max_size=4),
    st.text(),
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        equal = isinstance(b, np.ndarray) and a.shape == b.shape
        return equal and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


@given(st.lists(MESSAGES, max_size=4), st.data())
def test_messages_come_out_as_they_went_in(messages: list[Any], data: st.DataObject) -> None:
    stream = b"".join(map(protocol.encode, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    decoder, found = Decoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += decoder.feed(stream[start:end])
    assert len(found) == len(messages)
    assert all(same(a, b) for a, b in zip(messages, found, strict=True))
    assert not decoder.inside


@given(st.binary(max_size=60))
def test_a_frame_of_garbage_costs_only_itself(garbage: bytes) -> None:
    good = protocol.encode({"type": "hello"})
    first, second = Decoder().feed(struct.pack(">I", len(garbage)) + garbage + good)
    assert isinstance(first, (Malformed, dict))
    assert second == {"type": "hello"}


@pytest.mark.parametrize(
    "body",
    [
        msgpack.packb([1, 2]),
        msgpack.packb({"kind": "run"}),
        msgpack.packb({"type": 5}),
        msgpack.packb({1: 2}),
        b"",
        msgpack.packb({"type": "x", "a": {"dtype": "|O8", "shape": [1], "data": b"12345678"}}),
        msgpack.packb({"type": "x", "a": {"dtype": "<f4", "shape": [2], "data": b"1234"}}),
        msgpack.packb({"type": "x", "a": {"dtype": "<f4", "shape": [-1], "data": b"1234"}}),
        msgpack.packb({"type": "hello"})[:-1],
        b"\x91" * 5000,
    ],
)
def test_a_frame_without_a_message_says_so_in_one_line(body: bytes) -> None:
    found = protocol.decode(body)
    assert isinstance(found, Malformed)
    assert "\n" not in found.reason
    assert len(found.reason) < 150


@pytest.mark.parametrize("stray", [b"Welcome!\n", b"\xff\xff\xff\xff", struct.pack(">I", 2**28 + 1)])
def test_what_cannot_be_a_length_is_refused_at_once(stray: bytes) -> None:
    with pytest.raises(FrameError, match="no Myelin protocol"):
        list(Decoder().feed(stray))


def test_half_a_frame_waits() -> None:
    frame = protocol.encode({"type": "hello"})
    decoder = Decoder()
    assert list(decoder.feed(frame[:-1])) == []
    assert decoder.inside
    assert list(decoder.feed(frame[-1:])) == [{"type": "hello"}]


@pytest.mark.parametrize("value", [object(), {1, 2}, 2**70, np.array([object()]), np.array(["a"])])
def test_what_cannot_travel_is_refused(value: Any) -> None:
    with pytest.raises(FrameError, match="'x' cannot be sent"):
        protocol.encode({"type": "x", "value": value})


def test_a_message_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_FRAME", 1000)
    protocol.encode({"type": "x", "data": b"0" * 900})
    with pytest.raises(FrameError, match="longer than"):
        protocol.encode({"type": "x", "data": b"0" * 1001})


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"type": "fly"}, "there is no message 'fly'"),
        ({"type": "run", "speed": 3}, "run: there is no field 'speed'"),
        ({"type": "run", "steps": 0}, "run: steps must be at least 1, not 0"),
        ({"type": "run", "steps": True}, "run: steps must be a whole number, not True"),
        ({"type": "run", "factor": float("nan")}, "run: factor must be finite"),
        ({"type": "step", "steps": 1.5}, "step: steps must be a whole number, not 1.5"),
        ({"type": "load"}, "load: document is missing"),
        ({"type": "set_param", "node": "a", "name": 3, "value": 1}, "set_param: name must be a text, not 3"),
    ],
)
def test_a_wrong_request_is_a_sentence(message: dict[str, Any], sentence: str) -> None:
    assert str(protocol.problem(message)).startswith(sentence)


def test_right_requests_pass() -> None:
    for message in (
        {"type": "run", "request": 3, "steps": None, "factor": 2},
        {"type": "hello"},
        {"type": "set_param", "node": "a", "name": "b", "value": None},
    ):
        assert protocol.problem(message) is None
