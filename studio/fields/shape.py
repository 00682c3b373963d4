"""Shapes: ``28 x 28``."""

from __future__ import annotations

import re
from typing import Any

from studio.fields import field
from studio.fields._line import LineField


@field("shape")
class ShapeField(LineField):
    """Whole numbers with a cross between them; empty where the shape is inferred."""

    def parse(self, text: str) -> Any:
        """``28 x 28``, ``28×28``, ``28, 28``, ``28 28`` or ``[28, 28]``."""
        parts = [part for part in re.split(r"[\sx×*,]+", text.strip().strip("[]()").lower()) if part]
        if not all(re.fullmatch(r"-?\d+", part) for part in parts):
            raise ValueError(f"{text} is not a shape: write 256, or 28 x 28")
        return [int(part) for part in parts]

    def text_of(self, value: Any) -> str:
        """With a cross between the numbers."""
        return " x ".join(map(str, value))

    def empty_text(self) -> str:
        """What an empty shape means."""
        return "taken from the wires"
