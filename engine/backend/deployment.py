"""Export with proof: stimuli for a network, what our engine does with them, and the verified artefact."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.arrays import Arrays, tensor_key
from engine.backend.data import Split
from engine.backend.network import Network
from engine.backend.recording import record
from engine.errors import MyelinError
from engine.export.frozen import Frozen
from engine.export.report import Report
from engine.export.target import Target
from engine.export.verify import Progress, Recording, verify
from engine.program import Program, Source
from nodes.samples import DataError
from nodes.spec import Values

STEPS = 200  # of a network that no recording drives
_LARGEST = float(np.finfo(np.float32).max)
DENSITY = 0.02  # spikes per step of a random stimulus


@dataclass(frozen=True)
class Trial:
    """What to verify with.  ``file``: a stimulus ``.npz``; else samples of the data set, or random spikes."""

    samples: int = 3
    steps: int | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Stimuli:
    """Signals of data sets ``[time, *shape]``, one mapping for each sample; ``origin``: where from."""

    samples: tuple[Mapping[Source, np.ndarray], ...]
    steps: tuple[int, ...]
    origin: str


def network_of(program: Program, arrays: Arrays) -> Network:
    """The program as a network that holds these arrays, ready to evaluate."""
    network = Network(program)
    with torch.no_grad():
        for op, own in arrays.items():
            for name, value in own.items():
                network.tensor(tensor_key(op, name)).copy_(torch.from_numpy(np.ascontiguousarray(value)))
    network.eval()
    return network


def stimuli(program: Program, frozen: Frozen, trial: Trial, data: Path) -> Stimuli:
    """What to feed a network with; a file is taken as it is, and names signals as ``Frozen.name`` does."""
    fed = {source: shape for source, shape in frozen.inputs.items() if _from_data(program, source)}
    if trial.file is not None:
        given = _read(trial.file, frozen, fed)
        steps = trial.steps or max(map(len, given.values()))
        return Stimuli((given,), (steps,), str(trial.file))
    if not fed:
        return Stimuli(({},), (trial.steps or STEPS,), "the network's own sources")
    try:
        split = Split(program, "test", data, limit=trial.samples)
    except (DataError, MyelinError) as error:
        return _random(fed, trial, str(error))
    found = [split[[number]].inputs for number in range(len(split))]
    samples = [{source: x[:, 0].numpy()[: trial.steps] for source, x in one.items()} for one in found]
    lengths = tuple(max(map(len, one.values())) + program.tail for one in samples)
    return Stimuli(tuple(samples), lengths, f"{len(samples)} recordings of the test split")


def _from_data(program: Program, source: Source) -> bool:
    """Whether a signal needs a data set: its op is one, or is fed by one."""
    op = program.ops[source.op]
    fed = (s for sources in op.inputs.values() for s in sources)
    return op.role in ("dataset", "offline") or any(_from_data(program, s) for s in fed)


def _read(file: Path, frozen: Frozen, fed: Iterable[Source]) -> dict[Source, np.ndarray]:
    named = {frozen.name(source): source for source in frozen.inputs}
    if not named:
        raise MyelinError(f"{file}: the network has no input to give it to")
    arrays = _arrays(file)
    for name, array in arrays.items():
        if name not in named:
            raise MyelinError(f"{file}: the network has no input {name!r} ({', '.join(named)})")
        _require_signal(f"{file}: {name}", array, frozen.inputs[named[name]])
    missing = [frozen.name(source) for source in fed if frozen.name(source) not in arrays]
    if missing or not arrays:
        raise MyelinError(f"{file} does not hold the signal {[*missing, *named][0]!r}")
    return {named[name]: array.astype(np.float32) for name, array in arrays.items()}


def _arrays(file: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(file):  # np.load also takes what is no .npz
            pass
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except OSError as error:
        raise MyelinError(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise MyelinError(f"{file} is no readable .npz of signals") from None


def _require_signal(what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """MyelinError unless these are finite numbers ``[steps, *shape]`` of single precision."""
    real = array.dtype.kind in "biuf"
    if not (real and array.shape[1:] == shape and len(array) and (abs(array) <= _LARGEST).all()):
        form = ", ".join(map(str, ("steps", *shape)))
        raise MyelinError(f"{what} must hold finite numbers [{form}]")


def _random(fed: Mapping[Source, tuple[int, ...]], trial: Trial, why: str) -> Stimuli:
    rng, steps = np.random.default_rng(0), trial.steps or STEPS
    samples = tuple(
        {s: (rng.random((steps, *shape)) < DENSITY).astype(np.float32) for s, shape in fed.items()}
        for _ in range(trial.samples)
    )
    return Stimuli(samples, (steps,) * trial.samples, f"random spikes, because {why}")


def recordings(network: Network, frozen: Frozen, given: Stimuli, *, whole: bool = False) -> list[Recording]:
    """What our engine does with each sample."""
    wanted = [*frozen.inputs, *frozen.outputs]
    found = []
    for one, steps in zip(given.samples, given.steps, strict=True):
        length = max(map(len, one.values()), default=steps)
        signals = record(network, wanted, one, length if whole else steps, whole=whole)
        inputs = {source: signals[source][: length if whole else steps] for source in frozen.inputs}
        lasting = max(map(len, signals.values()), default=steps)
        found.append(Recording(inputs, {s: signals[s] for s in frozen.outputs}, lasting))
    return found


def proved(
    target: Target,
    artefact: Path,
    frozen: Frozen,
    arrays: Arrays,
    given: Stimuli,
    options: Values,
    *,
    progress: Progress = lambda what, done, total: None,
    keep: Path | None = None,
) -> Report:
    """The report on an artefact: our engine's run of the stimuli against the artefact's."""
    progress("running our engine", 0, 0)
    network = network_of(frozen.program, arrays)
    ours = recordings(network, frozen, given, whole=target.whole_sequence)
    return verify(target, artefact, frozen, ours, options, progress=progress, keep=keep)
