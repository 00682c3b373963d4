"""Identifiers of C from the names that people give."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import chain, count

# words of C99 and of the headers that the export includes, and the names that it uses itself
_TAKEN = set(
    """
auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
main errno printf memset memcpy exp log sqrt tanh pow abs floor expf logf sqrtf tanhf powf fabsf floorf
n k x y row first step delay sums softmax log_softmax sigmoid minimum maximum squared cubed pool clamp rounded
""".split()  # noqa: SIM905 (a list of so many is longer to read)
)


class Names:
    """Gives every wish a name of its own."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*_TAKEN, *taken}

    def of(self, wish: str) -> str:
        """The wish as an identifier, with a number behind it where that is taken."""
        stem = slug(wish)
        wishes = chain([stem], (f"{stem}_{k}" for k in count(2)))
        name = next(wish for wish in wishes if wish not in self.taken)
        self.taken.add(name)
        return name


def slug(text: str) -> str:
    """Lower-case letters, digits and underscores, with a letter in front."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return found if found[:1].isalpha() else f"node_{found}".rstrip("_")


def comment(text: str) -> str:
    """A text that can stand within a comment of C."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode()
    return " ".join(plain.split()).replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")
