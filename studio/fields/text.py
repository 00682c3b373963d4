"""Text on one line."""

from __future__ import annotations

from typing import Any

from studio.fields import field
from studio.fields._line import LineField


@field("str")
class TextField(LineField):
    """Text as it is."""

    def parse(self, text: str) -> Any:
        """The text itself."""
        return text

    def text_of(self, value: Any) -> str:
        """The text itself."""
        return str(value)
