"""Recipes: the settings of training and running that a document carries, declared like node parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodes.spec import Param, Values

SCHEDULES = ("constant", "onecycle", "cosine", "exponential")

TRAIN: dict[str, Param] = {
    "epochs": Param(30, low=1, high=100_000, doc="passes over the training split"),
    "batch": Param(64, low=1, high=100_000, doc="samples per step"),
    "optimiser": Param("adam", choices=("adam", "adamw", "sgd"), doc="optimiser of every parameter group"),
    "lr": Param(1e-3, low=0.0, high=10.0, doc="learning rate of weights"),
    "lr_schedule": Param("constant", choices=SCHEDULES, doc="how the rate of weights changes over epochs"),
    "lr_peak": Param(5e-3, low=0.0, high=10.0, doc="highest rate of weights in a onecycle schedule"),
    "weight_decay": Param(0.0, low=0.0, high=1.0, doc="L2 penalty on weights"),
    "delay_lr": Param(0.1, low=0.0, high=100.0, doc="learning rate of delays, in steps"),
    "delay_schedule": Param("cosine", choices=SCHEDULES, doc="how the rate of delays changes over epochs"),
    "neuron_lr": Param(1e-3, low=0.0, high=10.0, doc="learning rate of neuron parameters"),
    "neuron_schedule": Param("constant", choices=SCHEDULES, doc="how the rate of neuron parameters changes"),
    "clip": Param(0.0, low=0.0, high=1e6, doc="largest norm of the gradient; 0 does not clip"),
    "accumulate": Param(1, low=1, high=1000, doc="batches per optimiser step"),
    "validation": Param(
        0.0, low=0.0, high=0.9, doc="part of the training split held out to choose and to stop"
    ),
    "patience": Param(
        0, low=0, high=100_000, doc="epochs without improvement before stopping; 0 never stops"
    ),
    "test_every": Param(
        1, low=0, high=100_000, doc="epochs between evaluations while training; 0 only at the end"
    ),
    "quantise_weights": Param(
        0, low=0, high=16, unit="bits", doc="bits of weights, in training and running; 0 as they are"
    ),
    "quantise_per": Param(
        "tensor",
        choices=("tensor", "channel"),
        doc="one scale for all weights of a projection, or one a target",
    ),
    "quantise_scale": Param(
        "mse",
        choices=("mse", "max", "power_of_two"),
        doc="scale of weights: least squared error, largest weight, or the best power of two",
    ),
    "quantise_neurons": Param(
        0, low=0, high=16, unit="bits", doc="bits of trained neuron parameters; 0 as they are"
    ),
    "quantise_state": Param(
        0, low=0, high=16, unit="bits", doc="bits of the state neurons keep from step to step; 0 as it is"
    ),
    "quantise_delays": Param(
        0, low=0, high=16, unit="bits", doc="bits of delays, on a grid of whole steps; 0 as they are"
    ),
}

RUN: dict[str, Param] = {
    "duration": Param(
        1000.0, "ms", low=0.0, high=1e9, doc="how long to run when no data set gives the length"
    ),
    "split": Param("test", kind="str", doc="split the samples come from"),
    "samples": Param(1, low=1, high=100_000, doc="how many samples to run, from the first"),
}

SCHEMAS: dict[str, dict[str, Param]] = {"train": TRAIN, "run": RUN}


def recipe(kind: str, recipes: Mapping[str, Mapping[str, Any]]) -> Values:
    """The settings of ``train`` or ``run``: those of the document over the defaults."""
    schema, given = SCHEMAS[kind], recipes.get(kind, {})
    return Values({name: param.coerce(given.get(name, param.default)) for name, param in schema.items()})
