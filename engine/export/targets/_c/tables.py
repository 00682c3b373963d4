"""Arrays as constants of C, and the element types that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np

WIDTH = 106
INTEGERS = {"int8_t": 8, "int16_t": 16, "int32_t": 32, "int64_t": 64}
UNSIGNED = {"uint8_t": 8, "uint16_t": 16, "uint32_t": 32}
BYTES = {"float": 4, "double": 8} | {name: bits // 8 for name, bits in (INTEGERS | UNSIGNED).items()}


def unsigned(most: float) -> str:
    """The smallest unsigned type that holds 0..most."""
    return next(name for name, bits in UNSIGNED.items() if most < 2**bits)


def signed(least: float, most: float) -> str:
    """The smallest signed type that holds least..most."""
    return next(
        name for name, bits in INTEGERS.items() if -(2 ** (bits - 1)) <= least and most < 2 ** (bits - 1)
    )


def literal(value: Any, ctype: str) -> str:
    """A number as it stands in C; a float comes back exactly."""
    if ctype == "float":
        text = f"{np.float32(value):.9g}"
        return text + ("f" if any(c in text for c in ".en") else ".0f")
    if ctype == "int64_t":
        return f"INT64_C({int(value)})"
    # the least of 32 bits is no number in C but the negative of one that does not fit
    return f"({int(value) + 1} - 1)" if int(value) == -(2**31) else str(int(value))


def table(ctype: str, name: str, values: np.ndarray) -> str:
    """A constant array, or array of arrays, in lines of readable length."""
    rows = values.reshape(len(values), -1) if values.ndim > 1 else values[None]
    size = "".join(f"[{n}]" for n in (rows.shape if values.ndim > 1 else values.shape))
    texts = ["{" + ", ".join(_literals(row, ctype)) + "}" for row in rows]
    inside = texts[0][1:-1] if values.ndim == 1 else ", ".join(texts)
    return f"static const {ctype} {name}{size} = {{\n{wrapped(inside)}\n}};\n"


def _literals(row: np.ndarray, ctype: str) -> list[str]:
    short = ctype in UNSIGNED or ctype in ("int8_t", "int16_t")
    return (
        list(map(str, row.astype(np.int64).tolist())) if short else [literal(v, ctype) for v in row.tolist()]
    )


def wrapped(text: str) -> str:
    """A list of numbers in lines."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) + 1 > WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return "\n".join(f"    {found}" for found in [*lines, line])
