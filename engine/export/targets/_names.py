"""What the ops and signals of a network are called in source code and in files of other software."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Container, Iterable

from engine.export.frozen import Frozen
from engine.program import Op, Source


def identifier(text: str, fallback: str = "node") -> str:
    """A name as code takes it: ``weights 1`` becomes ``weights_1``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    word = re.sub(r"\W+", "_", plain).strip("_").lower() or fallback
    return f"{fallback}_{word}" if word[0].isdigit() else f"{word}_" if keyword.iskeyword(word) else word


def printed(text: str) -> str:
    """A name or a title as a comment or a docstring can hold it: one line that ends neither."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(visible.split()).replace('"', "'").replace("\\", "/")


def unique(wanted: str, taken: Container[str]) -> str:
    """``wanted``, or ``wanted_2``, ``wanted_3`` ... if that is taken."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def op_names(ops: Iterable[Op], reserved: Iterable[str] = ()) -> dict[str, str]:
    """Every op by its id, no two alike."""
    taken = set(reserved)
    found = {}
    for op in ops:
        found[op.id] = unique(identifier(op.name), taken)
        taken.add(found[op.id])
    return found


def signal_names(
    frozen: Frozen, sources: Iterable[Source], reserved: Iterable[str] = ()
) -> dict[Source, str]:
    """Every signal: ``hidden_1_spikes``, or ``votes`` where its op has no other and is no population."""
    wanted = list(dict.fromkeys(sources))
    ops = {source.op: frozen.program.ops[source.op] for source in wanted}
    names = op_names(ops.values())
    taken, found = set(reserved), {}
    for source in wanted:
        alone = [other.op for other in wanted].count(source.op) == 1
        bare = alone and ops[source.op].role != "population"
        whole = names[source.op] if bare else f"{names[source.op]}_{identifier(source.port)}"
        found[source] = unique(whole, taken)
        taken.add(found[source])
    return found
