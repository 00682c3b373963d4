"""What an exported PyTorch file says about training: groups, bounds, widths, losses and the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.export.targets._torch import pieces
from engine.export.targets._torch.code import Lines, Node, attribute, first_sigma
from engine.program import Op, Program, Source
from engine.recipe import recipe
from nodes.spec import Values

# the port of a loss that is no label, and the parameters that its function takes
ARGUMENTS = {
    "loss.cross_entropy": ("prediction", ("over",)),
    "loss.rate_mse": ("prediction", ("rate_right", "rate_wrong")),
    "loss.spike_rate": ("input", ("low", "high", "per")),
}
OPTIMISERS = {"adam": "torch.optim.Adam", "adamw": "torch.optim.AdamW", "sgd": "torch.optim.SGD"}


@dataclass(frozen=True)
class Lessons:
    """The training of one file: its nodes, the losses that it can say, and the names of its outputs."""

    program: Program
    nodes: Sequence[Node]
    losses: Sequence[Op]
    signals: Mapping[Source, str]

    @property
    def recipe(self) -> Values:
        """The settings of the document."""
        return recipe("train", self.program.recipes)

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """The names of what is learned, by group."""
        found: dict[str, list[str]] = {}
        for node in self.nodes:
            for name, tensor in node.tensors.items():
                if tensor.group != "fixed":
                    found.setdefault(tensor.group, []).append(f"{node.name}.{attribute(name)}")
        return found

    def constants(self) -> Lines:
        """What the methods for training read."""
        bounds, widths = {}, {}
        for node in self.nodes:
            for name, tensor in node.tensors.items():
                if tensor.group != "fixed" and (tensor.low, tensor.high) != (None, None):
                    bounds[f"{node.name}.{attribute(name)}"] = (tensor.low, tensor.high)
            if node.op.delay and node.op.delay.learnable:
                p = node.op.delay.p
                widths[node.name] = (first_sigma(node.op), p["sigma_end"], p["sigma_duration"])
        return [
            "# what is learned, in the groups of an optimiser",
            f"GROUPS = {_table(self.groups)}",
            f'DECAY = {{"weights": {self.recipe.weight_decay!r}}}',
            "# least and largest value",
            f"BOUNDS = {_table(bounds)}",
            "# sigma of the taps of learnable delays: first, last, part of the epochs over which it falls",
            f"WIDTHS = {_table(widths)}",
        ]

    def methods(self) -> Lines:
        """Methods of the network."""
        if not self.groups:
            return []
        terms = " + ".join(map(self._loss, self.losses))
        loss = _LOSS.format(classes=self._classes(), terms=terms) if self.losses else ""
        return [(_LEARNING + loss).rstrip("\n")]

    def _classes(self) -> int:
        shapes = [op.shapes.get("label") for op in self.losses if op.shapes.get("label")]
        return shapes[0][0] if shapes and shapes[0] else 1

    def _loss(self, op: Op) -> str:
        port, options = ARGUMENTS[op.type]
        label = ["label"] if "label" in op.spec.inputs else []
        given = [f'outputs["{self.signals[op.inputs[port][0]]}"]', *label]
        given += [f"{name}={_quoted(op.p[name])}" for name in options]
        scale = "" if op.p.weight == 1 else f"{op.p.weight!r} * "
        return f"{scale}{op.type.rpartition('.')[2]}({', '.join(given)})"

    def loop(self) -> str:
        """The function that trains, as the document's recipe has it."""
        r = self.recipe
        rates = {"delays": (r.delay_schedule, r.delay_lr), "neurons": (r.neuron_schedule, r.neuron_lr)}
        lines = ["# schedule of the rate of every group, rate at first, peak", "RATES = {"]
        for group in self.groups:
            schedule, lr = rates.get(group, (r.lr_schedule, r.lr))
            lines.append(f'    "{group}": ({schedule}, {lr!r}, {r.lr_peak!r}),')
        settings = {name: r[name] for name in ("epochs", "lr", "clip", "accumulate")}
        lines += ["}", f"RECIPE = {_quoted_all(settings)}"]
        turning = "onecycle" in "".join(lines) and r.optimiser != "sgd"
        train = pieces.TRAIN.rstrip("\n").replace("{beta}", pieces.BETA if turning else "")
        return "\n".join([*lines, f"OPTIMISER = {OPTIMISERS[r.optimiser]}", "", train])


def _table(items: Mapping[str, object]) -> str:
    rows = [f'    "{key}": {_quoted_all(value)},' for key, value in items.items()]
    return "\n".join(["{", *rows, "}"]) if rows else "{}"


def _quoted_all(value: object) -> str:
    return repr(value).replace("'", '"')


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


_LEARNING = '''
    def groups(self):
        """What is learned, as the groups of an optimiser."""
        named = dict(self.named_parameters())
        return [
            {"name": group, "params": [named[key] for key in keys], "weight_decay": DECAY.get(group, 0.0)}
            for group, keys in GROUPS.items()
        ]

    def set_epoch(self, epoch, epochs):
        """The width of the taps of learnable delays falls over the first epochs."""
        for name, (first, end, duration) in WIDTHS.items():
            span = int(duration * epochs)
            falling = epoch < span and first > end
            sigma = max(end, first * (end / first) ** (epoch / span)) if falling else min(end, first)
            getattr(self, name).sigma = sigma

    @torch.no_grad()
    def clamp(self):
        """Keep every parameter within its bounds, after every step of the optimiser."""
        for key, (low, high) in BOUNDS.items():
            self.get_parameter(key).clamp_(low, high)
'''

_LOSS = '''
    def loss(self, outputs, label):
        """The loss of every sample, [batch]; label: class numbers, or one-hot."""
        if label.ndim == 1:
            label = F.one_hot(label.long(), {classes}).float()
        return {terms}
'''
