"""Errors a person may see: each message is one sentence that says what, where and what to do."""

from __future__ import annotations

LONGEST = 600
"""Characters of a message that are shown."""


class DocumentError(Exception):
    """A document cannot be read, written or understood; ``str(error)`` is one sentence on one line."""

    def __init__(self, message: str) -> None:
        # Ids and names from a broken file are quoted in messages, and may hold anything, in any length.
        line = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in message[:LONGEST])
        super().__init__(line if len(message) <= LONGEST else line + "...")


class EditError(DocumentError):
    """An edit is not possible; the document is as it was before the edit."""


def show(value: object) -> str:
    """Any value as short one-line text, so that a message stays one line whatever the file holds."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
