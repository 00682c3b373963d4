"""Random documents of every kind of node, tiny, and driven hard enough to fire."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from engine.backend.network import Network
from engine.document import Document
from engine.program import Program, Source
from nodes import registry
from nodes.roles import Projection
from nodes.spec import Shape, Values
from tests.compile.drawing import new_document, program_of

DT = 0.5


def network_of(document: Document) -> Network:
    network = Network(program_of(document))
    network.eval()
    return network


@dataclass(frozen=True)
class Emitter:
    """An output that projections may read; ``rank``: its place in the order of zero-delay wires."""

    node: str
    port: str
    kind: str
    shape: Shape
    rank: int


class Drawer:
    """Draws a document: layers of populations, wires forward at will and backward with a delay."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.document = rng, new_document(dt=DT, seed=rng.randrange(1000))
        self.emitters: list[Emitter] = []
        self.populations: list[tuple[str, Shape, int, str]] = []

    def draw(self) -> Document:
        rng, document = self.rng, self.document
        channels = rng.randint(1, 4)
        spikes = document.add("dataset.spikes_npz", name="spikes", channels=channels, pool=1, classes=2)
        self.emit(spikes, "data", "spikes", (channels,), 0)
        self.values = document.add("dataset.csv", name="values", channels=channels)
        self.emit(self.values, "data", "value", (channels,), 0)
        for rank in range(1, rng.randint(2, 5)):
            self.layer(rank)
        for _ in range(rng.randint(0, 4) if self.populations else 0):
            self.connect(rng.choice(self.emitters[2:]), rng.choice(self.populations))
        return document

    def emit(self, node: str, port: str, kind: str, shape: Shape, rank: int) -> None:
        self.emitters.append(Emitter(node, port, kind, shape, rank))

    def layer(self, rank: int) -> None:
        draw = self.rng.choice(
            [self.population, self.population, self.population, self.encoder, self.readout]
        )
        draw(rank) if self.populations else self.population(rank)

    def population(self, rank: int) -> None:
        rng = self.rng
        specs = {type: spec for type, spec in registry.all().items() if spec.role == "population"}
        fires = rng.random() < 0.95
        type = rng.choice([type for type, spec in specs.items() if ("spikes" in spec.outputs) == fires])
        shape = rng.choice([(rng.randint(1, 4),), (2, rng.randint(3, 5)), (1, 4, 4)])
        node = self.document.add(type, size=list(shape), **population_parameters(rng, type))
        self.populations.append((node, shape, rank, type))
        spec = registry.get(type)
        assert spec is not None
        for port, declared in spec.outputs.items():
            self.emit(node, port, declared.kinds[0], shape, rank)
        if "input" not in spec.inputs:
            self.populations.pop()
            return
        if rng.random() < 0.8:
            drive = self.document.add("encoder.direct", offset=drive_of(rng, type))
            self.document.connect(drive, "output", node, "input")
        self.connect(rng.choice([e for e in self.emitters if e.rank < rank]), self.populations[-1])
        self.windowed(rank)

    def windowed(self, rank: int) -> None:
        """Sometimes a population behind a convolution or pool of the last one."""
        rng = self.rng
        node, shape, _, _ = self.populations[-1]
        fitting = {1: ["pool"], 2: ["conv1d", "pool"], 3: ["conv2d", "pool"]}[len(shape)]
        type = f"projection.{rng.choice(fitting)}"
        given: dict[str, Any] = {"window": rng.randint(1, min(2, *shape[-2:]))}
        if type.startswith("projection.conv"):
            given |= {
                "channels": rng.randint(1, 2),
                "padding": rng.randint(0, 1),
                "stride": rng.randint(1, 2),
                "bias": rng.random() < 0.5,
                "gain": 2.0,
            }
        else:
            given["mode"] = rng.choice(["sum", "mean", "max"])
        if rng.random() < 0.5 or "spikes" not in registry.all()[self.document.nodes[node].type].outputs:
            return
        projection = self.document.add(type, lag=rng.randint(0, 1), **given)
        spec = registry.get(type)
        assert spec is not None
        p = Values({k: spec.params[k].coerce(v) for k, v in self.document.nodes[projection].params.items()})
        result = spec.infer(p, {"input": shape, "output": None})["output"]
        assert result is not None
        self.document.connect(node, "spikes", projection, "input")
        self.delays(projection, 0, 0.5)
        target = self.document.add("population.lif", **population_parameters(rng, "population.lif"))
        self.document.connect(projection, "output", target, "input")
        self.populations.append((target, result, rank, "population.lif"))
        self.emit(target, "spikes", "spikes", result, rank)

    def encoder(self, rank: int) -> None:
        """Values through an encoder into a population of their own."""
        type = self.rng.choice([t for t, spec in registry.all().items() if spec.role == "encoder"])
        given: dict[str, Any] = {"max_rate": 400.0} if type == "encoder.poisson" else {}
        if type == "encoder.population":
            given = {
                "fields": 3,
                "spiking": self.rng.choice(["poisson", "latency"]),
                "t_max": 6.0,
                "max_rate": 400.0,
            }
        if type == "encoder.latency":
            given = {"form": self.rng.choice(["linear", "log"]), "t_max": 6.0, "threshold": 0.05}
        if type == "encoder.threshold":
            given = {"threshold": 0.3}
        node = self.document.add(type, **given)
        self.document.connect(self.values, "data", node, "input")
        channels = self.document.nodes[self.values].params["channels"]
        shape = {"encoder.population": (channels, 3), "encoder.delta": (2 * channels,)}.get(type, (channels,))
        if type == "encoder.direct":
            target = self.document.add("population.cuba", size=[channels])
            self.document.connect(node, "output", target, "input")
            return
        self.emit(node, "output", "spikes", shape, rank)
        self.connect(self.emitters[-1], self.rng.choice(self.populations))

    def readout(self, rank: int) -> None:
        spec = registry.all()[self.rng.choice([t for t, s in registry.all().items() if s.role == "readout"])]
        fitting = [e for e in self.emitters if e.kind in spec.inputs["input"].kinds and len(e.shape) == 1]
        if not fitting:
            return
        source = self.rng.choice(fitting)
        node = self.document.add(spec.type)
        self.document.connect(source.node, source.port, node, "input")
        self.emit(node, "output", "value", source.shape, max(source.rank, rank))

    def connect(self, source: Emitter, target: tuple[str, Shape, int, str]) -> None:
        """A dense or sparse projection with everything that may come along; backward ones get a delay."""
        rng, document = self.rng, self.document
        node, shape, rank, type = target
        least = 1 if source.rank >= rank else 0
        common: dict[str, Any] = {"bias": rng.random() < 0.3, "gain": gain_of(source.kind, type)}
        if rng.random() < 0.5:
            projection = document.add("projection.dense", **common)
        else:
            square = source.shape == shape
            how = rng.choice(
                ["fixed_probability", "fixed_in_degree", "one_to_one" if square else "fixed_probability"]
            )
            projection = document.add(
                "projection.sparse",
                connectivity=how,
                probability=0.6,
                in_degree=1,
                seed=rng.randrange(100),
                **common,
            )
        document.connect(source.node, source.port, projection, "input")
        if not self.delays(projection, least, 0.6):
            document.edit(
                "lag",
                [
                    {
                        "op": "set",
                        "path": ["nodes", projection, "params", "lag"],
                        "value": max(least, rng.randint(0, 1)),
                    }
                ],
            )
        self.through(projection, node)

    def through(self, projection: str, target: str) -> None:
        """To the target, perhaps normalised and with dropout."""
        here = projection
        for type in ("structure.batch_norm", "structure.dropout"):
            if self.rng.random() < 0.25:
                then = self.document.add(type)
                self.document.connect(here, "output", then, "input")
                here = then
        self.document.connect(here, "output", target, "input")

    def delays(self, projection: str, least: int, chance: float) -> bool:
        rng, document = self.rng, self.document
        if rng.random() >= chance:
            return False
        spec = registry.all()[document.nodes[projection].type]
        assert issubclass(spec, Projection)
        least_ms, most_ms = least * DT, (least + rng.randint(0, 4)) * DT
        given: dict[str, Any] = {
            "granularity": rng.choice(spec.delayable),
            "extend": rng.choice([0.0, 1.0, 1.5]),
        }
        kind = rng.choice(["fixed", "random", "learnable"])
        given |= {
            "fixed": {"delay": most_ms},
            "random": {"low": least_ms, "high": most_ms},
            "learnable": {"min_delay": least_ms, "max_delay": most_ms},
        }[kind]
        node = document.add(f"delays.{kind}", **given)
        document.connect(node, "delays", projection, "delays")
        return True


