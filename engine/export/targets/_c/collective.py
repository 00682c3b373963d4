"""What a step does across elements, in C: softmax over the last axis, and pooling."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from engine.codegen.expr import Call
from nodes.spec import Shape

SOFTMAX = """\
/* e^x / sum(e^x) over rows of so many elements */
static void softmax(const float *x, float *y, uint32_t rows, uint32_t size)
{
    uint32_t row, n;
    for (row = 0; row < rows; row++, x += size, y += size) {
        float most = x[0], total = 0.0f;
        for (n = 1; n < size; n++) {
            most = x[n] > most ? x[n] : most;
        }
        for (n = 0; n < size; n++) {
            y[n] = expf(x[n] - most);
            total += y[n];
        }
        for (n = 0; n < size; n++) {
            y[n] /= total;
        }
    }
}
"""
LOG_SOFTMAX = """\
/* x - log(sum(e^x)) over rows of so many elements */
static void log_softmax(const float *x, float *y, uint32_t rows, uint32_t size)
{
    uint32_t row, n;
    for (row = 0; row < rows; row++, x += size, y += size) {
        float most = x[0], total = 0.0f;
        for (n = 1; n < size; n++) {
            most = x[n] > most ? x[n] : most;
        }
        for (n = 0; n < size; n++) {
            total += expf(x[n] - most);
        }
        for (n = 0; n < size; n++) {
            y[n] = x[n] - most - logf(total);
        }
    }
}
"""
_POOL = """\
/* the {mode} of windows of high x wide that do not overlap; what is left over is cut */
static void pool_{mode}(const float *x, float *y, uint32_t channels, uint32_t height, uint32_t width,
                        uint32_t high, uint32_t wide)
{{
    uint32_t channel, row, column, i, j;
    for (channel = 0; channel < channels; channel++, x += height * width) {{
        for (row = 0; row + high <= height; row += high) {{
            for (column = 0; column + wide <= width; column += wide) {{
                float value = x[row * width + column];
                for (i = 0; i < high; i++) {{
                    for (j = i == 0 ? 1 : 0; j < wide; j++) {{
                        const float other = x[(row + i) * width + column + j];
                        {step}
                    }}
                }}
                *y++ = {result};
            }}
        }}
    }}
}}
"""
_ADD = "value += other;"
POOLS = {
    "sum": _POOL.format(mode="sum", step=_ADD, result="value"),
    "mean": _POOL.format(mode="mean", step=_ADD, result="value / (float)(high * wide)"),
    "max": _POOL.format(mode="max", step="value = other > value ? other : value;", result="value"),
}
FUNCTIONS = {
    "softmax": SOFTMAX,
    "log_softmax": LOG_SOFTMAX,
    **{f"pool_{mode}": text for mode, text in POOLS.items()},
}


@dataclass(frozen=True)
class Collective:
    """An operation across elements: its shape from its operand's, its function, and further arguments."""

    shape: Callable[[Call, Shape], Shape]
    helper: Callable[[Call], str]
    arguments: Callable[[Call, Shape], tuple[int, ...]]


def _pooled(expr: Call, shape: Shape) -> Shape:
    window, rank, _ = expr.options
    assert isinstance(window, int) and isinstance(rank, int)
    return (*shape[: len(shape) - rank], *(n // window for n in shape[len(shape) - rank :]))


def _pool_arguments(expr: Call, shape: Shape) -> tuple[int, ...]:
    """Channels, height and width, and the window's; one row where there is one axis."""
    window, rank, _ = expr.options
    assert isinstance(window, int) and isinstance(rank, int)
    space = (1, *shape[-1:]) if rank == 1 else shape[-2:]
    return math.prod(shape[: len(shape) - rank]), *space, 1 if rank == 1 else window, window


def _rows(expr: Call, shape: Shape) -> tuple[int, ...]:
    return math.prod(shape[:-1]), shape[-1]


COLLECTIVES = {
    "softmax": Collective(lambda expr, shape: shape, lambda expr: "softmax", _rows),
    "log_softmax": Collective(lambda expr, shape: shape, lambda expr: "log_softmax", _rows),
    "pool": Collective(_pooled, lambda expr: f"pool_{expr.options[2]}", _pool_arguments),
}


def call_of(expr: Call, source: str, target: str, shape: Shape) -> str:
    """The call that computes ``target`` from the array ``source`` of that shape."""
    found = COLLECTIVES[expr.op]
    arguments = ", ".join(map(str, (source, target, *found.arguments(expr, shape))))
    return f"    {found.helper(expr)}({arguments});\n"
