"""How well some typed letters fit a title."""

from __future__ import annotations

import re


def score(typed: str, title: str) -> float | None:
    """Larger is better, None if the letters are not all there in order.

    Whole words beat beginnings of words, these beat letters together, these beat scattered ones.
    """
    wanted, text = typed.casefold().replace(" ", ""), title.casefold()
    if not wanted:
        return 0.0
    plain = typed.casefold().strip()
    if plain in text:
        at = text.index(plain)
        begins = at == 0 or not text[at - 1].isalnum()
        return 300.0 + 100.0 * begins + 50.0 * (at == 0) - len(text) / 100
    starts = {found.start() for found in re.finditer(r"\b\w", text)}
    place, total = -1, 0.0
    for letter in wanted:
        next_place = _next(text, letter, place + 1, starts)
        if next_place is None:
            return None
        total += 10.0 * (next_place in starts) + 5.0 * (next_place == place + 1)
        place = next_place
    return total - len(text) / 100


def _next(text: str, letter: str, start: int, word_starts: set[int]) -> int | None:
    """The place of a letter: right here, else at the next beginning of a word, else the nearest."""
    if text.startswith(letter, start):
        return start
    beginnings = [place for place in sorted(word_starts) if place >= start and text[place] == letter]
    found = text.find(letter, start)
    return beginnings[0] if beginnings else found if found >= 0 else None
