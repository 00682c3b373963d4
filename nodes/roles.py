"""The roles a node can play: base classes that fix its ports, and what the compiler asks of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from nodes.ops import Array, Ops
from nodes.spec import Initialiser, Node, Param, Port, Shapes, Tensor, Values, constant, port


class Population(Node):
    """Neurons with state.  Input: current, summed over wires; outputs: spikes and a membrane potential."""

    role = "population"
    category = "Populations"
    inputs: ClassVar[dict[str, Port]] = {
        "input": port("current", many=True, optional=True, doc="summed current")
    }
    outputs: ClassVar[dict[str, Port]] = {
        "spikes": port("spikes", doc="1 where a neuron fires"),
        "v": port("potential", doc="membrane potential after the step"),
    }
    size = Param([], kind="shape", doc="number of neurons, or a shape; empty takes the shape of the input")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        arriving = next((shape for shape in shapes.values() if shape is not None), None)
        return dict.fromkeys(shapes, tuple(p.size) or arriving)

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        """One value per neuron for every parameter named in ``train``."""
        shape = next(iter(shapes.values()))
        assert shape is not None, "shapes are inferred before tensors are asked for"
        declared = {name: cls.params[name] for name in p.get("train", ())}
        return {
            name: Tensor(shape, constant(float(p[name])), "neurons", param.low, param.high)
            for name, param in declared.items()
        }


class Projection(Node):
    """Weights between populations.  Delays and a plasticity rule are attached by wires.

    ``delayable`` lists the granularities of delays this projection can carry.
    """

    role = "projection"
    category = "Projections"
    delayable: ClassVar[tuple[str, ...]] = ("axonal", "dendritic", "projection")
    indexed: ClassVar[bool] = False  # each weight is kept with its source and target
    inputs: ClassVar[dict[str, Port]] = {
        "input": port("spikes", "value", "potential", many=True, doc="presynaptic activity"),
        "delays": port("delays", optional=True, doc="transmission delays"),
        "rule": port("rule", optional=True, doc="plasticity rule"),
    }
    outputs: ClassVar[dict[str, Port]] = {"output": port("current", doc="postsynaptic current")}
    lag = Param(0, low=0, high=1, unit="steps", doc="steps a spike needs for this hop, besides its delays")

    @classmethod
    def synapses(cls, p: Values, shapes: Shapes) -> float:
        """How many weights it has; where they are drawn at random, how many are to be expected."""
        weight = cls.tensors(p, shapes).get("weight")
        return math.prod(weight.shape) if weight else 0


class Delays(Node):
    """Transmission delays attached to a projection: one value per synapse, source, target or projection."""

    role = "delays"
    category = "Delays"
    outputs: ClassVar[dict[str, Port]] = {
        "delays": port("delays", doc="to the `delays` port of a projection")
    }
    granularity = Param(
        "synapse",
        choices=("synapse", "axonal", "dendritic", "projection"),
        doc="one delay per synapse, per source neuron, per target neuron, or one for all",
    )

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        return shapes

    @classmethod
    def learns(cls, p: Values) -> bool:
        """Whether training changes these delays."""
        return False

    @classmethod
    def span(cls, p: Values) -> tuple[float, float]:
        """Smallest and largest delay in ms."""
        raise TypeError(f"{cls.__name__} must say its span")

    @classmethod
    def values(cls, p: Values, dt: float) -> Initialiser:
        """Initialiser of the delays, in steps of ``dt`` ms."""
        raise TypeError(f"{cls.__name__} must say its values")


class Encoder(Node):
    """From a value to spikes or current."""

    role = "encoder"
    category = "Encoders"
    inputs: ClassVar[dict[str, Port]] = {"input": port("value", doc="signal to encode")}
    outputs: ClassVar[dict[str, Port]] = {"output": port("spikes", doc="encoded spikes")}


class OfflineEncoder(Node):
    """An encoder that turns a whole recording into events before the run (and is cached on disk)."""

    role = "offline"
    category = "Encoders"
    inputs: ClassVar[dict[str, Port]] = {"input": port("audio", doc="recording")}
    outputs: ClassVar[dict[str, Port]] = {"output": port("spikes", doc="encoded spikes")}

    @classmethod
    def encode(cls, recording: Any, p: Values, dt: float, seed: int) -> np.ndarray:
        """Frames ``[time, *shape]`` (float32 counts) at ``dt`` ms of a recording (``nodes.samples.Wave``)."""
        raise TypeError(f"{cls.__name__} must say how it encodes")


class Structure(Node):
    """A node that reshapes, normalises or drops what passes, without weights of its own."""

    role = "structure"
    category = "Structure"
    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes", "current", "value", "potential", many=True)}
    outputs: ClassVar[dict[str, Port]] = {"output": port("same")}


class Readout(Node):
    """From activity over time to a decision: its output at step t is the decision after t steps."""

    role = "readout"
    category = "Readouts"
    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes", "potential", "current", "value")}
    outputs: ClassVar[dict[str, Port]] = {"output": port("value", doc="one score per class")}


class Loss(Node):
    """A number to minimise.  ``weight`` scales it in the sum of all losses."""

    role = "loss"
    category = "Losses"
    outputs: ClassVar[dict[str, Port]] = {"loss": port("loss", optional=True)}
    weight = Param(1.0, low=0.0, doc="factor in the sum of losses")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        return {**shapes, "loss": ()}

    @staticmethod
    def loss(ops: Ops, x: Values, p: Values, dt: float) -> Array:
        """Loss of each sample, ``[batch]``.  Signals are ``[time, batch, *shape]``; a label is one-hot:
        ``[batch, classes]``, or ``[time, batch, classes]`` where every step has its own."""
        raise TypeError("this loss has no equation")


class Probe(Node):
    """Records a signal during a run under its own name.

    ``records``: ``signal`` every step, ``rate`` in Hz per bin, or the ``weights`` or ``delays`` of the
    projection it is wired to, at the end of a run or epoch.
    """

    role = "probe"
    category = "Probes"
    records: ClassVar[str] = "signal"
    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes", "current", "value", "potential")}


@dataclass(frozen=True)
class Remote:
    """A file of a data set: where it lies on the web, its size and checksum (``sha256:`` or ``md5:``)."""

    name: str
    url: str
    checksum: str
    bytes: int = 0
    unpack: str = ""  # "gz" or "zip"


@dataclass(frozen=True)
class DataInfo:
    """What `myelin data list` prints of a data set."""

    title: str
    licence: str
    source: str
    files: tuple[Remote, ...] = field(default=())


class DataSet(Node):
    """Samples with labels, read from the field's own files."""

    role = "dataset"
    category = "Data sets"
    outputs: ClassVar[dict[str, Port]] = {
        "data": port("spikes", doc="one sample after the other"),
        "label": port("label", doc="the sample's class"),
    }
    info: ClassVar[DataInfo]

    @classmethod
    def load(cls, p: Values, dt: float, root: Any, split: str) -> Any:
        """``nodes.samples.Samples`` of a split (``train``, ``test``) from the data folder ``root`` (Path)."""
        raise TypeError(f"{cls.__name__} must say how it loads")
