"""The inner-ear model against closed forms, its own laws, and spikes of a faithful implementation."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodes.encoders import _cochlea_model as model
from nodes.encoders.cochlea import Cochlea
from nodes.samples import Wave
from nodes.spec import Values, defaults

RATE = model.RATE


def tone(frequency: float, seconds: float = 0.2, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


def filtered(wave: np.ndarray, channels: int) -> np.ndarray:
    return np.concatenate(list(model.membrane_velocity(wave, channels)))


@pytest.mark.parametrize("frequency", [150, 400, 1000, 3000, 8000])
def test_a_tone_peaks_at_or_just_before_its_place_and_dies_beyond(frequency: float) -> None:
    response = filtered(model.prepare(tone(frequency), RATE), 141).std(axis=1)
    characteristic = model.characteristic_frequency(model.places(141))
    place = np.abs(np.log(characteristic / frequency)).argmin()
    assert 0 <= place - response.argmax() <= 6  # 0.15 cm: damping holds the wave up before its resonance
    assert response[min(place + 8, 140) :].max() < 0.1 * response.max()


def test_the_antiderivative_is_that_of_the_wave_number() -> None:
    omega = 2 * np.pi * np.array([100.0, 1000.0, 10_000.0])
    u = np.linspace(0.05, 1.0, 20_001)[:, None]
    integrand = 1 / (u * np.sqrt(model._impedance(u, omega)))
    numeric = ((integrand[1:] + integrand[:-1]) / 2 * np.diff(u, axis=0)).sum(axis=0)
    exact = model._antiderivative(u[-1:], omega) - model._antiderivative(u[:1], omega)
    np.testing.assert_allclose(exact[0], numeric, rtol=1e-4)


def test_pressure_solves_the_wave_equation_where_the_wave_is_slow_to_change() -> None:
    omega = 2 * np.pi * np.array([2000.0])
    x = np.linspace(0.2, 0.8, 2001)
    phase = model._phase(x, omega)
    impedance = model._impedance(model._taper(x), omega)
    p = (np.sqrt(phase * np.sqrt(impedance)) * model._hankel(phase))[:, 0]
    g2 = 2 * model.DENSITY / model.HEIGHT * omega[0] ** 2 / impedance[1:-1, 0]
    curvature = np.diff(p, 2) / (x[1] - x[0]) ** 2
    assert np.abs(curvature + g2 * p[1:-1]).max() < 0.02 * np.abs(g2 * p[1:-1]).max()


def test_hankel_function_agrees_with_scipy() -> None:
    from scipy.special import hankel2

    rng = np.random.default_rng(0)
    z = rng.uniform(0.01, 60, 2000) - 1j * rng.uniform(0, 30, 2000)
    np.testing.assert_allclose(model._hankel(z), hankel2(0, z), rtol=1e-6)


def test_a_long_recording_is_filtered_as_if_at_once() -> None:
    wave = model.prepare(np.random.default_rng(1).normal(size=6000), 8000)
    joined = filtered(wave, 35)
    samples = 2 * RATE
    response = model.transfer(samples, model.places(35)[20:])
    spectrum = np.fft.rfft(wave, samples)[: response.shape[1]]
    whole = np.fft.irfft(spectrum * response, samples, axis=1)[:, : len(wave)]
    assert np.abs(joined[20:] - whole).max() < 2e-3 * np.abs(whole).max()


def test_the_hair_cell_rests_at_its_closed_form() -> None:
    chance = model.hair_cell(np.zeros(500))
    np.testing.assert_allclose(chance, model.FIRING * model.resting_cleft() / RATE, rtol=1e-9)
    assert 60 < chance[0] * RATE < 70  # spikes/s: the medium spontaneous-rate fibre of Meddis 1988


def test_the_hair_cell_adapts_to_the_steady_state_of_a_constant_push() -> None:
    push = 200.0
    k = model.G * (push + model.A) / (push + model.A + model.B)
    lost = model.LOSS / (model.LOSS + model.RETURN)
    free = model.REPLENISH / (model.REPLENISH + lost * k)
    cleft = k * free / (model.LOSS + model.RETURN)
    hair_cell = model._kernels()[0]
    chance = hair_cell(np.full(RATE, push))
    np.testing.assert_allclose(chance[-1], model.FIRING * cleft / RATE, rtol=1e-3)
    assert chance.max() > 3 * chance[-1]  # the onset uses up the free store


def test_fibres_fire_at_the_rate_of_a_poisson_process_with_dead_time() -> None:
    rate, seconds = 200.0, 20
    fibres = model._kernels()[1]
    counts = fibres(np.full(seconds * RATE, rate / RATE), np.random.default_rng(2))
    expected = rate / (1 + rate * model.REFRACTORY / RATE) * model.FIBRES * seconds
    assert abs(counts.sum() - expected) < 5 * np.sqrt(expected)
    within = np.convolve(counts, np.ones(model.REFRACTORY), "valid")
    assert within.max() <= model.FIBRES  # no fibre twice within the refractory time


def test_all_fibres_fire_at_once_when_they_must_and_then_rest() -> None:
    counts = model.fibres(np.ones(100), np.random.default_rng(0))
    assert np.flatnonzero(counts).tolist() == [0, model.REFRACTORY, 2 * model.REFRACTORY]
    assert counts[0] == model.FIBRES


def test_the_bushy_cell_needs_coincidence_and_rests_afterwards() -> None:
    arriving = np.zeros(1000, np.int64)
    arriving[100] = 10
    assert len(model.bushy_cell(arriving)) == 0
    arriving[100] = 16  # the peak of one input is WEIGHT tau_syn / 2 = 0.084 per spike
    assert len(model.bushy_cell(arriving)) == 1
    steps = model.bushy_cell(np.full(1000, 5))
    assert np.diff(steps).min() > model.REFRACTORY


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    """A vowel-like sound: a voice of 120 Hz with two formants, 16 kHz."""
    t = np.arange(4800) / 16_000
    return sum(np.sin(2 * np.pi * 120 * k * t) / (1 + abs(k - 5)) for k in range(1, 25)) * np.hanning(len(t))


@pytest.mark.parametrize("factor", [1e-200, 2.0**-20, 1024.0, 1e200])
def test_the_level_of_a_recording_does_not_matter(spoken: np.ndarray, factor: float) -> None:
    quiet = model.prepare(spoken * factor, 16_000)
    np.testing.assert_allclose(quiet, model.prepare(spoken, 16_000), rtol=1e-9, atol=1e-12)
    if np.log2(factor) % 1 == 0:  # exact in floating point, hence equal to the bit
        first = model.cochlea(spoken, 16_000, rng=3, channels=20)
        second = model.cochlea(spoken * factor, 16_000, rng=3, channels=20)
        np.testing.assert_array_equal(first, second)


def test_the_same_seed_gives_the_same_spikes_alone_or_in_a_batch(spoken: np.ndarray) -> None:
    clips = [spoken, spoken[::-1], spoken[:1000]]
    seen: list[tuple[int, int]] = []
    batch = model.cochlea_batch(
        clips,
        16_000,
        [4, 5, 6],
        channels=30,
        workers=3,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    for clip, seed, (times, units) in zip(clips, (4, 5, 6), batch, strict=True):
        alone = model.cochlea(clip, 16_000, rng=seed, channels=30)
        np.testing.assert_array_equal((times, units), alone)
    other = model.cochlea(spoken, 16_000, rng=9, channels=30)
    assert not np.array_equal(other[0], batch[0][0])


def test_channels_rest_a_millisecond_and_spikes_are_in_order(spoken: np.ndarray) -> None:
    times, units = model.cochlea(spoken, 16_000, rng=0, channels=60)
    assert len(times) > 100
    assert (np.diff(times) >= 0).all()
    assert times.max() <= 0.3
    for unit in np.unique(units):
        assert (np.diff(times[units == unit]) >= 1e-3).all()


def test_silence_gives_only_spontaneous_spikes() -> None:
    times, _ = model.cochlea(np.zeros(8000), 8000, rng=1, channels=100)
    assert 40 < len(times) < 130  # 100 channels, one second, about 0.77 spikes/s each


@pytest.mark.parametrize("samples", [1, 2, 7])
def test_a_click_too_short_to_hear_gives_no_spikes(samples: int) -> None:
    times, units = model.cochlea(np.ones(samples), 16_000, rng=0, channels=10)
    assert len(times) == len(units) == 0


@pytest.mark.parametrize(
    ("audio", "rate", "sentence"),
    [
        (np.zeros(0), 8000, "is empty"),
        (np.array([0.0, np.nan]), 8000, "not finite"),
        (np.array([0.0, np.inf]), 8000, "not finite"),
        (np.zeros((8, 2)), 8000, "one channel"),
        (np.ones(8), 0, "sampling rate is 0 Hz"),
        (np.ones(8), float("nan"), "sampling rate is nan"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(audio: np.ndarray, rate: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        model.cochlea(audio, rate, rng=0, channels=10)


def test_seeds_and_channels_are_checked() -> None:
    with pytest.raises(ValueError, match="one seed per clip"):
        model.cochlea_batch([np.ones(9)], 8000, [])
    with pytest.raises(ValueError, match="at least 2 channels"):
        model.cochlea(np.ones(9), 8000, rng=0, channels=1)


def test_the_node_sums_neighbours_and_steps(spoken: np.ndarray) -> None:
    p = Values(defaults(Cochlea) | {"channels": 60, "group": 4, "align": False})
    frames = Cochlea.encode(Wave(spoken.astype(np.float32), 16_000.0), p, 10.0, 7)
    times, _ = model.cochlea(spoken.astype(np.float32), 16_000, rng=7, channels=60)
    assert frames.shape == (30, 15)
    assert frames.sum() == len(times)
    aligned = Cochlea.encode(Wave(spoken.astype(np.float32), 16_000.0), Values(p | {"align": True}), 10.0, 7)
    assert aligned[0].sum() > 0
    assert Cochlea.check(Values(p | {"group": 7})) == [
        ("group", "must divide the number of channels, 60; 7 does not")
    ]


def _recordings(folder: Path, audio: str, table: str, index: list[int]) -> tuple[list[np.ndarray], int]:
    if not (folder / audio).is_file():
        pytest.skip(f"the recordings are not here: no file {folder / audio}")
    with (folder / table).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    clips = []
    for i in index:
        start, length = int(rows[i]["start"]), int(rows[i]["length"])
        clip, rate = soundfile.read(folder / audio, start=start, frames=length)
        clips.append(clip)
    return clips, rate


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "audio", "table"),
    [("tts_digits20", "digits.flac", "digits.csv"), ("fsdd", "fsdd.flac", "fsdd.csv")],
)
def test_spikes_agree_with_those_of_a_faithful_implementation(
    shared_data: Path, name: str, audio: str, table: str
) -> None:
    kept = shared_data / f"{name}_spikes700" / f"{name}_spikes700.npz"
    if not kept.is_file():
        pytest.skip(f"the spikes to compare with are not here: no file {kept}")
    with np.load(kept) as arrays:
        offsets, t_100us, unit = (arrays[key].astype(np.int64) for key in ("offsets", "t_100us", "unit"))
    index = list(range(11, len(offsets) - 1, (len(offsets) - 1) // 10))
    clips, rate = _recordings(shared_data / name, audio, table, index)
    own = model.cochlea_batch([clip[:rate] for clip in clips], rate, [i + 1 for i in index], workers=2)
    theirs = [slice(offsets[i], offsets[i + 1]) for i in index]
    counts = np.array(
        [(len(times), part.stop - part.start) for (times, _), part in zip(own, theirs, strict=True)]
    )
    # all clips together agree to 1 %; single ones scatter by 5 %, ten of them by 1.6 %
    assert abs(counts[:, 0].sum() / counts[:, 1].sum() - 1) < 0.04

    def agree(ours: np.ndarray, reference: np.ndarray, bins: int, top: float) -> float:
        pair = [np.histogram(values, bins, (0, top))[0] for values in (ours, reference)]
        return float(np.corrcoef(*pair)[0, 1])

    channel = agree(
        np.concatenate([u for _, u in own]), np.concatenate([unit[part] for part in theirs]), 70, 700
    )
    ticks = np.concatenate([t_100us[part] for part in theirs])
    time = agree(np.concatenate([t for t, _ in own]), ticks * 1e-4, 100, 1.0)
    assert channel > 0.99
    assert time > 0.99
