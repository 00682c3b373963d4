"""Numbers as people write them: SI prefixes, units, steps that suit a magnitude, sliders over decades."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from nodes.spec import Param

PREFIXES = {"p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "k": 3, "M": 6, "G": 9}
BASES = ("s", "Hz", "V", "A", "F", "Ω", "S")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\W\d_]*|%)")
_FAR = 1000.0  # a range over more than this is shown on a logarithmic slider
_DECADES = 7.0  # that such a slider shows below the top of a range that begins at 0
_MOST = 1e6  # whole numbers beyond this (a seed) are not for sliding


def parse(text: str, unit: str, whole: bool) -> float | int:
    """The number in ``unit`` that a text means; ValueError says in a sentence why it is none.

    A bare number counts in ``unit``.  A bare prefix below one counts in the base unit (20m of ms are 20 ms),
    one above multiplies (1k of ms are 1000 ms).
    """
    clean = text.strip().replace("−", "-").replace(" ", " ")
    found = _NUMBER.fullmatch(clean)
    if not found:
        raise ValueError(_no_number(clean, unit))
    exponent = _exponent(found[2], unit)
    if exponent is None:
        raise ValueError(f"the unit {found[2]} does not go with {unit or 'a plain number'}")
    value = Decimal(found[1]).scaleb(exponent)
    return int(value) if whole and value == value.to_integral_value() else float(value)


def _no_number(text: str, unit: str) -> str:
    if re.fullmatch(r"[+-]?\d+,\d+\D*", text):
        return f"{text} has a comma: write the number with a point, as in 0.5"
    example = {"ms": "20, 2e-3, 20m or 0.02 s", "Hz": "100 or 1k"}.get(unit, "20, 2e-3 or 1k")
    return f"{text or 'nothing'} is not a number: write {example}"


def _exponent(suffix: str, unit: str) -> int | None:
    """The power of ten by which a suffix multiplies, in ``unit``; None if it does not go with it."""
    own, base = _split(unit)
    if suffix in ("", unit) or (unit == "steps" and suffix == "step"):
        return 0
    if suffix == "%":
        return None if unit else -2
    if suffix in PREFIXES and suffix != base:
        power = PREFIXES[suffix]
        return power - own if power < 0 else power
    power, named = _split(suffix)
    return power - own if named == base and base in BASES else None


def _split(unit: str) -> tuple[int, str]:
    """The power of ten of a unit's prefix, and the unit without it."""
    if unit not in BASES and unit[1:] in BASES and unit[0] in PREFIXES:
        return PREFIXES[unit[0]], unit[1:]
    return 0, unit


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def step_of(value: float, param: Param) -> float:
    """A small change of a value: a tenth of its decade; of 0, of the default's."""
    for size in (value, param.default, 1):
        if isinstance(size, (int, float)) and size:
            step = float(10.0 ** (math.floor(math.log10(abs(size))) - 1))
            return max(1.0, step) if param.kind == "int" else step
    return 1.0


def nudged(value: float, steps: float, param: Param) -> float | int:
    """The value some steps on, on the grid of its step and within the bounds."""
    step = step_of(value, param)
    places = max(0, -math.floor(math.log10(step)) + (1 if steps % 1 else 0))
    return fit(round(value + steps * step, places), param)


def fit(value: float, param: Param) -> float | int:
    """The nearest value that the parameter can have."""
    low = -math.inf if param.low is None else param.low
    high = math.inf if param.high is None else param.high
    inside = min(max(value, low), high)
    return round(inside) if param.kind == "int" else float(inside)


def _range(param: Param) -> tuple[float, float]:
    """The bounds of a number; where they are open or say little, as far as people go from the default."""
    reach = 4 * abs(param.default) or 10.0
    low = -reach if param.low is None else param.low
    high = max(low, 0.0) + reach if param.high is None else param.high
    if low < 0 and high - low > _FAR:
        return max(low, -reach), min(high, reach)
    return low, high


@dataclass(frozen=True)
class Scale:
    """Where on a slider a value lies, 0 to 1: by decades where the range spans many, else evenly."""

    low: float
    high: float
    log: bool
    whole: bool

    @staticmethod
    def of(param: Param) -> Scale | None:
        """The scale of a parameter; None where a slider would be of no use."""
        whole = param.kind == "int"
        low, high = (param.low, param.high) if whole else _range(param)
        if low is None or high is None or high - low < (2 if whole else 0) or (whole and high > _MOST):
            return None
        usual = low or abs(param.default) or 1.0
        return Scale(low, high, low >= 0 and high / usual > _FAR, whole)

    @property
    def _least(self) -> float:
        """The smallest value above 0 that a logarithmic scale tells apart."""
        return self.low or (1.0 if self.whole else self.high / 10**_DECADES)

    def place(self, value: float) -> float:
        """From a value to 0 .. 1."""
        inside = min(max(value, self.low), self.high)
        if not self.log:
            return (inside - self.low) / (self.high - self.low)
        if inside <= self._least:
            return 0.0
        return math.log(inside / self._least) / math.log(self.high / self._least)

    def value(self, place: float) -> float:
        """From 0 .. 1 to a value of few digits."""
        if place <= 0 or place >= 1:
            return self.low if place <= 0 else self.high
        if self.log:
            found = self._least * (self.high / self._least) ** place
            return float(f"{found:.2g}")
        digits = 2 - math.floor(math.log10(self.high - self.low))
        return round(self.low + place * (self.high - self.low), digits)
