"""Names, tooltips and ranges of parameters in plain words."""

from __future__ import annotations

import html
import inspect
import json
from typing import Any

from nodes.spec import Node, Param
from nodes.words import number
from studio.canvas.words import symbol as greek


def plain(name: str) -> str:
    """``tau_mem`` as ``tau mem``."""
    return name.replace("_", " ")


def symbol(name: str) -> str:
    """``tau_mem`` as a letter with an index, in HTML."""
    head, _, index = greek(name).partition("_")
    letter = html.escape(head)
    return f"<i>{letter}</i><sub>{html.escape(plain(index))}</sub>" if index else f"<i>{letter}</i>"


def shown(value: Any, unit: str = "") -> str:
    """A value as a person would write it."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value, unit)
    text = value if isinstance(value, str) else json.dumps(value)
    text = text or "empty"
    return f"{text} {unit}" if unit else text


def limits(param: Param) -> str:
    """The range or the choices of a parameter; empty where anything goes."""
    if param.choices:
        return ", ".join(param.choices)
    low, high, unit = param.low, param.high, param.unit
    if low is not None and high is not None:
        return f"{number(low)} to {number(high, unit)}"
    if low is not None:
        return f"at least {number(low, unit)}"
    return f"at most {number(high, unit)}" if high is not None else ""


def tooltip(name: str, param: Param) -> str:
    """Symbol, help, range and default of a parameter, in HTML."""
    lines = [f"<b>{html.escape(plain(name))}</b> &nbsp; {symbol(name)}", html.escape(sentence(param.doc))]
    lines += [f"Choices: {html.escape(limits(param))}"] if param.choices else []
    lines += [f"Range: {limits(param)}"] if limits(param) and not param.choices else []
    lines += [f"Default: {html.escape(shown(param.default, param.unit))}"]
    lines += ["Can be learned, one value per neuron"] if param.trainable else []
    return "<br>".join(filter(None, lines))


def help_line(param: Param) -> str:
    """Help and range of a parameter on one line."""
    extent = "" if param.choices else limits(param)
    return ". ".join(filter(None, [sentence(param.doc), extent]))


def sentence(text: str) -> str:
    """With a capital letter, and without the signs of code."""
    return text[:1].upper() + text[1:].replace("`", "")


def documentation(spec: type[Node]) -> str:
    """The whole docstring of a node."""
    return (inspect.getdoc(spec) or "").replace("`", "")


def summary(spec: type[Node]) -> str:
    """The first sentence of a node's docstring."""
    first = (documentation(spec).splitlines() or [""])[0]
    return first.partition(".  ")[0].partition(". ")[0].rstrip(".")
