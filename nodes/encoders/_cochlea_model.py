"""The inner-ear model behind the Heidelberg spiking data sets: audio in, spikes of bushy cells out.

Chain (Cramer, Stradmann, Schemmel & Zenke 2020, IEEE TNNLS, doi 10.1109/TNNLS.2020.3044364): RMS level 0.3,
Hann window, basilar membrane (Sieroka, Dosch & Rupp 2006, JASA 120), hair cell (Meddis 1986, 1988, JASA 79,
83), 40 auditory-nerve fibres and one bushy cell per place.  Channel 0 is the base (high frequencies), the
last channel the apex (low frequencies).

Only the sum of the 40 fibres reaches the bushy cell, so one binomial number per step replaces 40 fibres.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
import scipy.special

RATE = 48_000  # Hz; explicit Euler of the hair cell is unstable below about 20 kHz
LEVEL = 0.3  # root mean square of the scaled audio

# Basilar membrane, CGS: stiffness STIFFNESS exp(-SLOPE x), damping DAMPING exp(-SLOPE x / 2), mass MASS.
STIFFNESS = 1e9  # g s^-2 cm^-2
DAMPING = 1e3  # g s^-1 cm^-2
MASS = 0.05  # g cm^-2
SLOPE = 3.0  # 1/cm
LENGTH = 3.5  # cm
HEIGHT = 0.127  # cm, effective, of a scala
DENSITY = 1.0  # g cm^-3, of the fluid
# Damping, effective height and the drive from membrane velocity to the hair cell's input (scaled sound has no
# unit) are calibrated: counts and histograms over channels and time agree with a faithful implementation's.
DRIVE = 2.6e5  # at 1 kHz
DRIVE_TILT = 0.806  # power of frequency

# Hair cell, Meddis 1988, rates in 1/s: permeability k = G (s + A) / (s + A + B).
A, B, G = 5.0, 300.0, 2000.0
REPLENISH, LOSS, RETURN, REPROCESS = 5.05, 2500.0, 6580.0, 66.31  # y, l, r, x
STORE = 1.0  # M
FIRING = 50_000.0  # h: spikes/s of a fibre per unit of transmitter in the cleft

FIBRES = 40
REFRACTORY = RATE // 1000  # steps, of fibres and of the bushy cell
TAU_MEMBRANE, TAU_SYNAPSE = 1e-3, 0.5e-3  # s
# The paper's 13e3, raised by the 3.1 % that bring spontaneous activity to 0.77 spikes/s per channel.
WEIGHT = 1.031 * 13e3 / FIBRES  # threshold 1

_WINDOW = RATE // 2  # samples filtered at once; the response of every place fits half of it
_DECAYED = 30.0  # nepers: a wave this much weaker is left out
_GROUP = 50  # places filtered at a time, to bound memory

Spikes = tuple[np.ndarray, np.ndarray]


def cochlea(audio: np.ndarray, rate: float, *, rng: np.random.Generator | int, channels: int = 700) -> Spikes:
    """Spikes of a mono recording: times in s (float64, ascending) and channels (int64).

    ``audio`` ``[samples]`` at ``rate`` Hz in any unit, since its level is normalised; silence gives
    spontaneous spikes only.  The same seed gives the same spikes.  ValueError, one sentence, for what is no
    recording.
    """
    generator = np.random.default_rng(rng)
    hair_cell, fibres, bushy_cell = _kernels()
    steps: list[np.ndarray] = []
    for velocity in membrane_velocity(prepare(audio, rate), channels):
        for place in velocity:
            steps.append(bushy_cell(fibres(hair_cell(place), generator)))
    unit = np.repeat(np.arange(channels), [len(own) for own in steps])
    step = np.concatenate(steps)
    order = np.lexsort((unit, step))
    return step[order] / RATE, unit[order]


def cochlea_batch(
    clips: Sequence[np.ndarray],
    rate: float,
    seeds: Sequence[int],
    *,
    channels: int = 700,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Spikes]:
    """Spikes of many clips, each with its seed, on ``workers`` threads; ``progress(done, total)``."""
    if len(clips) != len(seeds):
        raise ValueError(f"There are {len(clips)} clips but {len(seeds)} seeds; give one seed per clip.")

    def encode(clip: np.ndarray, seed: int) -> Spikes:
        return cochlea(clip, rate, rng=seed, channels=channels)

    spikes: list[Spikes] = []
    with ThreadPoolExecutor(workers) as pool:
        for own in pool.map(encode, clips, seeds):
            spikes.append(own)
            progress(len(spikes), len(clips))
    return spikes


def prepare(audio: np.ndarray, rate: float) -> np.ndarray:
    """Audio at 48 kHz and RMS level 0.3 under a Hann window, ``[samples]`` float64."""
    wave = np.asarray(audio, np.float64)
    if wave.ndim != 1:
        raise ValueError(
            f"The recording has shape {list(wave.shape)}; the cochlea takes one channel of sound."
        )
    if not wave.size:
        raise ValueError("The recording is empty; the cochlea needs at least one sample.")
    if not np.isfinite(wave).all():
        raise ValueError("The recording has samples that are not finite numbers; repair it or leave it out.")
    if not (math.isfinite(rate) and 1000 <= rate <= 1_000_000):
        raise ValueError(f"The recording's sampling rate is {rate:g} Hz; the cochlea takes 1 kHz to 1 MHz.")
    whole = round(rate)
    common = math.gcd(RATE, whole)
    wave = _scaled(scipy.signal.resample_poly(_scaled(wave), RATE // common, whole // common))
    return np.asarray(wave * np.hanning(len(wave)))


def _scaled(wave: np.ndarray) -> np.ndarray:
    peak = np.abs(wave).max()
    if peak == 0:
        return wave
    wave = wave / peak  # first, lest squares of tiny or huge samples leave the floats
    return np.asarray(wave * (LEVEL / np.sqrt(np.mean(wave**2))))


def places(channels: int) -> np.ndarray:
    """Distances from the stapes in cm, ``[channels]``."""
    if channels < 2:
        raise ValueError(f"The cochlea needs at least 2 channels, not {channels}.")
    return np.linspace(0, LENGTH, channels)


def characteristic_frequency(place: np.ndarray) -> np.ndarray:
    """Frequency in Hz at which stiffness and mass of a place (cm) are in resonance."""
    return np.sqrt(STIFFNESS * np.exp(-SLOPE * place) / MASS) / (2 * np.pi)


def transfer(samples: int, place: np.ndarray) -> np.ndarray:
    """Transfer function from sound to hair-cell input, complex64 ``[places, frequencies]`` for an ``rfft``.

    Long waves in a fluid of height h over a membrane with impedance D(x) / (i w), where
    D = S(x) - w^2 m + i w R(x), obey p'' + g^2 p = 0 with g = w sqrt(2 rho / (h D)), solved by
    p = sqrt(Phi / g) H0(2)(Phi), Phi(x) = integral of g from 0 to x + (2 / slope) g(0).  Velocity: i w p / D.
    Frequencies that do not reach the first of these ascending places are left out: they are zero.
    """
    omega = 2 * np.pi * scipy.fft.rfftfreq(samples, 1 / RATE)[1:]
    decay = _phase(place[:1], omega)[0].imag
    omega = omega[: np.flatnonzero(decay > -_DECAYED)[-1] + 1]
    phase, root = _phase(place, omega), np.sqrt(_impedance(_taper(place), omega))
    fluid = omega * math.sqrt(2 * DENSITY / HEIGHT)
    pressure = np.sqrt(phase * root / fluid) * _hankel(phase)
    drive = DRIVE * (omega / (2 * np.pi * 1000)) ** DRIVE_TILT
    # The conjugate: published spikes were made with the opposite sign of time in the Fourier transform.
    response = np.conj(1j * omega * pressure / root**2) * drive
    return np.pad(response.astype(np.complex64), ((0, 0), (1, 0)))


def _taper(place: np.ndarray) -> np.ndarray:
    return np.exp(-SLOPE * place / 2)[:, None]


def _phase(place: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """Phi ``[places, frequencies]``: with u = exp(-slope x / 2), D is quadratic in u, so that the integral of
    du / (u sqrt D) is elementary."""
    u, end = _taper(place), np.ones((1, 1))
    path = _antiderivative(end, omega) - _antiderivative(u, omega) + 1 / np.sqrt(_impedance(end, omega))
    return np.asarray((2 / SLOPE) * math.sqrt(2 * DENSITY / HEIGHT) * omega * path)


def _impedance(u: np.ndarray, omega: np.ndarray) -> np.ndarray:
    return np.asarray(STIFFNESS * u**2 - omega**2 * MASS + 1j * omega * DAMPING * u)


def _antiderivative(u: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """Of 1 / (u sqrt D), continuous for 0 < u <= 1 on the principal branches."""
    root = 1j * omega * math.sqrt(MASS)
    within = -2 * omega**2 * MASS + 1j * omega * DAMPING * u + 2 * root * np.sqrt(_impedance(u, omega))
    return np.asarray(-np.log(within / u) / root)


def _hankel(z: np.ndarray) -> np.ndarray:
    """H0(2)(z): from |z| = 12, seven terms of the asymptotic series (DLMF 10.17.6), exact to 1e-7."""
    series, term = np.ones_like(z), np.ones_like(z)
    for k in range(1, 7):
        term = term * ((2 * k - 1) ** 2 * 1j / (8 * k)) / z
        series += term
    result: np.ndarray = np.sqrt(2 / (np.pi * z)) * np.exp(-1j * (z - np.pi / 4)) * series
    near = np.abs(z) < 12
    result[near] = scipy.special.hankel2(0, z[near])
    return result


@lru_cache(maxsize=2)
def _transfers(channels: int) -> list[np.ndarray]:
    """The transfer function for one window in groups of places; 32 MB for 700 channels."""
    place = places(channels)
    return [transfer(_WINDOW, place[i : i + _GROUP]) for i in range(0, channels, _GROUP)]


def membrane_velocity(wave: np.ndarray, channels: int) -> Iterator[np.ndarray]:
    """Hair-cell input for prepared audio ``[samples]``: float32 ``[places, samples]``, group by group."""
    # a clip that fits the window is filtered at once, a longer one by overlap-add
    hop = _WINDOW if len(wave) <= _WINDOW else _WINDOW // 2
    wave = wave.astype(np.float32)
    spectra = [scipy.fft.rfft(wave[i : i + hop], _WINDOW) for i in range(0, len(wave), hop)]
    for response in _transfers(channels):
        blocks = [scipy.fft.irfft(own[: response.shape[1]] * response, _WINDOW) for own in spectra]
        filtered = blocks[0] if len(blocks) == 1 else _overlap_add(blocks)
        yield filtered[:, : len(wave)]


def _overlap_add(blocks: list[np.ndarray]) -> np.ndarray:
    """Sum of responses ``[places, window]`` to half a window each; the second half wraps and precedes it."""
    half = _WINDOW // 2
    total = np.zeros((len(blocks[0]), len(blocks) * half), np.float32)
    for i, block in enumerate(blocks):
        total[:, i * half : (i + 1) * half] += block[:, :half]
        if i:
            total[:, (i - 1) * half : i * half] += block[:, half:]
    return total


def resting_cleft() -> float:
    """Transmitter in the cleft at rest: dq/dt = dc/dt = dw/dt = 0 at k = G A / (A + B)."""
    k = G * A / (A + B)
    free = REPLENISH * STORE / (REPLENISH + LOSS * k / (LOSS + RETURN))
    return k * free / (LOSS + RETURN)


RESTING_CLEFT = resting_cleft()


def hair_cell(drive: np.ndarray) -> np.ndarray:
    """Firing probability of a fibre in each step, ``[steps]``, from rest by explicit Euler.

    dq/dt = y (M - q) + x w - k q;  dc/dt = k q - (l + r) c;  dw/dt = r c - x w;  p = h c dt.
    """
    dt = 1.0 / RATE
    cleft = RESTING_CLEFT
    free = cleft * (LOSS + RETURN) * (A + B) / (G * A)
    store = RETURN * cleft / REPROCESS
    chance = np.empty(len(drive))
    for i in range(len(drive)):
        chance[i] = min(FIRING * cleft * dt, 1.0)
        above = max(drive[i] + A, 0.0)
        released = G * above / (above + B) * free
        free += dt * (REPLENISH * (STORE - free) + REPROCESS * store - released)
        back = RETURN * cleft
        cleft += dt * (released - back - LOSS * cleft)
        store += dt * (back - REPROCESS * store)
    return chance


def fibres(chance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Summed spikes of the fibres in each step, ``[steps]``: Binomial(fibres not refractory, chance)."""
    spikes = np.zeros(len(chance), np.int64)
    ready = FIBRES
    for i in range(len(chance)):
        if i >= REFRACTORY:
            ready += spikes[i - REFRACTORY]
        p, u, n = chance[i], rng.random(), 0
        if u > 1 - ready * p:  # else none fires, since (1 - p)^n >= 1 - n p
            mass = (1 - p) ** ready
            total = mass
            while u > total and n < ready:  # inversion of the cumulative distribution
                mass *= (ready - n) / (n + 1.0) * p / max(1 - p, 1e-12)
                n += 1
                total += mass
        spikes[i] = n
        ready -= n
    return spikes


def bushy_cell(arriving: np.ndarray) -> np.ndarray:
    """Steps at which the bushy cell fires, at v >= 1: dv/dt = I - v / tau_mem, dI/dt = -I / tau_syn.

    I jumps by WEIGHT with each spike; v rests at 0 during the refractory time.
    """
    dt = 1.0 / RATE
    keep_v, keep_current = math.exp(-dt / TAU_MEMBRANE), math.exp(-dt / TAU_SYNAPSE)
    v, current, rest, fired = 0.0, 0.0, 0, 0
    steps = np.empty(len(arriving) // REFRACTORY + 1, np.int64)
    for i in range(len(arriving)):
        current = current * keep_current + WEIGHT * arriving[i]
        if rest:
            rest -= 1
            continue
        v = v * keep_v + dt * current
        if v >= 1:
            steps[fired] = i
            v, rest, fired = 0.0, REFRACTORY, fired + 1
    return steps[:fired]


@cache
def _kernels() -> tuple[Callable[..., Any], ...]:
    """The three loops compiled; numba is imported here because that takes half a second."""
    compiled = importlib.import_module("numba").njit(nogil=True)
    return tuple(compiled(loop) for loop in (hair_cell, fibres, bushy_cell))
