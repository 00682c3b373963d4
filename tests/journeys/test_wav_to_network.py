"""From a folder of recordings to a trained network that opens again: cochlea, delays, training, records."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.special import softmax
from scipy.stats import binomtest

from engine.document import Document, save
from tests.compile.drawing import counted
from tests.journeys.terminal import answer, myelin, probes

DIGITS, SPEAKERS, TAKES = (1, 3, 6, 9), ("nicolas", "theo", "yweweler"), 5
Result = dict[str, Any]


def classifier(file: Path, recordings: Path, classes: int, **cochlea: int) -> Path:
    """A document that learns the sub-folders of ``recordings``; the same first weights every time."""
    document = Document.new("recordings", dt_ms=10.0, seed=1, mint=counted())
    data = document.add("dataset.audio_folder", path=str(recordings), classes=classes, test_fraction=0.4)
    ear = document.add("encoder.cochlea", **cochlea)
    first = document.add("projection.dense", name="first")
    delays = document.add("delays.learnable", max_delay=150.0, extend=50.0, sigma_start=3.0)
    norm = document.add("structure.batch_norm")
    hidden = document.add("population.lif", name="hidden", size=[48])
    second = document.add("projection.dense")
    out = document.add("population.leaky_integrator", tau_mem=30.0)
    votes = document.add("readout.softmax_sum")
    loss = document.add("loss.cross_entropy")
    fired, scores = document.add("probe.spikes", name="fired"), document.add("probe.state", name="scores")
    chain = [
        (data, "data", ear, "input"),
        (ear, "output", first, "input"),
        (delays, "delays", first, "delays"),
        (first, "output", norm, "input"),
        (norm, "output", hidden, "input"),
        (hidden, "spikes", second, "input"),
        (second, "output", out, "input"),
        (out, "v", votes, "input"),
        (votes, "output", loss, "prediction"),
        (data, "label", loss, "label"),
        (hidden, "spikes", fired, "input"),
        (out, "v", scores, "input"),
    ]
    for wire in chain:
        document.connect(*wire)
    # a batch holds the whole test split, so that eval and run pad its recordings alike
    recipe = {"epochs": 40, "batch": 24, "lr": 0.01, "delay_lr": 0.2, "test_every": 0}
    document.edit("recipe", [{"op": "set", "path": ["recipes", "train"], "value": recipe}])
    save(document, file)
    return file


def train_and_reopen(file: Path, **variables: str) -> Result:
    """Train; the saved weights reopen in other processes with the same result, to the bit.

    ``variables``: the environment in which they are judged.
    """
    folder = file.with_suffix("")
    result: Result = answer("train", file, "--out", folder)["result"]
    again = answer("eval", file, "--weights", folder, **variables)
    assert {key: again[key] for key in result} == result
    with_weights = ("--weights", folder / "checkpoint.safetensors", "--out", file.parent / "run")
    myelin("run", file, *with_weights, "--recipe", f"samples={result['samples']}")
    kept = probes(file.parent / "run")
    assert 0 < kept["fired"].mean() < 0.9
    # the readout: the class whose share of the softmax, summed over time, is largest
    chosen = softmax(kept["scores"], axis=-1).sum(0).argmax(-1)
    answers = np.bincount(chosen, minlength=len(result["classes"]))
    assert answers.tolist() == np.sum(result["confusion"], 0).tolist()
    return result


def above_chance(result: Result) -> bool:
    """Whether guessing would be as accurate in less than one of a thousand cases."""
    right = round(result["accuracy"] * result["samples"])
    guess = binomtest(right, result["samples"], result["chance"], alternative="greater")
    return bool(guess.pvalue < 1e-3)


def spoken(folder: Path, fsdd: Path) -> Path:
    """Real recordings of four digits as files ``<digit>/<speaker>_<take>.wav``."""
    samples, rate = soundfile.read(fsdd / "fsdd.flac", dtype="int16")
    with (fsdd / "fsdd.csv").open(newline="") as table:
        for clip in csv.DictReader(table):
            if int(clip["label"]) in DIGITS and clip["speaker"] in SPEAKERS and int(clip["take"]) < TAKES:
                file = folder / clip["label"] / f"{clip['speaker']}_{clip['take']}.wav"
                file.parent.mkdir(parents=True, exist_ok=True)
                start = int(clip["start"])
                soundfile.write(file, samples[start : start + int(clip["length"])], rate, subtype="PCM_16")
    return folder


def tones(folder: Path, each: int = 16) -> Path:
    """Noisy tones of two pitches as files ``low/<n>.wav`` and ``high/<n>.wav``."""
    rng, rate = np.random.default_rng(3), 16_000
    time = np.arange(int(0.12 * rate)) / rate
    for label, pitch in (("low", 500.0), ("high", 2000.0)):
        (folder / label).mkdir(parents=True)
        for number in range(each):
            frequency, phase = pitch * rng.uniform(0.9, 1.1), rng.uniform(0, 2 * np.pi)
            sound = 0.3 * np.sin(2 * np.pi * frequency * time + phase) + 0.02 * rng.standard_normal(time.size)
            soundfile.write(folder / label / f"{number}.wav", sound, rate, subtype="PCM_16")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_tones_are_told_apart_by_pitch(tmp_path: Path) -> None:
    """They are judged with an empty cache: the cochlea hears every recording anew, and the same."""
    file = classifier(tmp_path / "tones.myelin", tones(tmp_path / "sounds"), 2, channels=140, group=2)
    (tmp_path / "cold").mkdir()
    result = train_and_reopen(file, XDG_CACHE_HOME=str(tmp_path / "cold"))
    assert result["classes"] == ["high", "low"]
    assert (result["samples"], result["accuracy"]) == (12, 1.0)
    again = ("--weights", tmp_path / "tones", "--recipe", "samples=12", "--out", tmp_path / "again")
    myelin("run", file, *again)
    first, second = (tmp_path / name / "probes.npz" for name in ("run", "again"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_spoken_digits_are_learned_from_wav_files(tmp_path: Path, shared_data: Path) -> None:
    recordings = spoken(tmp_path / "sounds", shared_data / "fsdd")
    assert len(list(recordings.rglob("*.wav"))) == len(DIGITS) * len(SPEAKERS) * TAKES
    result = train_and_reopen(classifier(tmp_path / "digits.myelin", recordings, 4))
    assert result["classes"] == [str(digit) for digit in DIGITS]
    assert above_chance(result), result
