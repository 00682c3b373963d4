"""Canonical JSON text: sorted keys, two spaces, short flat lists on one line, a final newline."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

from engine.document.errors import DocumentError, show
from engine.document.values import MAX_DEPTH, check_depth, finite

WIDTH = 100
"""A list without lists or objects inside is written on one line up to this many characters."""


def write(tree: Any) -> str:
    """The canonical text of a JSON value; DocumentError on NaN, infinities and values that are not JSON."""
    parts: list[str] = []
    _write(tree, "\n", parts)
    return "".join(parts) + "\n"


def read(text: str, depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text; DocumentError says line and column, or why it is refused."""
    try:
        tree = json.loads(text, parse_float=_number, parse_constant=_number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise DocumentError(_syntax(error, text)) from None
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    except ValueError:
        raise DocumentError("a number in it has too many digits") from None
    check_depth(tree, "it", depth)
    if "\\ud" in text.lower():
        _check_unicode(tree)
    return tree


def _write(value: Any, newline: str, parts: list[str]) -> None:
    """Append the text of ``value``; ``newline`` is a line break and the indent of the enclosing line."""
    if type(value) is dict and value:
        before = "{" + newline + "  "
        for key in sorted(value):
            parts.append(before + encode_basestring(key) + ": ")
            _write(value[key], newline + "  ", parts)
            before = "," + newline + "  "
        parts.append(newline + "}")
    elif type(value) is list and value:
        _write_list(value, newline, parts)
    else:
        parts.append(_scalar(value))


def _write_list(value: list[Any], newline: str, parts: list[str]) -> None:
    line = "[" + ", ".join(map(_scalar, value)) + "]" if _flat(value) else ""
    if line and len(line) <= WIDTH:
        parts.append(line)
        return
    before = "[" + newline + "  "
    for item in value:
        parts.append(before)
        _write(item, newline + "  ", parts)
        before = "," + newline + "  "
    parts.append(newline + "]")


def _flat(value: list[Any]) -> bool:
    return not any(isinstance(item, (list, dict)) for item in value)


def _scalar(value: Any) -> str:
    if type(value) is str:
        return encode_basestring(value)
    if type(value) is float and isfinite(value):
        return repr(value)
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise DocumentError(f"the document holds {show(value)}, which JSON cannot express") from None


def _number(literal: str) -> float:
    return finite(float(literal), "every number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse repeated keys (a merge gone wrong): keeping the last one would lose a node in silence."""
    tree = dict(pairs)
    if len(tree) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise DocumentError(f"the key {show(twice)} occurs twice in one object")
    return tree


def _syntax(error: json.JSONDecodeError, text: str) -> str:
    if not text.strip():
        return "it is empty"
    place = f"line {error.lineno}, column {error.colno}"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        return f"it ends too early, only a part of it is there ({place})"
    return f"it is not valid JSON at {place}: {error.msg[0].lower()}{error.msg[1:]}"


def _check_unicode(tree: Any) -> None:
    try:
        json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DocumentError("a text in it is not valid Unicode (half a surrogate pair)") from None
