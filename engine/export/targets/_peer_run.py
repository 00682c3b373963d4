"""Scripts in other people's software: arrays in, arrays out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.errors import MyelinError
from engine.export.peers import MissingPeer, PeerError, peer
from engine.export.target import NotExecutable

LONGEST_RUN = 900.0  # seconds


def run_in(
    environment: str, script: str | Path, given: Mapping[str, np.ndarray], *arguments: str
) -> dict[str, np.ndarray]:
    """What ``script inputs.npz outputs.npz *arguments`` writes in a peer environment.

    Raises NotExecutable where that is missing, MyelinError where the script fails.
    """
    try:
        home = peer(environment)
    except MissingPeer as missing:
        raise NotExecutable(str(missing)) from None
    with tempfile.TemporaryDirectory(prefix="myelin-") as folder:
        inputs, outputs = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
        np.savez(inputs, **given)  # type: ignore[arg-type]
        try:
            home.run(script, str(inputs), str(outputs), *arguments, cwd=Path(folder), timeout=LONGEST_RUN)
        except PeerError as error:
            raise MyelinError(str(error)) from None
        with np.load(outputs) as stored:
            return dict(stored)
