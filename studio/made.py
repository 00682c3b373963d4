"""Widgets in one expression: Qt's properties by name, those of base classes included."""

from __future__ import annotations

from typing import Any, TypeVar

from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)


def made(widget: W, **properties: Any) -> W:
    """The widget with these properties set; AttributeError if it has no such property."""
    known = widget.metaObject()
    for name, value in properties.items():
        if known.indexOfProperty(name) < 0:
            raise AttributeError(f"{known.className()} has no property {name}")
        widget.setProperty(name, value)
    return widget
