"""check_recipes: settings that change nothing here, such as the split of data where there are no data."""

from __future__ import annotations

from collections.abc import Iterator

from engine.compile.diagnostics import Fix, declare
from engine.compile.graph import Context, Graph, vertices
from engine.recipe import SCHEMAS, recipe

AFTER = ("check_params",)
NO_EFFECT = declare("MYL114", "warning", "a recipe has a setting that changes nothing here")


def run(graph: Graph, context: Context) -> Graph:
    """The graph as it is; a warning for every setting that somebody chose in vain."""
    for kind, name, reason in _idle(graph, context):
        given = context.document.recipes.get(kind, {})
        if given.get(name, SCHEMAS[kind][name].default) == SCHEMAS[kind][name].default:
            continue
        fix = Fix(f"Remove {name}", ({"op": "unset", "path": ["recipes", kind, name]},))
        message = f"recipe {kind}: {name} changes nothing: {reason}"
        context.report(NO_EFFECT((), message, at=name, fix=fix))
    return graph


def _idle(graph: Graph, context: Context) -> Iterator[tuple[str, str, str]]:
    """(recipe, setting, why it does not count) of all settings that this document does not use."""
    if any(v.role == "dataset" for v in vertices(graph)):
        yield "run", "duration", "the data set gives the length"
    else:
        yield from (("run", name, "there is no data set") for name in ("split", "samples"))
    chosen = recipe("train", context.document.recipes)
    if chosen.lr_schedule != "onecycle":
        yield "train", "lr_peak", "only the schedule onecycle has a peak"
    if not chosen.quantise_weights:
        yield from (("train", f"quantise_{n}", "weights are not quantised") for n in ("per", "scale"))
    if not any(v.role == "delays" for v in vertices(graph)):
        yield "train", "quantise_delays", "there are no delays"
    if not any(v.role == "population" and v.p.get("train") for v in vertices(graph)):
        yield "train", "quantise_neurons", "no population has parameters to learn"
