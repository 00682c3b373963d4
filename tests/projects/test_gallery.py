"""The gallery: every project is whole, opens without a complaint and shows what its README says it shows."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.backend.data import Split
from engine.backend.evaluation import simulate
from engine.backend.network import Network
from engine.backend.training import Options, train
from engine.cli import main
from engine.cli._settings import Settings
from engine.compile import compile_document
from engine.document import dumps, load
from engine.program import Program
from engine.recipe import recipe
from tests.data.make_files import shd

# Lightning imports the plotting packages it finds installed, and theirs of today disagree with one another.
pytestmark = pytest.mark.filterwarnings("ignore:.* was deprecated in Matplotlib:DeprecationWarning")
PROJECTS = Path(__file__).resolve().parents[2] / "projects"
NAMES = sorted(folder.name for folder in PROJECTS.iterdir() if folder.is_dir())
THUMBNAIL, LARGEST = (480, 300), 60_000


def file_of(name: str) -> Path:
    return PROJECTS / name / f"{name}.myelin"


def program_of(name: str, settings: Settings) -> tuple[Program, dict[str, Any]]:
    """A project changed as on the command line: its program and its training recipe."""
    document = load(file_of(name))
    settings.apply(document, "train")
    compiled = compile_document(document)
    assert compiled.program is not None, compiled.diagnostics
    return compiled.program, recipe("train", document.recipes)


def live(name: str, *sets: str, duration: int = 1000) -> dict[str, np.ndarray]:
    """What the probes of a project record in so many steps."""
    program, _ = program_of(name, Settings(set=sets))
    return simulate(Network(program), {}, steps=duration)


def learn(
    name: str, out: Path, settings: Settings, root: Path | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """The epochs of a short training on the first ``limit`` samples."""
    program, chosen = program_of(name, settings)
    splits = {split: Split(program, split, root or out, limit=limit) for split in ("train", "test")}
    events: list[dict[str, Any]] = []
    train(Network(program), chosen, splits, Options(out, seed=program.seed, on_event=events.append))
    return [event for event in events if event["event"] == "epoch"]


def test_the_gallery_has_the_six_projects() -> None:
    assert set(NAMES) >= {"coincidence", "ecg", "ei-network", "shd", "spoken-digits", "temporal-xor"}


@pytest.mark.parametrize("name", NAMES)
def test_a_project_is_whole(name: str) -> None:
    readme = (PROJECTS / name / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# ")
    assert "![" in readme
    assert "(thumbnail.png)" in readme
    assert f"projects/{name}/{name}.myelin" in readme, "it says how to run the project"
    picture = (PROJECTS / name / "thumbnail.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert struct.unpack(">II", picture[16:24]) == THUMBNAIL
    assert len(picture) < LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_a_project_opens_without_a_complaint(name: str) -> None:
    document = load(file_of(name))
    assert dumps(document).encode() == file_of(name).read_bytes(), "saving it unchanged changes nothing"
    compiled = compile_document(document)
    assert compiled.program is not None
    assert [str(one) for one in compiled.diagnostics if one.severity != "info"] == []


@pytest.mark.parametrize("delay", [0, 4, 8])
def test_the_delay_alone_decides_which_detector_fires(delay: int) -> None:
    fired = live("coincidence", f"sound delay.delay={delay}")["map"].sum((0, 1))
    assert np.flatnonzero(fired).tolist() == [(delay + 16) // 4]
    assert fired.max() > 10


def test_between_two_detectors_none_fires() -> None:
    assert live("coincidence", "sound delay.delay=3")["map"].sum() == 0


@pytest.mark.parametrize(("delay", "all_fire"), [(0, True), (4, False), (8, False)])
def test_detectors_without_axons_cannot_tell_directions(delay: int, all_fire: bool) -> None:
    """Either every detector fires or none does, and both directions look the same."""
    no_axons = [f"axon from {side}.table={[0.0] * 9}" for side in ("left", "right")]
    fired = live("coincidence", f"sound delay.delay={delay}", *no_axons)["map"].sum((0, 1))
    assert len(set(fired.tolist())) == 1
    assert bool(fired[0]) == all_fire


def irregularity(spikes: np.ndarray) -> float:
    """Mean coefficient of variation of the intervals of neurons [time, neurons] with at least five."""
    intervals = [np.diff(np.flatnonzero(train)) for train in spikes.T]
    return float(np.mean([one.std() / one.mean() for one in intervals if len(one) >= 5]))


def synchrony(spikes: np.ndarray, bin_: int = 5) -> float:
    """Golomb's chi of binned spikes [time, neurons]: 1 in step, 1/sqrt(N) for N independent ones."""
    counts = spikes[: len(spikes) // bin_ * bin_].reshape(-1, bin_, spikes.shape[1]).sum(1, np.float64)
    return float(np.sqrt(counts.mean(1).var() / counts.var(0).mean()))


def test_excitation_and_inhibition_balance() -> None:
    records = live("ei-network")
    for name in ("E spikes", "I spikes"):
        spikes = records[name][200:, 0]  # ms; the network starts from rest
        assert 5.0 < spikes.mean() * 1000.0 < 40.0
        assert 0.8 < irregularity(spikes) < 1.3
        assert synchrony(spikes) < 0.25
    by_probe = records["E rate"].mean()
    assert by_probe == pytest.approx(records["E spikes"].mean() * 1000.0, rel=1e-5)


def test_the_measures_see_a_clock_and_a_crowd_in_step() -> None:
    rng = np.random.default_rng(0)
    poisson = (rng.random((4000, 50)) < 0.02).astype(np.float32)
    assert irregularity(poisson) == pytest.approx(1.0, abs=0.1)
    assert synchrony(poisson) == pytest.approx(50**-0.5, abs=0.03)
    clock = np.zeros((4000, 50), np.float32)
    clock[::50] = 1
    assert irregularity(clock) == 0
    assert synchrony(clock) == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_temporal_xor_needs_delays(tmp_path: Path) -> None:
    short = ("epochs=10", "test_every=0")
    learned = learn("temporal-xor", tmp_path / "a", Settings(recipe=short, delays="learned"))
    without = learn("temporal-xor", tmp_path / "b", Settings(recipe=short, delays="none"))
    assert learned[-1]["test_accuracy"] > 0.95
    right = round(without[-1]["test_accuracy"] * 256)
    assert binomtest(right, 256, 0.5).pvalue > 1e-3, "without delays the answer is a guess"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_spoken_digits_learn(tmp_path: Path) -> None:
    short = Settings(recipe=("epochs=3", "batch=32", "test_every=0"))
    epochs = learn("spoken-digits", tmp_path, short, limit=160)
    assert epochs[-1]["train_loss"] < epochs[0]["train_loss"] - 0.02


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ecg_learns(tmp_path: Path, shared_data: Path) -> None:
    short = Settings(recipe=("epochs=2", "batch=4", "test_every=0"))
    epochs = learn("ecg", tmp_path, short, root=shared_data, limit=8)
    assert epochs[-1]["train_loss"] < epochs[0]["train_loss"]
    assert np.isfinite(epochs[-1]["test_loss"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_shd_runs_on_files_of_its_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split, samples in (("train", 24), ("test", 20)):
        shd(tmp_path / "shd" / f"shd_{split}.h5", samples)
    monkeypatch.setenv("MYELIN_DATA", str(tmp_path))
    out = tmp_path / "run"
    arguments = ["train", str(file_of("shd")), "--epochs", "1", "--batch", "12", "--out", str(out)]
    assert main(arguments) == 0
    result = json.loads((out / "run.json").read_text(encoding="utf-8"))["result"]
    assert result["samples"] == 20
    assert result["classes"][0] == "word0"
    assert result["chance"] == pytest.approx(0.05)
    assert (out / "checkpoint.safetensors").exists()


def test_shd_without_its_files_says_where_they_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(file_of("shd"))]) == 1
    told = capsys.readouterr().err
    assert "run `myelin data get shd`" in told
    assert told.count("\n") == 1
    assert not file_of("shd").with_suffix(".runs").exists()
