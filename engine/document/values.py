"""Plain JSON values: what a parameter, an operation or an unknown key may hold."""

from __future__ import annotations

from math import isfinite
from typing import Any

from engine.document.errors import DocumentError, show

TYPE_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a fraction",
    type(None): "null",
}

_CONTAINERS = (dict, list)

MAX_DEPTH = 100
"""Deepest nesting of a document: far above any use, far below Python's recursion limit."""

ENVELOPE = 8
"""Levels that an operation or a journal line may add around a value from a document."""


def plain(value: Any, where: str, depth: int = MAX_DEPTH) -> Any:
    """A deep copy of ``value`` as plain JSON (tuples become lists); errors begin with ``where``."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return finite(float(value), where)
    if depth <= 0:
        raise DocumentError(f"{where} is nested too deep (a document has at most {MAX_DEPTH} levels)")
    if isinstance(value, (list, tuple)):
        return [plain(item, where, depth - 1) for item in value]
    if isinstance(value, dict):
        return {_key(key, where): plain(item, where, depth - 1) for key, item in value.items()}
    raise DocumentError(f"{where} must be plain JSON, not a {type(value).__name__}")


def finite(number: float, where: str) -> float:
    """``number`` itself; NaN and infinities are refused, for JSON has no such numbers."""
    if not isfinite(number):
        raise DocumentError(f"{where} must be a finite number, not {number}")
    return number


def expect(value: Any, kind: type, where: str) -> Any:
    """``value`` if it is of JSON type ``kind`` (a bool is no number), else DocumentError naming ``where``."""
    if type(value) is not kind:
        found = TYPE_NAMES.get(type(value), type(value).__name__)
        raise DocumentError(f"{where} must be {TYPE_NAMES[kind]}, not {found}")
    return value


def expect_number(value: Any, where: str) -> Any:
    """``value`` if it is an int or a float."""
    if type(value) not in (int, float):
        found = TYPE_NAMES.get(type(value), type(value).__name__)
        raise DocumentError(f"{where} must be a number, not {found}")
    return value


def check_depth(value: Any, where: str, depth: int = MAX_DEPTH) -> None:
    """Refuse lists and objects nested deeper than ``depth``, so that what was read can be written again."""
    if type(value) not in _CONTAINERS:
        return
    if depth <= 0:
        raise DocumentError(f"{where} is nested too deep (a document has at most {MAX_DEPTH} levels)")
    for item in value.values() if type(value) is dict else value:
        if type(item) in _CONTAINERS:  # Asked here too: a call per number would be most of the work.
            check_depth(item, where, depth - 1)


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise DocumentError(f"{where} has the key {show(key)}, but keys must be texts")
    return _text(key, where)


def _text(text: str, where: str) -> str:
    """Refuse lone surrogates: they cannot be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DocumentError(f"{where} holds the text {show(text)}, which is not valid Unicode") from None
    return str(text)
