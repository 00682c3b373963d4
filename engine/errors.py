"""The error that carries one sentence to the user."""

from __future__ import annotations


class MyelinError(ValueError):
    """Bad input or surroundings: the text says what, where, and what to do."""
