"""Make `spoken_digits.npz`, the embedded data set: synthetic voices -> cochlea -> spike counts.

    python resources/data/spoken_digits/make.py --from DIR   # DIR holds digits.flac and digits.csv
    python resources/data/spoken_digits/make.py --audio DIR  # speak the words into DIR first, then the same

Speaking needs the programs espeak-ng and flite on the PATH and the package py-nanotts.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from nodes.encoders._cochlea_model import cochlea_batch
from nodes.samples import Events, to_frames

HERE = Path(__file__).resolve().parent
RATE = 16_000
STEP_MS, GROUP, CHANNELS = 10.0, 5, 700
LONGEST = RATE  # samples of a clip
FIELDS = (
    "index", "start", "length", "label", "word", "speaker", "trial", "unseen_speaker", "split", "voice",
)  # fmt: skip

ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GERMAN = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
WORDS = ENGLISH + GERMAN

ACCENTS = (
    "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029",
    "en-us-nyc",
)  # fmt: skip
VARIANTS = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "klatt", "klatt2", "klatt4",
    "adam", "Alex", "Alicia", "Andy", "Annie", "antonio", "aunty", "belinda", "benjamin", "david", "linda",
    "Lee", "max", "michel", "quincy", "rob", "steph", "zac",
)  # fmt: skip
OTHERS = ("flite:slt", "flite:rms", "flite:awb", "flite:kal16", "pico:en-GB", "pico:en-US")


def voices() -> list[tuple[str, str]]:
    """(English voice, German voice) of each of the 40 speakers; every fifth is only in the test split."""
    espeak = [
        (f"espeak:{ACCENTS[i % len(ACCENTS)]}+{variant}", f"espeak:de+{variant}")
        for i, variant in enumerate(VARIANTS)
    ]
    return espeak + [(voice, "pico:de-DE") for voice in OTHERS]


@dataclass(frozen=True)
class Manner:
    """How a word is spoken: factors of rate and pitch, dB below full scale, dB of signal to noise."""

    rate: float
    pitch: float
    level: float
    snr: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Manner:
        """A random one, so that no two takes of a word are alike."""
        return cls(rng.uniform(0.85, 1.2), rng.uniform(0.88, 1.12), rng.uniform(3, 15), rng.uniform(45, 60))


def speak(voice: str, word: str, manner: Manner) -> np.ndarray:
    """A word as audio ``[samples]`` at 16 kHz, silence trimmed, at the level of ``manner``."""
    engine, name = voice.split(":", 1)
    wave = {"espeak": _espeak, "flite": _flite, "pico": _pico}[engine](name, word, manner)
    loud = np.flatnonzero(np.abs(wave) > 0.01 * np.abs(wave).max())
    wave = wave[loud[0] : loud[-1] + 1][:LONGEST]
    return np.asarray(wave / np.abs(wave).max() * 10 ** (-manner.level / 20), np.float64)


def _espeak(name: str, word: str, manner: Manner) -> np.ndarray:
    speed, pitch = round(150 * manner.rate), round(50 * manner.pitch)
    return _recorded(["espeak-ng", "-v", name, "-s", str(speed), "-p", str(pitch), "-w", "OUT", word])


def _flite(name: str, word: str, manner: Manner) -> np.ndarray:
    stretch = f"duration_stretch={1 / manner.rate:.3f}"
    pitch = f"f0_shift={manner.pitch:.3f}"
    return _recorded(["flite", "-voice", name, "--setf", stretch, "--setf", pitch, "-t", word, "-o", "OUT"])


def _pico(name: str, word: str, manner: Manner) -> np.ndarray:
    from py_nanotts import NanoTTS

    pcm = NanoTTS().speak(word, voice=name, speed=manner.rate, pitch=manner.pitch)
    return np.frombuffer(pcm, "<i2") / 32768


def _recorded(command: list[str]) -> np.ndarray:
    """What a program writes into the wave file that stands as OUT in its command, at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "word.wav")
        subprocess.run([out if part == "OUT" else part for part in command], check=True, capture_output=True)
        wave, rate = soundfile.read(out)
    common = np.gcd(RATE, rate)
    return np.asarray(scipy.signal.resample_poly(wave, RATE // common, rate // common))


def synthesise(folder: Path, seed: int, speakers: int) -> None:
    """Write `digits.flac` and `digits.csv`: three trials of each word by each voice, two by unseen voices."""
    missing = [program for program in ("espeak-ng", "flite") if shutil.which(program) is None]
    if missing:
        raise SystemExit(
            f"Speaking the words needs {' and '.join(missing)}: install them, or use --from DIR."
        )
    rng = np.random.default_rng(seed)
    waves, rows, start = [], [], 0
    for speaker, pair in enumerate(voices()[:speakers]):
        unseen = speaker % 5 == 4
        for trial in range(2 if unseen else 3):
            for label, word in enumerate(WORDS):
                voice, manner = pair[label // 10], Manner.drawn(rng)
                wave = _noisy(speak(voice, word, manner), manner.snr, rng)
                split = "test" if unseen or trial == 2 else "train"
                fixed = (label, word, speaker, trial, int(unseen), split, voice)
                rows.append((len(rows), start, len(wave), *fixed))
                waves.append(wave)
                start += len(wave)
        print(f"speaker {speaker}: {pair[0]}, {pair[1]}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "digits.flac", np.concatenate(waves), RATE, subtype="PCM_16")
    with (folder / "digits.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([FIELDS, *rows])


def _noisy(wave: np.ndarray, snr: float, rng: np.random.Generator) -> np.ndarray:
    scale = wave.std() * 10 ** (-snr / 20)
    return np.clip(wave + scale * rng.standard_normal(len(wave)), -1, 1)


def read(folder: Path) -> tuple[list[np.ndarray], list[dict[str, str]]]:
    """The clips, 16 kHz, and their rows of the table."""
    audio, rate = soundfile.read(folder / "digits.flac", dtype="float32")
    if rate != RATE:
        raise SystemExit(f"{folder / 'digits.flac'} has {rate} Hz; this script takes {RATE} Hz.")
    with (folder / "digits.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [audio[int(r["start"]) : int(r["start"]) + int(r["length"])] for r in rows], rows


def binned(spikes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Counts ``[ceil(last spike / 10 ms), 140]`` uint8 of 5 channels each, from the first spike on."""
    seconds, unit = spikes
    events = Events(seconds * 1000, unit // GROUP)
    counts = to_frames(events, (CHANNELS // GROUP,), STEP_MS, align=True)
    assert counts.max() < 256, "5 channels fire at most 40 times in 10 ms: they rest 1 ms after a spike"
    return counts.astype(np.uint8)


def columns(rows: list[dict[str, str]], frames: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of the file."""
    speaker = [int(r["speaker"]) for r in rows]
    named = {number: [r["voice"] for r in rows if int(r["speaker"]) == number] for number in set(speaker)}
    return {
        "counts": np.concatenate(frames),
        "steps": np.array([len(frame) for frame in frames], np.uint16),
        "label": np.array([int(r["label"]) for r in rows], np.uint8),
        "speaker": np.array(speaker, np.uint8),
        "trial": np.array([int(r["trial"]) for r in rows], np.uint8),
        "test": np.array([r["split"] == "test" for r in rows], np.uint8),
        "unseen_speaker": np.array([int(r["unseen_speaker"]) for r in rows], np.uint8),
        "words": np.array(WORDS),
        "voices": np.array([" ".join(sorted(set(named[number]))) for number in sorted(named)]),
    }


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An .npz with fixed dates, so that equal contents are equal bytes."""
    temporary = path.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
    os.replace(temporary, path)


def progress(done: int, total: int) -> None:
    """A line every 100 clips."""
    if done % 100 == 0 or done == total:
        print(f"{done} of {total} clips", flush=True)


def main() -> None:
    """Read the command line, encode, save."""
    parser = argparse.ArgumentParser(description=re.split(r"\n\n", __doc__ or "")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--from", dest="folder", type=Path, metavar="DIR", help="take digits.flac, digits.csv"
    )
    source.add_argument("--audio", type=Path, metavar="DIR", help="speak the words into this folder first")
    parser.add_argument("--seed", type=int, default=1, help="of the voices' jitter")
    parser.add_argument("--speakers", type=int, default=40, help="speak only the first of the 40 voices")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=HERE / "spoken_digits.npz")
    options = parser.parse_args()
    if options.audio:
        synthesise(options.audio, options.seed, options.speakers)
    clips, rows = read(options.folder or options.audio)
    seeds = [int(row["index"]) + 1 for row in rows]
    spikes = cochlea_batch(clips, RATE, seeds, workers=options.workers, progress=progress)
    save(options.out, columns(rows, [binned(own) for own in spikes]))
    print(f"{options.out}: {options.out.stat().st_size:,} bytes, {sum(len(t) for t, _ in spikes):,} spikes")


if __name__ == "__main__":
    main()
