"""The C folder runs in gcc and on a Cortex-M, and does bit for bit what it should."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.document import Document
from engine.errors import MyelinError
from engine.export.frozen import Frozen
from engine.export.report import Report
from engine.export.simulate import simulate
from engine.export.target import checked, get, options_of, verdict
from engine.export.targets._c.names import Names, comment
from engine.export.targets._c.tables import literal, table
from engine.export.targets._c.units import spread
from engine.export.verify import Recording, export, verify
from engine.export.whole import is_events
from engine.program import Source
from tests.backend.graphs import Drawer
from tests.compile.drawing import new_document
from tests.export.networks import GALLERY, Network, compiled, network, recorded

C = get("c")
SANITIZED = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
gcc = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("make") is None, reason="needs cc and make"
)
arm = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi, its newlib, and qemu-system-arm",
)


def stimulus(frozen: Frozen, steps: int, seed: int = 0) -> dict[Source, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        source: (
            rng.integers(0, 2, (steps, *shape))
            if is_events(frozen, source)
            else rng.normal(size=(steps, *shape))
        ).astype(np.float32)
        for source, shape in frozen.inputs.items()
    }


def run(found: Network, folder: Path, steps: int = 40, **options: Any) -> Report:
    """Export, replay random inputs, compare."""
    chosen, inputs = options_of(C, options), stimulus(found.frozen, steps)
    export(C, found.program, found.frozen, folder, chosen)
    ours = Recording(inputs, simulate(found.frozen, inputs, steps), steps)
    return verify(C, folder, found.frozen, [ours], chosen)


def neurons(type: str, granularity: str = "synapse", lag: int = 0, **parameters: Any) -> Document:
    """Spikes through delays into neurons that feed themselves, and on into a readout."""
    drawing = new_document(seed=1)
    source = drawing.add("population.poisson", size=[6], rate=300.0)
    into = drawing.add("projection.dense", gain=4.0, bias=True, lag=lag)
    delays = drawing.add("delays.random", granularity=granularity, high=5.0)
    cells = drawing.add(type, size=[5], **parameters)
    back = drawing.add("projection.sparse", probability=0.5, lag=1)
    last = drawing.add("population.lif", size=[3])
    on = drawing.add("projection.dense", gain=3.0)
    drawing.connect(source, "spikes", into, "input")
    drawing.connect(delays, "delays", into, "delays")
    drawing.connect(into, "output", cells, "input")
    drawing.connect(cells, "spikes", back, "input")
    drawing.connect(back, "output", cells, "input")
    drawing.connect(cells, "spikes", on, "input")
    drawing.connect(on, "output", last, "input")
    return drawing


# --- single precision


@gcc
@pytest.mark.parametrize(
    ("name", "double_sums"), [*((name, True) for name in GALLERY), ("spoken-digits", False)]
)
def test_spikes_of_the_gallery_are_the_engines(verified: Any, name: str, double_sums: bool) -> None:
    _, report = verified("c", name, double_sums=double_sums)
    assert report.status == "verified", report.artefact
    assert all(one.equal for one in report.cost if one.spikes)
    assert all(one.theirs > 0 for one in report.artefact if one.spikes)
    assert len(report.conversions) == (0 if double_sums else 1)


@gcc
@pytest.mark.parametrize(
    ("type", "parameters"),
    [
        ("population.lif", {"refractory": 3.0, "reset": "subtract", "max_spikes": 4}),
        (
            "population.lif",
            {"reset_step": "next", "v_leak": 0.2, "decay_input": True, "integration": "euler"},
        ),
        ("population.cuba", {"integration": "exact", "current": "old", "train": ["tau_mem", "v_th"]}),
        ("population.alif", {"train": ["beta"]}),
        ("population.adlif", {"a": 0.2}),
        ("population.izhikevich", {}),
        ("population.if", {"compare": ">"}),
    ],
)
def test_populations_with_their_conventions(tmp_path: Path, type: str, parameters: dict[str, Any]) -> None:
    report = run(compiled(neurons(type, **parameters)), tmp_path / "c")
    assert report.exact, report.artefact
    assert report.artefact[0].theirs > 0


@gcc
@pytest.mark.parametrize("granularity", ["synapse", "axonal", "dendritic", "projection"])
@pytest.mark.parametrize("lag", [0, 1])
def test_delays_of_every_granularity(tmp_path: Path, granularity: str, lag: int) -> None:
    report = run(compiled(neurons("population.lif", granularity, lag)), tmp_path / "c")
    assert report.exact, report.artefact
    assert report.artefact[0].theirs > 0


class Endless(Exception):  # noqa: N818
    """A network that grows without end, which integers refuse."""


def stable(found: Network, folder: Path, number: str) -> Report:
    try:
        return run(found, folder, 20, number=number)
    except MyelinError as refused:
        if "without end" in str(refused):
            raise Endless from refused
        raise


@gcc
@pytest.mark.slow
@pytest.mark.parametrize("number", ["float", "fixed"])
def test_random_networks_without_undefined_behaviour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    monkeypatch.setenv("CFLAGS", SANITIZED)
    ran = 0
    for seed in range(7):
        document = Drawer(Random(seed)).draw()
        found = compiled(document)
        if verdict(checked(C, found.program, options_of(C, {"number": number}))) == "impossible":
            continue
        with suppress(Endless):
            report = stable(found, tmp_path / str(seed), number)
            assert report.status == "verified", (seed, report.artefact)
            ran += 1
    assert ran >= 3


@gcc
def test_the_gallery_without_undefined_behaviour(verified: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", SANITIZED)
    for number in ("float", "fixed"):
        _, report = verified("c", "coincidence", number=number)
        assert report.status == "verified"


def test_pooling_and_softmax(tmp_path: Path) -> None:
    drawing = new_document(seed=2)
    source = drawing.add("population.poisson", size=[2, 5, 4], rate=300.0)
    pool = drawing.add("projection.pool", mode="max")
    delays = drawing.add("delays.random", granularity="axonal", high=3.0)
    cells = drawing.add("population.leaky_integrator")
    votes = drawing.add("readout.softmax_sum")
    drawing.connect(source, "spikes", pool, "input")
    drawing.connect(delays, "delays", pool, "delays")
    drawing.connect(pool, "output", cells, "input")
    drawing.connect(cells, "v", votes, "input")
    report = run(compiled(drawing), tmp_path / "c")
    assert report.exact, report.artefact
    assert len(report.artefact) == 2


# --- integers


@gcc
@pytest.mark.parametrize(
    ("name", "bits"), [*((name, 32) for name in GALLERY), ("coincidence", 16), ("spoken-digits", 16)]
)
def test_integers_of_the_gallery_are_those_of_numpy(verified: Any, name: str, bits: int) -> None:
    _, report = verified("c", name, number="fixed", state_bits=bits)
    assert report.status == "verified", report.artefact
    assert all(one.largest == 0 for one in report.artefact)
    assert all(one.theirs > 0 for one in report.artefact if one.spikes)
    assert any("bits" in conversion.message for conversion in report.conversions)


@gcc
def test_digits_in_16_bit_weights_spike_as_trained(verified: Any) -> None:
    _, report = verified("c", "spoken-digits", number="fixed", weight_bits=16)
    spikes = [one for one in report.cost if one.spikes]
    assert sum(one.differing for one in spikes) <= 10
    assert all(one.ours > 1000 for one in spikes)


@gcc
def test_decisions_are_left_to_the_host_in_integers(verified: Any) -> None:
    path, report = verified("c", "spoken-digits", number="fixed")
    assert any("left to the host" in conversion.message for conversion in report.conversions)
    assert "votes" not in (path / "network.h").read_text()
    found = checked(C, network("spoken-digits").program, options_of(C, {"number": "fixed"}))
    assert "MYL243" in [d.code for d in found]
    assert verdict(found) == "partial"


def test_what_integers_cannot_is_named_and_single_precision_can(tmp_path: Path) -> None:
    drawing = new_document()
    source = drawing.add("population.poisson", size=[4])
    votes = drawing.add("projection.pool", mode="max")
    cells = drawing.add("population.lif")
    drawing.connect(source, "spikes", votes, "input")
    drawing.connect(votes, "output", cells, "input")
    found = compiled(drawing)
    wrong = [d for d in C.check(found.program, options_of(C, {"number": "fixed"})) if d.severity == "error"]
    assert [d.code for d in wrong] == ["MYL241"]
    assert wrong[0].nodes == (votes,)
    assert "single precision" in wrong[0].hint
    assert C.check(found.program, options_of(C)) == []
    with pytest.raises(MyelinError, match="cannot take this network"):
        export(C, found.program, found.frozen, tmp_path / "c", options_of(C, {"number": "fixed"}))
    assert list(tmp_path.iterdir()) == []


# --- the folder


@gcc
def test_the_folder_checks_itself_and_notices_a_change(tmp_path: Path) -> None:
    found = network("coincidence")
    export(C, found.program, found.frozen, tmp_path / "c", options_of(C))
    assert make(tmp_path / "c", "check").stdout.startswith("ok: ")
    source = tmp_path / "c" / "network.c"
    source.write_text(source.read_text().replace("left_ear_a = 0.951", "left_ear_a = 0.051"))
    done = make(tmp_path / "c", "check")
    assert done.returncode != 0
    assert "is wrong" in done.stdout


def make(folder: Path, goal: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "--silent", goal], cwd=folder, capture_output=True, text=True, check=False)


@gcc
def test_a_broken_artefact_differs(tmp_path: Path) -> None:
    found, chosen = network("coincidence"), options_of(C)
    export(C, found.program, found.frozen, tmp_path / "c", chosen)
    source = tmp_path / "c" / "network.c"
    source.write_text(source.read_text().replace("0.699999988f", "0.1f"))
    report = verify(C, tmp_path / "c", found.frozen, recorded("coincidence"), chosen)
    assert report.status == "differs"


@gcc
def test_a_folder_that_does_not_build_is_one_sentence(tmp_path: Path) -> None:
    found, chosen = network("coincidence"), options_of(C)
    export(C, found.program, found.frozen, tmp_path / "c", chosen)
    (tmp_path / "c" / "network.c").write_text("int network_step(;\n")
    with pytest.raises(MyelinError, match=r"make .* failed: network\.c"):
        verify(C, tmp_path / "c", found.frozen, recorded("coincidence"), chosen)


@gcc
def test_inputs_of_spikes_are_whole(tmp_path: Path) -> None:
    found, chosen = network("spoken-digits"), options_of(C)
    export(C, found.program, found.frozen, tmp_path / "c", chosen)
    half = {source: np.full((3, *shape), 0.5, np.float32) for source, shape in found.frozen.inputs.items()}
    with pytest.raises(MyelinError, match="0 to 255"):
        C.execute(tmp_path / "c", found.frozen, half, 3, chosen)


def test_figures_say_memory_and_work(verified: Any) -> None:
    _, report = verified("c", "coincidence")
    assert report.figures["additions per step at most"] == 19
    assert report.figures["bytes of buffers"] > 100
    if shutil.which("arm-none-eabi-gcc"):
        assert 200 < report.figures["bytes of flash on a Cortex-M4"] < 4000


def test_the_same_network_is_written_the_same(tmp_path: Path) -> None:
    found = network("coincidence")
    for name in ("a", "b"):
        export(C, found.program, found.frozen, tmp_path / name, options_of(C))
    for file in (tmp_path / "a").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()


@arm
@pytest.mark.parametrize(
    ("processor", "options"),
    [
        ("cortex-m3", {}),
        ("cortex-m3", {"number": "fixed"}),
        ("cortex-m4", {}),
        ("cortex-m4", {"number": "fixed"}),
    ],
)
def test_a_cortex_m_does_the_same(verified: Any, processor: str, options: dict[str, Any]) -> None:
    _, report = verified("c", "coincidence", processor=processor, **options)
    assert report.status == "verified", report.artefact
    assert report.artefact[0].theirs > 0


@arm
@pytest.mark.slow
@pytest.mark.parametrize("number", ["float", "fixed"])
def test_trained_digits_on_a_cortex_m4(verified: Any, number: str) -> None:
    path, report = verified("c", "spoken-digits", processor="cortex-m4", number=number)
    assert report.status == "verified", report.artefact
    assert make(path, "check-arm").stdout.startswith("ok: ")


# --- texts


def test_names_are_words_of_c_and_each_once() -> None:
    names = Names()
    found = [names.of(wish) for wish in ("E → I", "e i", "for", "2nd", "", "Äther")]
    assert found == ["e_i", "e_i_2", "for_2", "node_2nd", "node", "ather"]
    assert "*/" not in comment("a */ b")


@pytest.mark.parametrize("value", [0.0, -0.1, 1.5, 3e-39, -3e38, 1e10, 123456.78])
def test_literals_come_back_exactly(value: float) -> None:
    text = literal(np.float32(value), "float")
    assert text.endswith("f")
    assert np.float32(text[:-1]) == np.float32(value)


def test_the_least_integer_is_written_as_c_has_it() -> None:
    assert literal(-(2**31), "int32_t") == "(-2147483647 - 1)"
    assert "{1, -2}" in table("int8_t", "w", np.array([[1, -2], [3, 4]]))


@pytest.mark.parametrize(
    ("shape", "full"),
    [((3, 1), (3, 4)), ((4,), (3, 4)), ((2, 1, 1), (2, 3, 4)), ((1, 4), (2, 3, 4)), ((1,), (5,))],
)
def test_spread_indices_are_those_of_numpy(shape: tuple[int, ...], full: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape)).reshape(shape)
    text = spread(shape, full).replace("/", "//")
    found = [eval(text, {"n": n}) for n in range(int(np.prod(full)))]
    assert found == np.broadcast_to(values, full).ravel().tolist()
