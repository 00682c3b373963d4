"""Lists: ``1, 2, 3``, or JSON."""

from __future__ import annotations

import json
from typing import Any

from studio.fields import field
from studio.fields._line import LineField

LONGEST = 5000
"""Characters beyond which a list is told by its length and not edited as text."""


@field("list")
class ListField(LineField):
    """Values with commas between them; nested lists as JSON."""

    def parse(self, text: str) -> Any:
        """A list of JSON values, the outermost brackets left out or not."""
        clean = text.strip()
        try:
            return json.loads(clean if clean.startswith("[") and _one(clean) else f"[{clean}]")
        except ValueError:
            raise ValueError(f"{text} is not a list: write 1, 2, 3 or [[1, 2], [3, 4]]") from None

    def text_of(self, value: Any) -> str:
        """JSON, without the brackets of a plain list."""
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > LONGEST:
            return f"{len(value):,} entries"
        return text if any(isinstance(item, list) for item in value) else text[1:-1]

    def show_value(self, value: Any) -> None:
        """Show a list; a very long one cannot be typed into."""
        super().show_value(value)
        long = isinstance(value, list) and len(json.dumps(value)) > LONGEST
        self.line.setReadOnly(long)

    def empty_text(self) -> str:
        """What an empty line means."""
        return "none"


def _one(text: str) -> bool:
    """Whether the text is one JSON value."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