def drive_of(rng: Random, type: str) -> float:
    """A current that makes a neuron of this type fire."""
    return {"population.izhikevich": 10 + 10 * rng.random()}.get(type, 0.2 + 1.8 * rng.random())


def gain_of(kind: str, type: str) -> float:
    """Weights that matter; potentials must not drive Izhikevich neurons into chaos."""
    if type != "population.izhikevich":
        return 1.5
    return 8.0 if kind == "spikes" else 0.05


def population_parameters(rng: Random, type: str) -> dict[str, Any]:
    """Random choices of everything that is a choice, with parameters that fit together."""
    spec = registry.all()[type]
    given: dict[str, Any] = {}
    for name, param in spec.params.items():
        if param.kind == "choice" and name != "surrogate" and rng.random() < 0.5:
            given[name] = rng.choice(param.choices)
        if param.kind == "bool" and rng.random() < 0.3:
            given[name] = not param.default
    if "refractory" in spec.params and rng.random() < 0.4:
        given["refractory"] = 3 * DT
    if given.get("reset") == "subtract":
        given["max_spikes"] = rng.choice([1, 3])
    if "train" in spec.params:
        given["train"] = [name for name in spec.params["train"].choices if rng.random() < 0.3]
    if type == "population.poisson":
        given["rate"] = 600.0
    p = Values({k: q.coerce(given.get(k, q.default)) for k, q in spec.params.items()})
    return {} if spec.check(p) else given


def random_document(rng: Random) -> Document:
    return Drawer(rng).draw()


def everything(program: Program) -> list[Source]:
    """Every signal of every op."""
    return [
        Source(op.id, port)
        for op in program.ops.values()
        if op.role not in ("dataset", "offline", "loss")
        for port in op.spec.outputs
    ]


def scramble(network: Network, seed: int) -> None:
    """Statistics and neuron parameters as training leaves them."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, spec in network.declared.items():
            name = key.partition(":")[2]
            tensor = network.tensor(key)
            if name in ("mean", "beta"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.2)
            elif name in ("var", "gamma") or spec.group == "neurons":
                tensor.mul_(0.9 + 0.3 * torch.rand(tensor.shape, generator=generator))
                tensor.clamp_(spec.low, spec.high) if (spec.low, spec.high) != (None, None) else None
    network.eval()


def random_inputs(program: Program, steps: int, batch: int, seed: int) -> dict[Source, torch.Tensor]:
    """Spikes and values for the data sets of a program."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for op in program.of_role("dataset"):
        shape = (steps, batch, *(op.shapes["data"] or ()))
        drawn = torch.rand(shape, generator=generator)
        found[Source(op.id, "data")] = drawn if op.type == "dataset.csv" else (drawn < 0.4).float()
    return found
