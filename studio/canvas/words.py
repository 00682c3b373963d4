"""Short words for a node's parameters, as they stand on the node.  No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodes.roles import Delays, Population, Projection
from nodes.spec import Node, Param, Values

GREEK = {"tau": "τ", "alpha": "α", "beta": "β", "sigma": "σ", "theta": "θ"}


def subtitle(spec: type[Node], params: dict[str, Any]) -> str:
    """The type's label, with the size where the node has one: ``LIF · 256``."""
    size = params.get("size")
    shown = "×".join(str(n) for n in size) if isinstance(size, list) and size else ""
    return f"{spec.label} · {shown}" if shown else spec.label


def facts(spec: type[Node], params: dict[str, Any], most: int = 2) -> list[str]:
    """The parameters that matter most, e.g. ``["τ_mem 20 ms", "v_th 1"]``."""
    if issubclass(spec, Delays):
        return [_span(spec, params)]
    ranked = sorted(_numbers(spec, params), key=lambda found: found[0])
    return [text for _, text in ranked[:most]]


def one_line(spec: type[Node], params: dict[str, Any]) -> str:
    """Type and the one fact that matters most: ``Dense · gain 0.7``."""
    if issubclass(spec, Delays):
        return " · ".join(facts(spec, params))
    return " · ".join([subtitle(spec, params), *facts(spec, params, 1)])


def quantity(value: float, unit: str = "") -> str:
    """A number of at most four digits with its unit."""
    text = f"{value:.4g}".replace("e+0", "e").replace("e-0", "e-").replace("-", "−")
    return f"{text} {unit}" if unit else text


def sign(params: dict[str, Any]) -> str:
    """Whether a projection's weights are ``excitatory``, ``inhibitory`` or ``any``."""
    declared = params.get("sign", "any")
    if declared in ("excitatory", "inhibitory"):
        return str(declared)
    gain = params.get("gain")
    if params.get("init") != "constant" or not isinstance(gain, (int, float)) or gain == 0:
        return "any"
    return "excitatory" if gain > 0 else "inhibitory"


def _span(spec: type[Delays], params: dict[str, Any]) -> str:
    """Smallest to largest delay; the type's name where the parameters are not in order."""
    try:
        low, high = spec.span(Values(params))
    except (TypeError, ValueError, KeyError, AttributeError, OSError):
        return spec.label
    word = "learned " if spec.learns(Values(params)) else ""
    if low == high:
        return f"{word}{quantity(high, 'ms')}"
    return f"{word}{quantity(low)}–{quantity(high, 'ms')}"


def _numbers(spec: type[Node], params: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for name, param in spec.params.items():
        value = params.get(name, param.default)
        if param.kind in ("int", "float") and isinstance(value, (int, float)) and name != "lag":
            yield _rank(spec, param, value), f"{symbol(name)} {quantity(value, param.unit)}"


def _rank(spec: type[Node], param: Param, value: Any) -> int:
    """Lower is shown first: what training changes, what the user changed, what has a unit, the rest."""
    if issubclass(spec, Population) and param.trainable:
        return 0 if param.unit else 1
    if value != param.default:
        return 2
    if issubclass(spec, Projection):
        return 3
    return 4 if param.unit else 5


def symbol(name: str) -> str:
    """A parameter's name with Greek letters: ``τ_mem``."""
    first, _, rest = name.partition("_")
    return GREEK.get(first, first) + (f"_{rest}" if rest else "")
