"""What is said about a network that is silent, saturated, runaway or infinite, and that the fixes mend it."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cli import main
from engine.compile import compile_document
from engine.document import Document, load, save
from engine.errors import MyelinError
from engine.run.client import Client, WorkerError
from engine.run.diagnoses import nice, of_rates
from engine.run.worker.feeds import Feed
from engine.run.worker.live import Live
from engine.run.worker.session import Session
from tests.run import nets

PROJECTS = Path(__file__).resolve().parents[2] / "projects"
WINDOW = 25


class Ward:
    """A run in this process with windows of `WINDOW` steps; what is said about it, and what has fired."""

    def __init__(self, document: Document) -> None:
        self.said: list[dict[str, Any]] = []
        self.spikes: dict[str, float] = {}
        self.live = Live(Session(document), Feed(), self._hear)
        self.live.choose([])

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "diagnosis":
            self.said.append(message)

    def run(self, ms: float) -> Ward:
        steps = round(ms / self.live.session.program.dt)
        self.live.go({}, steps)
        while not self.live.paused:
            self.live._size = WINDOW
            self.live.advance()
            for case in self.live.health._cases:
                self.spikes[case.op.name] = self.spikes.get(case.op.name, 0) + case.spikes
        return self

    @property
    def codes(self) -> list[str]:
        return [message["code"] for message in self.said if not message["resolved"]]


def driven(neuron: str, dt: float = 1.0, rate: float = 60.0, neurons: int = 12, **params: Any) -> Document:
    """Poisson n1 -> dense n2 'weights 1' -> n3 'hidden'."""
    weights = {name: params.pop(name) for name in ("gain", "init", "sign") if name in params}
    return nets.chain(
        ("population.poisson", {"name": "noise", "size": [30], "rate": rate}),
        ("projection.dense", {"name": "weights 1", **weights}),
        (neuron, {"name": "hidden", "size": [neurons], **params}),
        dt=dt,
    )


def mended(document: Document, message: dict[str, Any]) -> Document:
    assert message["fix"] is not None, message
    document.edit(message["fix"]["label"], message["fix"]["ops"])
    return document


WEAK = {
    "population.lif": 0.004,
    "population.cuba": 0.0005,
    "population.alif": 0.05,
    "population.adlif": 0.05,
    "population.if": 0.0005,
    "population.izhikevich": 0.05,
}


@pytest.mark.parametrize("dt", [0.5, 1.0, 5.0])
@pytest.mark.parametrize("neuron", WEAK)
def test_a_silent_population_fires_with_the_fix(neuron: str, dt: float) -> None:
    if neuron == "population.izhikevich" and dt > 1:
        pytest.skip("its equations need steps of 1 ms or shorter")
    document = driven(neuron, dt, gain=WEAK[neuron])
    ward = Ward(document).run(1500)
    assert ward.spikes["hidden"] == 0
    assert ward.codes == ["MYL201"]
    (message,) = ward.said
    assert (message["node"], message["severity"]) == ("n3", "warning")
    assert "'hidden' has not fired for" in message["text"]
    assert "raise the gain of 'weights 1' from" in message["hint"]
    after = Ward(mended(document, message)).run(1500)
    assert after.spikes["hidden"] > 0
    assert after.codes == []


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    gain=st.floats(1e-4, 0.02),
    init=st.sampled_from(["kaiming_uniform", "normal", "uniform", "constant"]),
    tau=st.floats(2.0, 60.0),
    rest=st.sampled_from([0.0, -65.0]),
    decay_input=st.booleans(),
    refractory=st.sampled_from([0.0, 3.0]),
    dt=st.sampled_from([0.5, 1.0, 4.0]),
)
def test_whatever_keeps_it_silent_the_fix_lets_it_fire(
    gain: float, init: str, tau: float, rest: float, decay_input: bool, refractory: float, dt: float
) -> None:
    neuron = {"tau_mem": tau, "v_leak": rest, "v_th": rest + 15.0, "refractory": refractory}
    neuron |= {"decay_input": decay_input, "reset": "value", "v_reset": rest}
    document = driven("population.lif", dt, gain=gain, init=init, **neuron)
    ward = Ward(document).run(1000)
    if ward.spikes["hidden"]:
        return
    assert ward.codes == ["MYL201"]
    assert Ward(mended(document, ward.said[0])).run(1000).spikes["hidden"] > 0


def test_the_ratio_tells_the_factor() -> None:
    """A constant current that brings the membrane to 0.4 of the threshold."""
    document = nets.chain(
        ("population.poisson", {"name": "clock", "rate": 1000.0, "size": [1]}),
        ("projection.dense", {"name": "weights 1", "init": "constant", "gain": 0.4}),
        ("population.lif", {"name": "hidden", "size": [3], "decay_input": True}),
    )
    (message,) = Ward(document).run(2000).said
    assert "its input reaches 0.4 of the threshold" in message["text"]
    (op,) = message["fix"]["ops"]
    assert op["path"] == ["nodes", "n2", "params", "gain"]
    assert 1.0 < op["value"] < 2.0, "2.5 times as much would just reach it"
    assert message["hint"] == f"raise the gain of 'weights 1' from 0.4 to {op['value']:g}"


def test_inhibition_alone_is_turned_or_left_to_the_user() -> None:
    document = driven("population.lif", gain=0.5, sign="inhibitory")
    (message,) = Ward(document).run(1500).said
    assert "does not excite" in message["text"]
    assert Ward(mended(document, message)).run(1500).spikes["hidden"] > 0


def test_the_strongest_excitation_is_raised_not_the_inhibition() -> None:
    document = driven("population.lif", gain=0.002, init="constant")
    brake = document.add("projection.dense", name="brake", init="constant", gain=-0.001)
    document.connect("n1", "spikes", brake, "input")
    document.connect(brake, "output", "n3", "input")
    (message,) = Ward(document).run(1500).said
    assert message["fix"]["ops"][0]["path"][1] == "n2"
    assert Ward(mended(document, message)).run(1500).spikes["hidden"] > 0


def test_a_current_without_a_projection_lowers_the_threshold() -> None:
    document = nets.chain(
        ("encoder.direct", {"name": "drive", "offset": 0.01, "size": [3]}),
        ("population.lif", {"name": "hidden", "size": [3]}),
    )
    (message,) = Ward(document).run(1500).said
    assert message["fix"]["ops"][0]["path"][2:] == ["params", "v_th"]
    assert Ward(mended(document, message)).run(1500).spikes["hidden"] > 0


def test_weights_of_zero_are_named() -> None:
    document = driven("population.lif", gain=0.0)
    (message,) = Ward(document).run(1500).said
    assert "from 0 to 1" in message["hint"]
    assert message["fix"]["ops"][0] == {"op": "set", "path": ["nodes", "n2", "params", "gain"], "value": 1.0}


def test_a_silent_source_is_blamed_not_those_behind_it() -> None:
    document = driven("population.lif", rate=0.0)
    second = document.add("projection.dense", name="weights 2")
    last = document.add("population.lif", name="last", size=[4])
    document.connect("n3", "spikes", second, "input")
    document.connect(second, "output", last, "input")
    ward = Ward(document).run(3000)
    (message,) = ward.said
    assert (message["code"], message["node"]) == ("MYL202", "n1")
    assert message["hint"] == "raise its rate from 0 to 10 Hz"
    mended(document, message)
    assert document.nodes["n1"].params["rate"] == 10.0


def test_of_two_silent_layers_the_first_is_named() -> None:
    document = driven("population.lif", gain=0.003)
    second = document.add("projection.dense", name="weights 2")
    last = document.add("population.lif", name="last", size=[4])
    document.connect("n3", "spikes", second, "input")
    document.connect(second, "output", last, "input")
    assert [message["node"] for message in Ward(document).run(3000).said] == ["n3"]


def test_nothing_wired_is_only_an_information() -> None:
    (message,) = Ward(nets.silent()).run(1500).said
    assert (message["code"], message["severity"], message["fix"]) == ("MYL203", "info", None)


@pytest.mark.parametrize(
    ("neuron", "params"),
    [
        ("population.lif", {"gain": 5.0, "init": "constant"}),
        ("population.lif", {"gain": 5.0, "init": "constant", "refractory": 4.0}),
        ("population.if", {"gain": 5.0, "init": "constant"}),
        ("population.cuba", {"gain": 2.0, "init": "uniform"}),
    ],
)
def test_a_saturated_population_fires_less_with_the_fix(neuron: str, params: dict[str, Any]) -> None:
    document = driven(neuron, rate=200.0, **params)
    before = Ward(document).run(2000)
    assert before.codes == ["MYL204"]
    (message,) = before.said
    assert ("refractory" in message["text"]) == ("refractory" in params)
    assert "lower the gain of 'weights 1'" in message["hint"]
    after = Ward(mended(document, message)).run(2000)
    assert after.codes == []
    assert 0 < after.spikes["hidden"] < 0.5 * before.spikes["hidden"]


def test_a_rate_that_keeps_growing_is_a_runaway() -> None:
    """Nothing in the library grows for so long by itself: the noise is turned up as the run goes on."""
    ward = Ward(driven("population.lif", rate=10.0, gain=0.3, init="uniform", neurons=60))
    for rate in (4, 8, 13, 22, 36, 60, 100, 160, 160, 160):
        ward.live.session.network._values.clear()
        ward.live.session.program.ops["n1"].p["rate"] = float(rate)
        ward.run(200)
    assert "MYL205" in ward.codes
    message = next(one for one in ward.said if one["code"] == "MYL205")
    assert "fires ever faster" in message["text"]
    assert "lower the gain" in message["hint"]


@pytest.mark.parametrize("gain", [1.0, 30.0, 1000.0])
def test_an_infinite_potential_ends_the_run_and_the_fix_keeps_it_finite(gain: float) -> None:
    document = nets.exploding()
    document.edit("gain", [{"op": "set", "path": ["nodes", "n2", "params", "gain"], "value": gain}])
    ward = Ward(document)
    with pytest.raises(MyelinError, match="no finite v any more by step") as caught:
        ward.run(10_000)
    (message,) = ward.said
    assert message["code"] == "MYL206"
    assert message["hint"] in str(caught.value)
    Ward(mended(document, message)).run(3000)


def test_what_fires_after_all_takes_its_diagnosis_back() -> None:
    ward = Ward(nets.silent()).run(1000)
    ward.live.stimulate("n1", None, 100.0, 3, None)
    ward.run(100)
    assert [(message["code"], message["resolved"]) for message in ward.said] == [
        ("MYL203", False),
        ("MYL203", True),
    ]


@pytest.mark.parametrize("name", ["coincidence", "ei-network"])
def test_the_gallery_is_healthy(name: str) -> None:
    ward = Ward(load(PROJECTS / name / f"{name}.myelin")).run(3000)
    assert ward.said == []


@pytest.mark.parametrize(
    ("rate", "gain"), list(product([20.0, 100.0], [1.0, 3.0, 10.0])), ids=lambda value: f"{value:g}"
)
def test_no_wolf_is_cried_over_networks_that_fire(rate: float, gain: float) -> None:
    """From a few spikes a second to busy: whoever fires soon enough is left alone."""
    ward = Ward(driven("population.lif", rate=rate, gain=gain)).run(4000)
    assert ward.spikes["hidden"] > 0
    assert ward.said == []


def test_a_rare_source_is_given_time() -> None:
    document = driven("population.lif", rate=0.05, gain=200.0, init="constant")
    assert Ward(document).run(3000).said == []


def test_a_long_delay_is_waited_for() -> None:
    document = driven("population.lif", gain=3.0)
    late = document.add("delays.fixed", name="late", delay=800.0)
    document.connect(late, "delays", "n2", "delays")
    assert Ward(document).run(2500).said == []


def test_a_change_of_parameters_starts_the_watch_anew(worker: Client) -> None:
    document = driven("population.lif", gain=0.003)
    worker.result(worker.load(document))
    request = worker.run(steps=20_000, stream=[])
    first = worker.wait("diagnosis")
    assert first["code"] == "MYL201"
    (op,) = first["fix"]["ops"]
    worker.result(worker.set_param(op["path"][1], op["path"][3], op["value"]))
    done = worker.result(request)
    assert done["step"] == 20_000
    assert not worker._unread.get("diagnosis")


def test_over_the_protocol_an_infinite_run_is_an_error_with_its_diagnosis(worker: Client) -> None:
    worker.result(worker.load(nets.exploding()))
    with pytest.raises(WorkerError) as caught:
        worker.result(worker.run(steps=1000, stream=[]))
    (diagnostic,) = caught.value.message["diagnostics"]
    assert diagnostic["code"] == "MYL206"
    assert worker.wait("diagnosis")["fix"]["ops"][0]["path"][1] == "n2"


def test_rates_of_an_epoch_tell_who_is_silent_or_saturated() -> None:
    document = driven("population.lif")
    second = document.add("projection.dense", name="weights 2")
    last = document.add("population.lif", name="last", size=[4])
    document.connect("n3", "spikes", second, "input")
    document.connect(second, "output", last, "input")
    program = compile_document(document).program
    assert program is not None
    assert of_rates(program, {"n1": 60.0, "n3": 12.0, last: 3.0}) == []
    (silent,) = of_rates(program, {"n1": 60.0, "n3": 0.0, last: 0.0}, epochs=2)
    assert (silent.code, silent.nodes) == ("MYL201", ("n3",))
    assert silent.message == "'hidden' has not fired in 2 epochs of training"
    assert silent.fix is not None
    assert silent.fix.ops[0]["value"] == 3.0
    (hot,) = of_rates(program, {"n1": 60.0, "n3": 990.0, last: 5.0})
    assert (hot.code, hot.nodes) == ("MYL204", ("n3",))


@pytest.mark.parametrize(
    ("value", "up", "expected"),
    [
        (0.1234, True, 0.13),
        (0.1234, False, 0.12),
        (-2.51, True, -2.6),
        (250.0, True, 250.0),
        (9.96, True, 10.0),
    ],
)
def test_nice_numbers(value: float, up: bool, expected: float) -> None:
    assert nice(value, up) == expected


def test_the_command_line_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "weak.myelin"
    save(driven("population.lif", gain=0.01), file)
    assert main(["run", str(file), "--json", "--duration", "1200"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["diagnoses"]
    assert (one["code"], one["node"]) == ("MYL201", "n3")
    assert one["fix"]["ops"][0]["path"] == ["nodes", "n2", "params", "gain"]
    assert main(["run", str(file), "--duration", "1200"]) == 0
    assert f"warning MYL201: {one['text']} ({one['hint']})" in capsys.readouterr().out
