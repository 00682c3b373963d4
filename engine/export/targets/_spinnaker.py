"""A PyNN script on SpiNNaker's virtual board: everything up to loading, without spikes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from engine.errors import MyelinError
from engine.export.peers import MissingPeer, PeerError, peer
from engine.export.target import NotExecutable

STEPS = 50
_BOARD = """[Machine]
machine_name = None
spalloc_server = None
remote_spinnaker_url = None
virtual_board = True
version = 5
width = None
height = None
[Java]
use_java = False
"""
_MAP = """
import importlib.util, sys
import numpy as np
import pyNN.spiNNaker as sim
from spinn_front_end_common.data import FecDataView

spec = importlib.util.spec_from_file_location("network", sys.argv[1])
network = importlib.util.module_from_spec(spec)
spec.loader.exec_module(network)
network.sim = sim
sizes = {name: int(size) for name, size in (text.rsplit("=", 1) for text in sys.argv[3:])}
steps = int(sys.argv[2])
inputs = {name: np.eye(steps)[:, np.arange(size) % steps] for name, size in sizes.items()}
network.run(inputs, steps)
print("cores", FecDataView.get_n_placements())
sim.end()
"""


def cores(script: Path, inputs: Mapping[str, int]) -> int:
    """Cores that a script takes on a board of 48 chips; MyelinError where the tools cannot map it.

    ``inputs``: how many channels each input has.
    """
    return _cores(script, script.stat().st_mtime_ns, tuple(inputs.items()))


@cache
def _cores(script: Path, stamp: int, inputs: tuple[tuple[str, int], ...]) -> int:
    try:
        home = peer("spynnaker")
    except MissingPeer as missing:
        raise NotExecutable(str(missing)) from None
    with tempfile.TemporaryDirectory(prefix="myelin-") as folder:
        for name in (
            "spynnaker.cfg",
            ".spynnaker.cfg",
        ):  # of the working folder, and of the home it must have
            Path(folder, name).write_text(_BOARD, "utf-8")
        sizes = [f"{name}={size}" for name, size in inputs]
        try:
            said = home.run(
                _MAP,
                str(script.absolute()),
                str(STEPS),
                *sizes,
                cwd=Path(folder),
                env={"HOME": folder},
                timeout=600,
            )
        except PeerError as error:
            raise MyelinError(f"sPyNNaker cannot map the network: {error}") from None
    return int(next(line for line in said.splitlines() if line.startswith("cores ")).split()[1])
