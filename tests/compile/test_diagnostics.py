"""Every declared problem is provoked once; where it comes with a fix, the fix takes it away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.compile import compile_document
from engine.compile.diagnostics import CODES, declare
from engine.compile.pipeline import pipeline
from engine.document import Document
from nodes import registry
from tests.compile.drawing import codes, group, new_document, project, set_groups, set_param

pipeline()  # the passes declare the codes


def sound(dt: float = 1.0) -> tuple[Document, str, str, str]:
    """A document without problems: a source, a projection, a population."""
    d = new_document(dt=dt)
    source, cells = (
        d.add("population.poisson", name="source", size=[2]),
        d.add("population.lif", name="cells", size=[2]),
    )
    return d, source, project(d, source, cells), cells


def unknown_type() -> Document:
    d = new_document()
    d.add("population.lfi", name="typo")
    return d


def no_chain() -> Document:
    d, _, projection, cells = sound()
    block = group([projection, cells], (projection, "input"), (cells, "spikes"), 3)
    set_groups(d, g={**block, "ports": {"in": {}, "out": {}}})
    return d


def too_many() -> Document:
    d, _, projection, cells = sound()
    set_groups(d, g=group([projection, cells], (projection, "input"), (cells, "spikes"), 60_000))
    return d


def set_mode(document: Document, node: str, mode: str) -> None:
    document.edit("mode", [{"op": "set", "path": ["nodes", node, "mode"], "value": mode}])


def no_way_past() -> Document:
    d, _, projection, _ = sound()
    set_mode(d, projection, "bypass")
    return d


def silenced() -> Document:
    d, source, _, _ = sound()
    set_mode(d, source, "mute")
    return d


def no_mode() -> Document:
    d, source, _, _ = sound()
    set_mode(d, source, "off")
    return d


def bad_value() -> Document:
    d, _, _, cells = sound()
    set_param(d, cells, "tau_mem", -1.0)
    return d


def together() -> Document:
    d, _, _, cells = sound()
    set_param(d, cells, "max_spikes", 3)
    return d


def unknown_param() -> Document:
    d, _, _, cells = sound()
    set_param(d, cells, "tau_men", 1.0)
    return d


def set_recipe(document: Document, kind: str, **settings: Any) -> Document:
    document.edit("recipe", [{"op": "set", "path": ["recipes", kind], "value": settings}])
    return document


def no_data_to_split() -> Document:
    return set_recipe(sound()[0], "run", split="train", duration=300.0)


def length_from_data() -> Document:
    d = new_document()
    d.add("dataset.temporal_xor")
    return set_recipe(d, "run", split="train", duration=300.0)


def no_peak() -> Document:
    return set_recipe(sound()[0], "train", lr_peak=0.02, lr_schedule="cosine")


def no_weights_to_scale() -> Document:
    return set_recipe(sound()[0], "train", quantise_per="channel")


def no_delays_to_round() -> Document:
    return set_recipe(sound()[0], "train", quantise_delays=3)


def no_parameters_to_round() -> Document:
    return set_recipe(sound()[0], "train", quantise_neurons=3)


def bad_recipe() -> Document:
    d = sound()[0]
    d.edit("recipe", [{"op": "set", "path": ["recipes", "train"], "value": {"epochs": 0}}])
    return d


def no_port() -> Document:
    d, source, projection, _ = sound()
    d.connect(source, "spike", projection, "input")
    return d


def misfit() -> Document:
    d, source, _, cells = sound()
    d.connect(source, "spikes", cells, "input")
    return d


def unwired() -> Document:
    d = sound()[0]
    d.add("readout.spike_count")
    return d


def crowded() -> Document:
    d, source, _, cells = sound()
    count = d.add("readout.spike_count")
    d.connect(source, "spikes", count, "input")
    d.connect(cells, "spikes", count, "input")
    return d


def granularity() -> Document:
    d = new_document()
    source, cells = d.add("population.poisson", size=[1, 6]), d.add("population.lif")
    conv, late = d.add("projection.conv1d"), d.add("delays.learnable", granularity="synapse")
    d.connect(source, "spikes", conv, "input")
    d.connect(late, "delays", conv, "delays")
    d.connect(conv, "output", cells, "input")
    return d


def loose() -> Document:
    d = sound()[0]
    d.add("delays.fixed")
    return d


def conflict() -> Document:
    d, source, _, _ = sound()
    count, other = d.add("projection.sparse", size=[3]), d.add("population.lif", size=[4])
    d.connect(source, "spikes", count, "input")
    d.connect(count, "output", other, "input")
    return d


def unknown_shape() -> Document:
    d = new_document()
    cells = d.add("population.lif")
    project(d, cells, cells, lag=1)
    return d


def unknown_shape_beside_a_warning() -> Document:
    d = unknown_shape()
    d.add("delays.fixed")
    return d


def refused() -> Document:
    d, source, _, _ = sound()
    conv, cells = d.add("projection.conv2d"), d.add("population.lif")
    d.connect(source, "spikes", conv, "input")
    d.connect(conv, "output", cells, "input")
    return d


def rounded() -> Document:
    d, source, _, cells = sound()
    project(d, source, cells, delay=1.4)
    return d


def rounded_extension() -> Document:
    d, source, _, cells = sound()
    projection = project(d, source, cells)
    d.connect(d.add("delays.fixed", delay=2.0, extend=0.4), "delays", projection, "delays")
    return d


def unstable() -> Document:
    d, _, _, cells = sound(dt=10.0)
    set_param(d, cells, "integration", "euler")
    set_param(d, cells, "tau_mem", 5.0)
    return d


def too_long() -> Document:
    d, source, _, cells = sound()
    project(d, source, cells, delay=90_000.0)
    return d


def listed_delays() -> Document:
    d, source, _, cells = sound()
    projection = project(d, source, cells)
    d.connect(d.add("delays.fixed", table=[[1.0, 2.0, 3.0]]), "delays", projection, "delays")
    return d


def too_fast() -> Document:
    d, source, _, _ = sound()
    set_param(d, source, "rate", 1500.0)
    return d


def too_fast_an_encoder() -> Document:
    d, _, _, cells = sound(dt=5.0)
    signal, poisson = d.add("readout.spike_count"), d.add("encoder.poisson", max_rate=300.0)
    d.connect(cells, "spikes", signal, "input")
    d.connect(signal, "output", poisson, "input")
    d.connect(poisson, "output", d.add("probe.spikes"), "input")
    return d


def too_short() -> Document:
    d, _, _, cells = sound()
    set_param(d, cells, "refractory", 0.4)
    return d


def too_many_synapses() -> Document:
    d = new_document()
    source, cells = d.add("population.poisson", size=[100_000]), d.add("population.lif", size=[100_000])
    project(d, source, cells)
    return d


def too_many_sparse_synapses() -> Document:
    d = new_document()
    source, cells = d.add("population.poisson", size=[10**6]), d.add("population.lif", size=[10**6])
    sparse = d.add("projection.sparse", probability=0.5)
    d.connect(source, "spikes", sparse, "input")
    d.connect(sparse, "output", cells, "input")
    return d


def too_large_an_image() -> Document:
    d = new_document()
    source, cells = d.add("population.poisson", size=[1, 1000, 1000]), d.add("population.lif")
    conv = d.add("projection.conv2d", channels=100_000)
    d.connect(source, "spikes", conv, "input")
    d.connect(conv, "output", cells, "input")
    return d


def in_pieces() -> Document:
    d, _, _, cells = sound()
    norm = d.add("structure.batch_norm")
    project(d, cells, norm, delay=3.0)
    d.connect(norm, "output", cells, "input")
    return d


def no_delay() -> Document:
    d, _, _, cells = sound()
    other = d.add("population.lif", name="other", size=[3])
    project(d, cells, other)
    project(d, other, cells)
    return d


def unused() -> Document:
    d, source, _, _ = sound()
    d.connect(source, "spikes", d.add("projection.dense", size=[2]), "input")
    return d


def nothing_to_probe() -> Document:
    d, _, projection, _ = sound()
    d.connect(projection, "output", d.add("probe.delays"), "input")
    return d


CASES: dict[str, list[Callable[[], Document]]] = {
    "MYL101": [unknown_type], "MYL102": [new_document], "MYL103": [no_chain], "MYL104": [too_many],
    "MYL106": [no_way_past], "MYL107": [silenced], "MYL108": [no_mode],
    "MYL110": [bad_value], "MYL111": [together], "MYL112": [unknown_param], "MYL113": [bad_recipe],
    "MYL114": [
        no_data_to_split, length_from_data, no_peak,
        no_weights_to_scale, no_delays_to_round, no_parameters_to_round,
    ],
    "MYL120": [no_port], "MYL121": [misfit], "MYL122": [unwired], "MYL123": [crowded],
    "MYL130": [granularity], "MYL131": [loose],
    "MYL140": [conflict], "MYL141": [unknown_shape, unknown_shape_beside_a_warning], "MYL142": [refused],
    "MYL150": [rounded, rounded_extension], "MYL151": [unstable], "MYL152": [too_long],
    "MYL153": [listed_delays],
    "MYL154": [too_fast, too_fast_an_encoder], "MYL155": [too_short],
    "MYL156": [too_many_synapses, too_many_sparse_synapses, too_large_an_image],
    "MYL160": [no_delay], "MYL161": [in_pieces],
    "MYL170": [unused], "MYL180": [nothing_to_probe],
}  # fmt: skip
FIXED = {"MYL106", "MYL108", "MYL110", "MYL112", "MYL114", "MYL120", "MYL121", "MYL130", "MYL160"}


def test_every_code_has_a_case() -> None:
    compiling = {code for code in CODES if code < "MYL2"}  # the others are of runs, and here if those are
    assert set(CASES) == compiling - {"MYL105"}  # of packages, not of documents: see the test below


def test_a_package_that_cannot_be_loaded_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = registry.Problem("myelin.nodes nice", "nice-neurons", "RuntimeError: torn")
    monkeypatch.setattr(registry, "problems", lambda: (problem,))
    compiled = compile_document(sound()[0])
    assert codes(compiled) == ["MYL105"]
    assert compiled.program is not None
    assert "RuntimeError: torn" in str(compiled.diagnostics[0])
    assert "nice-neurons" in compiled.diagnostics[0].hint


def test_size_of_what_is_too_large_is_told() -> None:
    (found,) = compile_document(too_many_synapses()).errors
    assert "10,000,000,000 synapses" in found.message
    assert "40.0 GB" in found.message
    assert "sparse" in found.hint


def test_a_hundred_thousand_neurons_joined_sparsely_are_possible() -> None:
    d = too_many_sparse_synapses()
    set_param(d, d.find("sparse"), "probability", 1e-4)
    assert not compile_document(d).errors


def test_a_sound_document_has_no_problem() -> None:
    assert codes(compile_document(sound()[0])) == []


@pytest.mark.parametrize(("code", "draw"), [(code, draw) for code, draws in CASES.items() for draw in draws])
def test_code_is_reported_and_its_fix_removes_it(code: str, draw: Callable[[], Document]) -> None:
    document = draw()
    compiled = compile_document(document)
    found = [d for d in compiled.diagnostics if d.code == code]
    assert found, [str(d) for d in compiled.diagnostics]
    assert found[0].severity == CODES[code].severity
    assert (compiled.program is None) == any(d.severity == "error" for d in compiled.diagnostics)
    assert set(found[0].nodes) <= set(document.nodes)
    assert found[0].message
    assert not found[0].message.endswith(".")
    fix = found[0].fix
    assert (fix is not None) == (code in FIXED)
    if fix is not None:
        document.edit(fix.label, fix.ops)
        assert code not in codes(compile_document(document))


@pytest.mark.parametrize(
    ("recipe", "kind"),
    [
        ({"split": "test", "samples": 1}, "run"),
        ({"duration": 300.0}, "run"),
        ({"lr_peak": 0.02, "lr_schedule": "onecycle"}, "train"),
        ({"quantise_weights": 4, "quantise_per": "channel", "quantise_state": 8}, "train"),
    ],
)
def test_settings_that_count_or_change_nothing_anyway_are_not_blamed(
    recipe: dict[str, Any], kind: str
) -> None:
    assert codes(compile_document(set_recipe(sound()[0], kind, **recipe))) == []


def test_all_mistakes_of_parameters_and_ports_are_told_at_once() -> None:
    d = no_port()
    set_param(d, d.find("cells"), "tau_mem", "long")
    assert {"MYL110", "MYL120"} <= set(codes(compile_document(d)))


def test_no_fix_for_a_wire_between_copies_of_a_group() -> None:
    """Such a wire is in no document, so it can neither be removed nor replaced."""
    d, _, _, cells = sound()
    other = d.add("population.lif", name="other", size=[2])
    project(d, cells, other)
    set_groups(d, g=group([cells], (cells, "input"), (cells, "spikes"), 2))
    found = [x for x in compile_document(d).diagnostics if x.code == "MYL121"]
    assert len(found) == 1
    assert found[0].fix is None


def test_a_code_is_declared_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        declare("MYL101", "error", "again")


def test_a_chain_of_thousands_of_nodes_that_pass_on_what_they_are_given() -> None:
    d = new_document()
    here = d.add("population.poisson", size=[1])
    projection = d.add("projection.dense", size=[1])
    d.connect(here, "spikes", projection, "input")
    here = projection
    for n in range(3000):
        then = d.add("structure.dropout", name=f"d{n}")
        d.connect(here, "output", then, "input")
        here = then
    d.connect(here, "output", d.add("population.lif"), "input")
    assert codes(compile_document(d)) == []
