"""Chips as data, what breaks their limits, and that every fix mends what it is offered for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import arrays
from engine.compile import Diagnostic, compile_document
from engine.document import Document
from engine.export import chips as known
from engine.export.chips import FOLDER, LIMITS, Chip, ChipError, Part, chip, chips, read
from engine.export.freeze import freeze
from engine.export.limits import lint
from engine.export.simulate import simulate
from engine.program import Source
from nodes import registry
from tests.backend.graphs import random_document
from tests.compile.drawing import group, new_document, program_of, project, set_groups, set_param

NOT_LINTED = {"weight_bits", "state_bits", "hop_steps", "neurons_per_core"}
"""Limits that break nothing: the export converts to them, or the budget counts with them."""


def chip_of(tmp_path: Path, text: str) -> Chip:
    file = tmp_path / "mine.toml"
    file.write_text('title = "Mine"\nmaker = "me"\nabout = "made up"\n' + text, encoding="utf-8")
    return read(file)


def limited(tmp_path: Path, name: str, value: str) -> Chip:
    return chip_of(tmp_path, f'[limits]\n{name} = {{ {value}, source = "page 7" }}\n')


def found(document: Document, target: Chip) -> list[Diagnostic]:
    return lint(program_of(document), target, document)


def broken(document: Document, target: Chip) -> list[Diagnostic]:
    return [d for d in found(document, target) if d.severity == "limit"]


def key(d: Diagnostic) -> tuple[str, tuple[str, ...], str]:
    return d.code, d.nodes, d.at


def mended(document: Document, target: Chip, problem: Diagnostic) -> list[Document]:
    """The document after each of the fixes that a problem offers; none leaves the problem or an error."""
    made = []
    for fix in (problem.fix, *problem.alternatives):
        if fix is not None:
            copy = document.copy()
            copy.edit(fix.label, fix.ops)
            assert not compile_document(copy).errors, (fix.label, compile_document(copy).errors)
            left = [d for d in found(copy, target) if key(d) == key(problem)]
            assert not left, (problem.message, fix.label, left[0].message)
            made.append(copy)
    return made


# ------------------------------------------------------------------ the files


def test_the_chips_of_the_issue_are_there() -> None:
    wanted = {"loihi2", "spinnaker1", "spinnaker2", "xylo_audio2", "xylo_audio3", "xylo_imu", "speck2f"}
    assert wanted | {"dynapse2", "akida", "brainscales2", "fpga", "cortex_m4"} == set(chips())
    assert set(chips()) == {path.stem for path in FOLDER.glob("*.toml")}


@pytest.mark.parametrize("one", chips().values(), ids=list(chips()))
def test_every_number_has_a_source_and_every_name_exists(one: Chip) -> None:
    costs = one.energy.costs.values() if one.energy else ()
    for entry in (*one.limits.values(), *one.neurons, *one.projections, *costs):
        assert len(entry.source.split()) >= 2 or "/" in entry.source, entry
    for part in (*one.neurons, *one.projections):
        _check_part(part)


def _check_part(part: Part) -> None:
    for type in part.types:
        assert registry.get(type) is not None, type
    params = {name: p for type in part.types for name, p in registry.all()[type].params.items()}
    for name, values in part.only.items():
        assert name in params, name
        assert any(params[name].problem(value) is None for value in values), (name, values)
    assert part.most.keys() <= params.keys()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[limits]\nneurons = { max = 4 }", r"mine.toml: limits.neurons needs source, a text"),
        ('[limits]\nneurons = { source = "x" }', "limits.neurons has neither min, max nor choices"),
        ('[limits]\nneuron = { max = 4, source = "x" }', "unknown entry 'neuron' .did you mean neurons"),
        ('[limits]\nneurons = { max = "4", source = "x" }', "limits.neurons.max must be a number"),
        ("[limits]\nneurons = 4", "limits.neurons must be a table, not 4"),
        ('[[neuron]]\ntypes = "a"\nsource = "x"', "neuron.types must be a list"),
        ('[[neuron]]\ntypes = []\nwhere = "top"\nsource = "x"', "neuron.where must be hidden or output"),
        ('[energy]\nsynapse_pj = { value = 1, source = "x" }', "energy needs model, a text"),
        ('[energy]\nmodel = "m"\nsynapse = { value = 1, source = "x" }', "unknown entry 'synapse'"),
        ("limits = [", "mine.toml is no TOML"),
        ("titel = 3", "the file has an unknown entry 'titel' .did you mean title"),
    ],
)
def test_a_malformed_file_is_told_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ChipError, match=sentence):
        chip_of(tmp_path, text)


def test_a_missing_file_and_an_unknown_chip(tmp_path: Path) -> None:
    with pytest.raises(ChipError, match="cannot be read"):
        read(tmp_path / "none.toml")
    with pytest.raises(ChipError, match=r"no chip 'lohi2' .did you mean loihi2"):
        chip("lohi2")
    assert chip("Loihi 2") is chip("loihi2")


def test_the_chip_of_the_contributors_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "resources" / "help" / "contributing.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "tiny.toml").write_text(text, encoding="utf-8")
    tiny = read(tmp_path / "tiny.toml")
    _check_part(tiny.neurons[0])
    assert [d.code for d in broken(net(size=90), tiny)] == ["MYL213"]


@pytest.fixture
def discovery() -> Iterator[None]:
    known._discover.cache_clear()
    yield
    known._discover.cache_clear()


@pytest.mark.usefixtures("discovery")
def test_chips_of_other_packages_and_one_that_is_malformed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("good", 'title = "Good"\nmaker = "m"\nabout = "a"\n'), ("bad", "titel = 3\n")):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")

    class Entry:
        def __init__(self, name: str) -> None:
            self.name = name

        def load(self) -> Path:
            if self.name == "torn":
                raise RuntimeError("torn apart")
            return tmp_path / f"{self.name}.toml"

    entries = [Entry("good"), Entry("bad"), Entry("torn")]
    monkeypatch.setattr(known, "entry_points", lambda group: entries if group == "myelin.chips" else [])
    assert chip("good").title == "Good"
    assert "loihi2" in chips()
    assert len(known.problems()) == 2
    assert "bad.toml: the file has an unknown entry 'titel'" in known.problems()[0]
    assert "the chip torn cannot be loaded (torn apart)" in known.problems()[1]
    with pytest.raises(ChipError, match=r"bad\.toml"):
        chip("bad")


def test_a_number_is_verified_unless_its_source_says_otherwise() -> None:
    assert chip("loihi2").limits["delay_steps"].verified
    assert not chip("loihi2").limits["neurons"].verified


# ------------------------------------------------------------------ one limit after the other


def net(size: int = 6, **lif: Any) -> Document:
    """A source of 4, a hidden population, a readout population of 3."""
    d = new_document()
    source = d.add("population.poisson", name="source", size=[4])
    hidden = d.add("population.lif", name="hidden", size=[size], **lif)
    out = d.add("population.lif", name="out", size=[3])
    project(d, source, hidden, name="in")
    project(d, hidden, out, name="up")
    return d


def with_delays(type: str = "delays.fixed", name: str = "in", **given: Any) -> Document:
    d = net()
    d.connect(d.add(type, name="late", **given), "delays", d.find(name), "delays")
    return d


def looped() -> Document:
    d = net()
    project(d, d.find("hidden"), d.find("hidden"), name="back", lag=1)
    return d


def convolved() -> Document:
    d = new_document()
    source = d.add("population.poisson", size=[2, 5, 5])
    conv, cells = d.add("projection.conv2d", name="conv", window=5), d.add("population.if", name="cells")
    d.connect(source, "spikes", conv, "input")
    d.connect(conv, "output", cells, "input")
    return d


def two_targets() -> Document:
    d = net()
    project(d, d.find("hidden"), d.add("population.lif", name="other", size=[2]), name="aside")
    return d


def driven() -> Document:
    d = net()
    d.connect(
        d.add("readout.spike_count", name="count"), "output", d.add("encoder.direct", name="dc"), "input"
    )
    d.connect(d.find("out"), "spikes", d.find("count"), "input")
    d.connect(d.find("dc"), "output", d.add("population.lif", name="told", size=[3]), "input")
    return d


CASES: dict[str, tuple[Callable[[], Document], str, str, str]] = {
    "neurons": (net, "max = 5", "MYL213", "the network needs 9 neurons; Mine has 5"),
    "hidden": (net, "max = 5", "MYL213", "needs 6 hidden neurons; Mine has 5"),
    "outputs": (net, "max = 2", "MYL213", "needs 3 readout neurons; Mine has 2"),
    "inputs": (net, "max = 3", "MYL213", "needs 4 input channels; Mine has 3"),
    "input_neurons": (net, "max = 5", "MYL213", "needs 6 neurons behind the input"),
    "output_sources": (net, "max = 5", "MYL213", "needs 6 neurons before the readout"),
    "layers": (net, "max = 1", "MYL213", "needs 2 populations; Mine has 1"),
    "population": (net, "max = 4", "MYL213", "'hidden' has 6 neurons; Mine takes 4"),
    "channels": (net, "max = 4", "MYL213", "'hidden' has 6 channels; Mine takes 4"),
    "synapses": (net, "max = 40", "MYL213", "needs 42 synapses; Mine has 40"),
    "weight_bytes": (net, "max = 160", "MYL213", "needs 168 bytes of weights; Mine has 160"),
    "memory_bytes": (net, "max = 30", "MYL213", "needs 36 bytes of state and delay buffers"),
    "shared_bytes": (net, "max = 200", "MYL213", "needs 204 bytes in all"),
    "fan_in": (net, "max = 5", "MYL214", "a neuron of 'out' hears 6 synapses; Mine allows 5"),
    "fan_out": (net, "max = 2", "MYL214", "a neuron of 'hidden' reaches 3 synapses; Mine allows 2"),
    "projection_weights": (net, "max = 20", "MYL215", "'in' has 24 weights; Mine takes 20"),
    "destinations": (two_targets, "max = 1", "MYL216", "'hidden' projects to 2 populations; Mine allows 1"),
    "loops": (looped, "max = 0", "MYL216", "'hidden' is part of a loop; Mine is feed-forward only"),
    "delay_steps": (
        lambda: with_delays(delay=9.0),
        "max = 4",
        "MYL212",
        "'in' delays by up to 9 steps of 1 ms; Mine holds 4 steps",
    ),
    "dt_ms": (net, "min = 2", "MYL217", "the time step is 1 ms; Mine allows at least 2 ms"),
    "refractory_steps": (
        lambda: net(refractory=5.0),
        "max = 3",
        "MYL217",
        "'hidden' is refractory for 5 steps; Mine allows 3",
    ),
    "input_kinds": (
        driven,
        'choices = ["spikes"]',
        "MYL218",
        "'dc' gives the chip a current; Mine takes spikes",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_breaking_a_limit_is_told_with_its_number_and_source(tmp_path: Path, name: str) -> None:
    draw, value, code, sentence = CASES[name]
    document, target = draw(), limited(tmp_path, name, value)
    problems = [d for d in broken(document, target) if sentence in d.message]
    assert problems, [d.message for d in found(document, target)]
    (problem,) = problems
    assert (problem.code, problem.severity) == (code, "limit")
    assert "source: page 7" in problem.hint
    assert set(problem.nodes) <= set(document.nodes)
    mended(document, target, problem)


def test_every_limit_has_a_case_or_breaks_nothing() -> None:
    elsewhere = {"cores", "granularities"}  # they need another limit beside them: tests below
    assert set(CASES) | NOT_LINTED | elsewhere == set(LIMITS)


@pytest.mark.parametrize("name", CASES)
def test_a_network_within_the_limit_is_not_blamed(tmp_path: Path, name: str) -> None:
    value = 'choices = ["spikes", "current"]' if name == "input_kinds" else "max = 100000"
    assert broken(CASES[name][0](), limited(tmp_path, name, value)) == []


def test_cores(tmp_path: Path) -> None:
    text = '[limits]\ncores = { max = 2, source = "a b" }\nneurons_per_core = { max = 4, source = "a b" }'
    (problem,) = broken(net(), chip_of(tmp_path, text))
    assert "needs 3 cores; Mine has 2" in problem.message


def test_a_projection_that_is_not_there(tmp_path: Path) -> None:
    target = chip_of(tmp_path, '[[projection]]\ntypes = ["projection.dense"]\nsource = "a b"')
    (problem,) = broken(convolved(), target)
    assert (problem.code, problem.message) == ("MYL215", "Mine has no Conv 2D ('conv')")
    assert "it has Dense" in problem.hint


def test_a_window_too_wide_and_a_bias(tmp_path: Path) -> None:
    text = '[[projection]]\ntypes = ["projection.conv2d"]\nmost = { window = 3 }\nonly = { bias = [false] }\n'
    d = convolved()
    set_param(d, d.find("conv"), "bias", True)
    target = chip_of(tmp_path, text + 'source = "a b"')
    problems = {p.at: p for p in broken(d, target)}
    assert problems["window"].message == "'conv': window is 5; Mine has at most 3"
    assert problems["window"].fix is None
    assert mended(d, target, problems["bias"])


def test_a_readout_that_projects(tmp_path: Path) -> None:
    text = '[limits]\noutputs = { max = 90, source = "a b" }\nhidden = { max = 90, source = "a b" }'
    d = net()
    d.connect(d.find("hidden"), "spikes", d.add("readout.spike_count"), "input")
    (problem,) = broken(d, chip_of(tmp_path, text))
    assert problem.code == "MYL216"
    assert problem.message.startswith("'hidden' is read out and projects on")


# ------------------------------------------------------------------ neurons


MODEL = (
    '[[neuron]]\ntypes = ["population.lif"]\nonly = { reset = ["zero"], max_spikes = [1] }\nsource = "a b"'
)


def test_conventions_are_set_by_a_click(tmp_path: Path) -> None:
    target, d = chip_of(tmp_path, MODEL), net(reset="subtract", max_spikes=4)
    (problem,) = broken(d, target)
    assert (
        problem.message == "'hidden': reset is subtract, max_spikes is 4; Mine has reset zero, max_spikes 1"
    )
    (after,) = mended(d, target, problem)
    assert after.nodes[after.find("hidden")].params["reset"] == "zero"


def test_no_convention_is_set_that_contradicts_another_parameter(tmp_path: Path) -> None:
    (problem,) = broken(net(reset="none", v_th=-1.0), chip_of(tmp_path, MODEL))
    assert problem.fix is None


def test_a_neuron_is_replaced_by_the_nearest(tmp_path: Path) -> None:
    text = '[[neuron]]\ntypes = ["population.izhikevich", "population.lif"]\nsource = "a b"'
    target, d = chip_of(tmp_path, text), net()
    hidden = d.find("hidden")
    d.edit("alif", [{"op": "set", "path": ["nodes", hidden, "type"], "value": "population.alif"}])
    for name in ("decay_input", "train"):
        d.edit(
            "alif",
            [
                {
                    "op": "set",
                    "path": ["nodes", hidden, "params", name],
                    "value": [] if name == "train" else True,
                }
            ],
        )
    set_param(d, hidden, "tau_mem", 33.0)
    set_param(d, hidden, "train", ["tau_mem", "beta"])
    (problem,) = broken(d, target)
    assert "Mine has no Adaptive LIF" in problem.message
    (after,) = mended(d, target, problem)
    node = after.nodes[hidden]
    assert (node.type, node.params["tau_mem"], node.params["train"]) == ("population.lif", 33.0, ["tau_mem"])
    assert set(node.params) == set(registry.all()["population.lif"].params)


def test_no_replacement_where_an_output_would_be_lost(tmp_path: Path) -> None:
    target = chip_of(tmp_path, '[[neuron]]\ntypes = ["population.lif"]\nsource = "a b"')
    d = new_document()
    source, cells = d.add("population.poisson", size=[2]), d.add("population.cuba", name="cells", size=[2])
    project(d, source, cells)
    d.connect(cells, "i", d.add("probe.state"), "input")
    (problem,) = broken(d, target)
    assert problem.fix is None


def test_a_chip_without_neurons_of_ours(tmp_path: Path) -> None:
    problem = broken(net(), chip_of(tmp_path, '[[neuron]]\ntypes = []\nsource = "a b"'))[0]
    assert "it has no neurons with state" in problem.hint


# ------------------------------------------------------------------ delays


@pytest.mark.parametrize(
    ("type", "given"),
    [
        ("delays.fixed", {"delay": 9.0}),
        ("delays.fixed", {"table": [[1.0, 2.0, 3.0, 30.0]] * 6}),
        ("delays.random", {"low": 6.0, "high": 20.0}),
        ("delays.random", {"low": 1.0, "high": 20.0, "distribution": "normal", "mean": 12.0}),
        ("delays.learnable", {"min_delay": 6.0, "max_delay": 20.0}),
        ("delays.learnable", {"max_delay": 20.0}),
    ],
)
@pytest.mark.parametrize("most", [0, 4])
def test_long_delays_are_clipped(tmp_path: Path, type: str, given: dict[str, Any], most: int) -> None:
    d, target = with_delays(type, **given), limited(tmp_path, "delay_steps", f"max = {most}")
    (problem,) = broken(d, target)
    assert problem.nodes == (d.find("late"), d.find("in"))
    (after,) = mended(d, target, problem)
    delay = program_of(after).ops[after.find("in")].delay
    assert delay is not None
    assert delay.high == most


def test_delays_in_a_file_are_left_to_the_user(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.full((6, 4), 9.0))
    d = with_delays(file=str(tmp_path / "d.npy"))
    (problem,) = broken(d, limited(tmp_path, "delay_steps", "max = 4"))
    assert problem.fix is None
    assert "shorten them" in problem.hint


def test_a_hop_of_the_chip_counts_as_a_step_of_the_delay(tmp_path: Path) -> None:
    text = '[limits]\nhop_steps = { min = 1, source = "a b" }\ndelay_steps = { max = 4, source = "a b" }'
    target = chip_of(tmp_path, text)
    assert broken(with_delays(name="up", delay=5.0), target) == []
    assert broken(with_delays(name="in", delay=5.0), target) != []  # no hop lies before the first population
    (problem,) = broken(with_delays(name="up", delay=6.0), target)
    assert "delays by up to 5 steps" in problem.message


def test_the_step_of_a_hop_is_noted_and_drawn_by_a_click(tmp_path: Path) -> None:
    target = limited(tmp_path, "hop_steps", "min = 1")
    d = net()
    (note,) = found(d, target)
    assert (note.severity, note.nodes) == ("info", (d.find("up"),))
    (after,) = mended(d, target, note)
    assert after.nodes[d.find("up")].params["lag"] == 1


def test_a_lag_where_nothing_delays(tmp_path: Path) -> None:
    target, d = limited(tmp_path, "delay_steps", "max = 0"), net()
    set_param(d, d.find("in"), "lag", 1)
    (problem,) = broken(d, target)
    assert problem.at == "lag"
    assert mended(d, target, problem)


def test_the_delay_that_a_loop_needs_is_not_taken_away(tmp_path: Path) -> None:
    (problem,) = broken(looped(), limited(tmp_path, "delay_steps", "max = 0"))
    assert problem.fix is None


@pytest.mark.parametrize("granularity", ["axonal", "dendritic", "projection"])
def test_listed_delays_become_coarser_means(tmp_path: Path, granularity: str) -> None:
    table = [[1.0, 2.0, 3.0, 4.0]] * 3 + [[3.0, 4.0, 5.0, 6.0]] * 3
    d = with_delays(table=table)
    target = limited(tmp_path, "granularities", f'choices = ["{granularity}"]')
    text = '[limits]\ndelay_steps = { max = 60, source = "a b" }\n'
    target = chip_of(tmp_path, text + f'granularities = {{ choices = ["{granularity}"], source = "a b" }}')
    (problem,) = broken(d, target)
    assert problem.message == f"'in' has delays per synapse; Mine has {granularity}"
    (after,) = mended(d, target, problem)
    params = after.nodes[after.find("late")].params
    expected = {"axonal": [2.0, 3.0, 4.0, 5.0], "dendritic": [2.5] * 3 + [4.5] * 3}.get(granularity, [])
    assert params["table"] == expected
    assert params["delay"] == (3.5 if granularity == "projection" else 1.0)


def test_coarser_delays_than_the_chip_has_are_a_special_case(tmp_path: Path) -> None:
    text = '[limits]\ndelay_steps = { max = 60, source = "a b" }\n'
    target = chip_of(tmp_path, text + 'granularities = { choices = ["axonal"], source = "a b" }')
    assert broken(with_delays(delay=3.0, granularity="projection"), target) == []
    assert broken(with_delays(delay=3.0, granularity="dendritic"), target) != []


# ------------------------------------------------------------------ relays and parts


def outputs(document: Document, spikes: np.ndarray, *names: str) -> list[np.ndarray]:
    """Spikes of populations when the source fires as given."""
    program = program_of(document)
    wanted = [Source(document.find(name), "spikes") for name in names]
    given = {Source(document.find("source"), "spikes"): spikes}
    fired = simulate(freeze(program, arrays.drawn(program)), given, len(spikes), keep=wanted)
    return [fired[source] for source in wanted]


@pytest.fixture
def rain() -> np.ndarray:
    return (np.random.default_rng(3).random((200, 4)) < 0.4).astype(np.float32)


@pytest.mark.parametrize("reset", ["zero", "value"])
def test_a_relay_holds_what_a_long_delay_needs_spike_for_spike(
    tmp_path: Path, rain: np.ndarray, reset: str
) -> None:
    d = with_delays(name="up", delay=9.0)
    for name, gain in (("in", 2.0), ("up", 2.0)):
        set_param(d, d.find(name), "gain", gain)
    for name in ("hidden", "out"):
        set_param(d, d.find(name), "reset", reset)
    text = f'[[neuron]]\ntypes = ["population.lif"]\nonly = {{ reset = ["{reset}"] }}\nsource = "a b"\n'
    target = chip_of(tmp_path, text + '[limits]\ndelay_steps = { max = 5, source = "a b" }')
    (problem,) = broken(d, target)
    assert problem.fix is not None
    assert problem.fix.label == "Insert a relay population before 'up'"
    assert len(problem.alternatives) == 1  # or clip
    relayed, _ = mended(d, target, problem)
    (before,), (after,) = (outputs(one, rain, "out") for one in (d, relayed))
    assert before.sum() > 20
    np.testing.assert_array_equal(before, after)


def test_a_relay_takes_projections_of_a_neuron_that_reaches_too_many(
    tmp_path: Path, rain: np.ndarray
) -> None:
    d = two_targets()
    for name in ("in", "up", "aside"):
        set_param(d, d.find(name), "sign", "excitatory")
    neuron = '[[neuron]]\ntypes = ["population.lif"]\nsource = "a b"\n'
    target = chip_of(tmp_path, neuron + '[limits]\nfan_out = { max = 4, source = "a b" }')
    (problem,) = broken(d, target)
    (after,) = mended(d, target, problem)
    before, then = outputs(d, rain, "out", "other"), outputs(after, rain, "out", "other")
    assert min(one.sum() for one in before) > 20
    for one, other in zip(before, then, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_relay_that_no_neuron_can_play(tmp_path: Path) -> None:
    neuron = '[[neuron]]\ntypes = ["population.cuba", "population.lif"]\nonly = { reset = ["subtract"] }\n'
    target = chip_of(tmp_path, neuron + 'source = "a b"\n[limits]\ndelay_steps = { max = 5, source = "a b" }')
    d = with_delays(name="up", delay=9.0)
    problem = next(p for p in broken(d, target) if p.code == "MYL212")
    assert problem.fix is not None
    assert problem.fix.label.startswith("Clip")
    assert not problem.alternatives


def test_a_population_is_split_with_its_projections(tmp_path: Path) -> None:
    d = net(size=7)
    project(d, d.find("hidden"), d.find("hidden"), name="back", lag=1)
    d.connect(d.find("hidden"), "spikes", d.add("probe.spikes", name="seen"), "input")
    target = limited(tmp_path, "population", "max = 3")
    (problem,) = broken(d, target)
    (after,) = mended(d, target, problem)
    assert broken(after, target) == []
    program = program_of(after)
    sizes = [op.shapes["spikes"] for op in program.of_role("population") if op.name.startswith("hidden")]
    assert sorted(sizes) == [(2,), (2,), (3,)]
    weights = dict.fromkeys(("in", "up", "back"), 0)
    for op in program.of_role("projection"):
        weights[op.name.split("_")[0]] += int(op.spec.synapses(op.p, dict(op.shapes)))  # type: ignore[attr-defined]
    assert weights == {"in": 4 * 7, "up": 7 * 3, "back": 7 * 7}
    assert len(program.records) == 3


def test_split_weights_keep_their_spread(tmp_path: Path) -> None:
    d = net(size=400)
    (problem,) = broken(d, limited(tmp_path, "population", "max = 100"))
    (after,) = mended(d, limited(tmp_path, "population", "max = 100"), problem)

    def spread(document: Document, start: str) -> float:
        program = program_of(document)
        held = arrays.drawn(program)
        drawn = [held[op.id]["weight"] for op in program.ops.values() if op.name.startswith(start)]
        return float(np.concatenate([w.ravel() for w in drawn]).std())

    assert spread(after, "up") == pytest.approx(spread(d, "up"), rel=0.1)
    assert spread(after, "in") == pytest.approx(spread(d, "in"), rel=0.1)


def read_out(d: Document) -> None:
    d.connect(d.find("hidden"), "spikes", d.add("readout.spike_count", name="sum"), "input")


def trained(d: Document) -> None:
    d.edit("w", [{"op": "set", "path": ["meta", "weights"], "value": "w.safetensors"}])


def listed(d: Document) -> None:
    d.connect(d.add("delays.fixed", table=[[1.0] * 6] * 3), "delays", d.find("up"), "delays")


def shared(d: Document) -> None:
    set_param(d, d.find("source"), "size", [6])
    d.connect(d.find("source"), "spikes", d.find("up"), "input")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (read_out, "'sum' needs it whole"),
        (trained, "trained weights"),
        (listed, "are listed"),
        (shared, "hears others too"),
    ],
)
def test_a_population_that_cannot_be_split_says_why(
    tmp_path: Path, spoil: Callable[[Document], object], reason: str
) -> None:
    d = net(size=6)
    spoil(d)
    problem = next(
        p for p in broken(d, limited(tmp_path, "population", "max = 4")) if "'hidden'" in p.message
    )
    assert problem.fix is None
    assert reason in problem.hint


def test_no_surgery_in_a_repeated_group(tmp_path: Path) -> None:
    d = new_document()
    source, cells = (
        d.add("population.poisson", name="source", size=[6]),
        d.add("population.lif", name="cells", size=[6]),
    )
    projection = project(d, source, cells)
    set_groups(d, g=group([projection, cells], (projection, "input"), (cells, "spikes"), 2))
    problems = broken(d, limited(tmp_path, "population", "max = 4"))
    assert [p.fix for p in problems] == [None]  # one node of the document, said once
    assert problems[0].nodes == (cells,)


# ------------------------------------------------------------------ the rest


def test_weights_are_held_to_bits_by_the_recipe(tmp_path: Path) -> None:
    d, target = net(), limited(tmp_path, "weight_bits", "max = 4")
    (note,) = found(d, target)
    assert (note.code, note.severity) == ("MYL219", "info")
    assert [after.recipes["train"] for after in mended(d, target, note)] == [{"quantise_weights": 4}]


def test_without_the_document_there_are_only_fixes_of_parameters(tmp_path: Path) -> None:
    d = with_delays(name="up", delay=9.0)
    neuron = '[[neuron]]\ntypes = ["population.lif"]\nsource = "a b"\n'
    target = chip_of(tmp_path, neuron + '[limits]\ndelay_steps = { max = 5, source = "a b" }')
    (problem,) = [p for p in lint(program_of(d), target) if p.severity == "limit"]
    assert problem.fix is not None
    assert problem.fix.label.startswith("Clip")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(sorted(chips())))
def test_every_fix_mends_what_it_is_offered_for(seed: int, name: str) -> None:
    document = random_document(Random(seed))
    if compile_document(document).errors:
        return
    target = chip(name)
    for problem in found(document, target):
        mended(document, target, problem)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(1, 3), st.integers(1, 6))
def test_every_fix_mends_on_chips_much_smaller(seed: int, delay: int, population: int, fan: int) -> None:
    document = random_document(Random(seed))
    if compile_document(document).errors:
        return
    target = small_chip(delay, population, fan)
    for problem in found(document, target):
        mended(document, target, problem)


def small_chip(delay: int, population: int, fan: int) -> Chip:
    """Small enough for almost everything to be too large."""
    sourced = 'source = "a b"'
    numbers = {"delay_steps": delay, "population": population, "fan_out": fan}
    numbers |= {"destinations": 1, "refractory_steps": 1}
    limits = [f"{name} = {{ max = {number}, {sourced} }}" for name, number in numbers.items()]
    limits += [f"{name} = {{ min = 1, {sourced} }}" for name in ("hop_steps", "dt_ms")]
    limits += [f'granularities = {{ choices = ["axonal"], {sourced} }}']
    neuron = '[[neuron]]\ntypes = ["population.lif", "population.if"]\n'
    neuron += f'only = {{ reset = ["zero"], max_spikes = [1] }}\n{sourced}\n'
    with TemporaryDirectory() as folder:
        return chip_of(Path(folder), neuron + "\n".join(["[limits]", *limits]))
