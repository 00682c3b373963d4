"""Names are data: whatever nodes and documents are called, what is written stays well-formed and the same."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.document import Document, loads
from engine.document import dumps as dumped
from engine.export.target import Target, checked, discover, options_of, verdict
from engine.export.verify import export, said_of
from tests.export.conftest import Verified
from tests.export.networks import Network, compiled

NAMES = [
    "two words", 'say "hi" and \'ho\'', "a line\nand another", "back\\slash \\n {x} %s $y #", "tab\there",
    "ünï ✓ 神経", "class", "int", "module", "end", "*/ close // /* open", "1st", "", "<a & b>", "]]> --",
    "\u202egnp.evil", "long " * 60, "__init__", "None", "self", "torch", "network", "a.b/c", "\x00null",
    "'''", '"""', "main", "step", "input", "np", "reset", "neuron", "\r", "`define x", "${PATH}",
]  # fmt: skip
"""Quotes, line ends, markup, and words of Python, C, Verilog, XML and of the exports themselves."""

CHIPS: dict[str, dict[str, Any]] = {
    "netx": {"bias": False},
    "rockpool": {
        "neuron": "population.cuba",
        "bias": False,
        "tau_mem": 1 / math.log(2),
        "tau_syn": 1 / math.log(2),
    },
    "sinabs": {"neuron": "population.if", "bias": False},
}
"""What else is refused."""

SLOW = ("pt2",)  # made from the file of `pytorch`, in seconds
HOSTILE = [tuple(NAMES[k : k + 5]) for k in range(0, len(NAMES), 5)]


def chain(
    names: Iterator[str],
    title: str,
    dt: float = 1.0,
    sizes: tuple[int, int, int] = (5, 4, 2),
    neuron: str = "population.lif",
    bias: bool = True,
    **params: object,
) -> Document:
    """Poisson and two populations; names are put into the file, for the studio lets no two be the same."""
    document = Document.new("title", dt_ms=dt, seed=3)
    ids = [
        document.add("population.poisson", size=[sizes[0]], rate=min(200.0, 500.0 / dt)),
        document.add("projection.dense", gain=4.0, bias=bias),
        document.add(neuron, size=[sizes[1]], **params),
        document.add("projection.dense", gain=4.0),
        document.add(neuron, size=[sizes[2]], **params),
    ]
    for number, (a, b) in enumerate(pairwise(ids)):
        document.connect(a, "output" if number % 2 else "spikes", b, "input")
    tree = json.loads(dumped(document))
    tree["meta"]["title"] = title
    for id in ids:
        tree["nodes"][id]["name"] = next(names)
    return loads(json.dumps(tree))


def taken(target: Target, network: Network) -> bool:
    return verdict(checked(target, network.program, options_of(target))) != "impossible"


@pytest.mark.parametrize("id", [id for id in discover() if id not in SLOW])
@pytest.mark.parametrize("names", HOSTILE, ids=[repr(names[0])[:12] for names in HOSTILE])
def test_hostile_names(id: str, names: tuple[str, ...], tmp_path: Path) -> None:
    target, network = discover()[id], compiled(chain(cycle(names), " ".join(names), **CHIPS.get(id, {})))
    if not taken(target, network):
        pytest.skip("it does not take this network")
    path = tmp_path / f"artefact{target.file}"
    export(target, network.program, network.frozen, path, options_of(target))
    well_formed(path)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("id", ["c", "onnx", "pytorch", "script"])
@pytest.mark.parametrize("name", ["cells", "神経", ""])
def test_nodes_of_the_same_name_stay_apart(id: str, name: str, verified: Callable[..., Verified]) -> None:
    if id == "onnx":
        pytest.importorskip("onnxruntime")
    made = verified(id, compiled(chain(cycle([name]), title=name)))
    assert made.report.status in ("verified", "unverified" if id == "c" else "verified"), made.report.message
    names = [comparison.signal for comparison in made.report.cost]
    assert len(set(names)) == len(names) == 2
    if made.path.is_dir():
        assert len(said_of(made.path)["outputs"]) == 2


@pytest.mark.parametrize("id", ["c", "onnx", "pytorch", "script"])
@pytest.mark.parametrize(("dt", "sizes"), [(0.1, (5, 4, 2)), (10.0, (5, 4, 2)), (1.0, (1, 1, 1))])
def test_steps_and_sizes_at_the_ends(
    id: str, dt: float, sizes: tuple[int, int, int], verified: Callable[..., Verified]
) -> None:
    if id == "onnx":
        pytest.importorskip("onnxruntime")
    report = verified(id, compiled(chain(iter("abcde"), "ends", dt, sizes))).report
    assert report.status in ("verified", "unverified" if id == "c" else "verified"), report.message
    assert report.status != "verified" or report.exact


def well_formed(path: Path) -> None:
    """Every file of an artefact is what its suffix says."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    for file in files:
        CHECKS.get(file.suffix, lambda file: None)(file)
    _verilog([file for file in files if file.suffix == ".v"])


def _python(file: Path) -> None:
    compile(file.read_text("utf-8"), file.name, "exec")


def _c(file: Path) -> None:
    if shutil.which("gcc"):
        _run("gcc", "-std=c99", "-pedantic-errors", "-fsyntax-only", f"-I{file.parent}", str(file))


def _verilog(files: list[Path]) -> None:
    if files and shutil.which("iverilog"):
        _run("iverilog", "-g2005", "-t", "null", *map(str, files))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _hdf5(file: Path) -> None:
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)


def _npz(file: Path) -> None:
    with np.load(file) as stored:
        assert all(stored[name] is not None for name in stored.files)


CHECKS: dict[str, Callable[[Path], object]] = {
    ".py": _python,
    ".c": _c,
    ".json": lambda file: json.loads(file.read_text("utf-8")),
    ".npz": _npz,
    **dict.fromkeys((".xml", ".nml", ".svg"), ET.parse),
    **dict.fromkeys((".nir", ".h5", ".hdf5", ".net"), _hdf5),
}
