"""Nodes of NIR files that are no neurons, each as one node of a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.errors import MyelinError
from engine.export.nir.file import NirNode

LARGEST_WHOLE = 10_000
Made = tuple[str, dict[str, Any], dict[str, np.ndarray]]
Maker = Callable[[str, NirNode, bool], Made]


def _cannot(name: str, node: NirNode, why: str) -> MyelinError:
    return MyelinError(f"'{name}' ({node.type}) in the NIR file cannot be imported: {why}")


def _input(name: str, node: NirNode, current: bool) -> Made:
    return "dataset.frames", {"size": _shape(name, node, "shape")}, {}


def _shape(name: str, node: NirNode, key: str) -> list[int]:
    shape = [int(n) for n in np.asarray(node.fields[key]).ravel()]
    if not shape or min(shape) < 1:
        raise _cannot(name, node, f"its shape {shape} has no neurons")
    return shape


def _dense(name: str, node: NirNode, current: bool) -> Made:
    weight = np.asarray(node.fields["weight"], np.float32)
    if weight.ndim != 2:
        raise _cannot(name, node, f"its weight has {weight.ndim} axes, not [targets, sources]")
    arrays = {"weight": weight}
    if node.type == "Affine":
        arrays["offset"] = np.asarray(node.fields["bias"], np.float32)
    return "projection.dense", {"size": [weight.shape[0]], "bias": "offset" in arrays}, arrays


def _scale(name: str, node: NirNode, current: bool) -> Made:
    scale = np.asarray(node.fields["scale"], np.float32)
    if current:
        return "structure.scale", {}, {"scale": scale}
    return one_to_one(), {**ONE_TO_ONE, "train_weights": True}, {"weight": scale}


ONE_TO_ONE = {"connectivity": "one_to_one", "init": "constant", "gain": 1.0, "train_weights": False}


def one_to_one() -> str:
    """The type of a projection that joins neurons with the same number."""
    return "projection.sparse"


def _convolution(name: str, node: NirNode, current: bool) -> Made:
    rank = 1 if node.type == "Conv1d" else 2
    weight = np.asarray(node.fields["weight"], np.float32)
    bias = np.asarray(node.fields["bias"], np.float32)
    if weight.ndim != rank + 2:
        raise _cannot(name, node, f"its weight has {weight.ndim} axes, not {rank + 2}")
    weight = _spread_groups(name, node, weight)
    weight = _dilated(weight, _number(name, node, "dilation"))
    if len(set(weight.shape[2:])) > 1:
        raise _cannot(name, node, f"its window {list(weight.shape[2:])} is not as wide as it is high")
    window, stride = weight.shape[2], _number(name, node, "stride")
    if stride < 1:
        raise _cannot(name, node, f"its stride is {stride}")
    params = {"channels": weight.shape[0], "window": window, "stride": stride, "bias": bool(bias.any())}
    params["padding"] = _padding(name, node, window, stride)
    return f"projection.conv{rank}d", params, {"weight": weight} | ({"offset": bias} if bias.any() else {})


def _spread_groups(name: str, node: NirNode, weight: np.ndarray) -> np.ndarray:
    """The weights of a grouped convolution among those of a full one."""
    groups = _number(name, node, "groups")
    if groups == 1:
        return weight
    if groups < 1 or weight.shape[0] % groups:
        raise _cannot(name, node, f"{weight.shape[0]} channels do not make {groups} groups")
    outs, ins = weight.shape[0] // groups, weight.shape[1]
    full = np.zeros((weight.shape[0], ins * groups, *weight.shape[2:]), np.float32)
    for g in range(groups):
        full[g * outs : (g + 1) * outs, g * ins : (g + 1) * ins] = weight[g * outs : (g + 1) * outs]
    return full


def _dilated(weight: np.ndarray, dilation: int) -> np.ndarray:
    """The window with zeros between its weights."""
    if dilation <= 1:
        return weight
    space = [(n - 1) * dilation + 1 for n in weight.shape[2:]]
    full = np.zeros((*weight.shape[:2], *space), np.float32)
    place: Any = (..., *[slice(None, None, dilation)] * len(space))
    full[place] = weight
    return full


def _padding(name: str, node: NirNode, window: int, stride: int) -> int:
    given = node.fields["padding"]
    if not isinstance(given, str):
        return _number(name, node, "padding")
    if given == "valid":
        return 0
    if given != "same" or stride != 1 or window % 2 == 0:
        raise _cannot(name, node, f"its padding {given[:20]!r} does not go with a window of {window}")
    return window // 2


def _number(name: str, node: NirNode, key: str) -> int:
    """A whole number, given once or for both axes."""
    value = node.fields[key]
    if isinstance(value, str) or np.abs(value).max(initial=0) > LARGEST_WHOLE:
        raise _cannot(name, node, f"its {key} is no whole number that could be")
    found = sorted({int(n) for n in np.asarray(value).ravel()})
    if len(found) != 1:
        raise _cannot(name, node, f"its {key} {found} is not the same along both axes")
    return found[0]


def _flatten(name: str, node: NirNode, current: bool) -> Made:
    start, end = (_number(name, node, key) for key in ("start_dim", "end_dim"))
    given = np.asarray(node.fields.get("input_type", np.zeros(0))).ravel()
    rank = len(given)
    if not rank and (start < 0 or end >= 0):
        raise _cannot(name, node, "it does not say the shape of its input")
    before, after = start + rank if start < 0 else start, rank - 1 - end if end >= 0 else -1 - end
    if not 0 <= before <= 8 or not 0 <= after <= 8:
        raise _cannot(name, node, f"it has no axes {start} to {end}")
    return "structure.flatten", {"before": before, "after": after}, {}


def _pool(name: str, node: NirNode, current: bool) -> Made:
    window, stride, padding = (_number(name, node, key) for key in ("kernel_size", "stride", "padding"))
    if stride != window or padding:
        raise _cannot(
            name, node, f"windows of {window} overlap or are padded (stride {stride}, padding {padding})"
        )
    return "structure.pool", {"window": window, "mode": "sum" if node.type == "SumPool2d" else "mean"}, {}


def _threshold(name: str, node: NirNode, current: bool) -> Made:
    return "encoder.threshold", {}, {"level": np.asarray(node.fields["threshold"], np.float32)}


MAKERS: Mapping[str, Maker] = {
    "Input": _input,
    "Affine": _dense,
    "Linear": _dense,
    "Scale": _scale,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "Flatten": _flatten,
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "Threshold": _threshold,
}
