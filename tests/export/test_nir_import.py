"""NIR files of other packages, and files that are none."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import h5py
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.arrays import read as read_arrays
from engine.backend.network import Network
from engine.backend.recording import record
from engine.backend.tensors import build as tensors_of
from engine.cli import main
from engine.compile import compile_document
from engine.document import load
from engine.errors import MyelinError
from engine.export.imports import Imported, read, save
from engine.export.imports._nir.graph import build
from engine.export.nir.dialects import DIALECTS
from engine.export.nir.file import NirGraph, NirNode, flattened, write
from engine.export.nir.file import read as read_apart
from engine.export.nir.reading import reading
from engine.export.nir.unpack import unpack as read_file
from engine.program import Program, Source

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "nir"
FILES = sorted(FIXTURES.glob("*.nir"))
STEPS = 120
each_file = pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
Signals = dict[str, np.ndarray]

assert FILES, "tests/fixtures/nir/make.py makes them"


def program_of(imported: Imported) -> Program:
    program = compile_document(imported.document).program
    assert program is not None
    return program


def stimulus(shape: tuple[int, ...], rate: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(7).random((STEPS, *shape)) < rate).astype(np.float32)


def run(imported: Imported, x: np.ndarray) -> Signals:
    """What our engine does with an imported network: every population by its name."""
    import torch

    program = program_of(imported)
    network = Network(program)
    with torch.no_grad():
        for op, own in imported.arrays.items():
            for name, array in own.items():
                network.tensor(f"{op}:{name}").copy_(torch.from_numpy(array))
    network.eval()
    ports = {
        op.name: Source(op.id, "spikes" if "spikes" in op.spec.outputs else "v")
        for op in program.of_role("population")
    }
    (data,) = program.of_role("dataset")
    found = record(network, ports.values(), {Source(data.id, "data"): x}, len(x))
    return {name: found[source] for name, source in ports.items()}


# -- the documented equations in plain numpy, for flat graphs ----------------------------------------------


def reference(graph: NirGraph, x: np.ndarray, dt: float) -> Signals:
    """Forward Euler of the documented equations; what closes a loop is read a step late."""
    order: list[str] = []
    into = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}

    def visit(name: str, above: tuple[str, ...]) -> None:
        for source in into[name]:
            if source not in order and source not in above:
                visit(source, (*above, name))
        if name not in order:
            order.append(name)

    for name, node in graph.nodes.items():
        if node.type == "Output":
            visit(name, (name,))
    state: dict[str, dict[str, Any]] = {name: {} for name in order}
    before: Signals = {}
    heard: dict[str, list[np.ndarray]] = {name: [] for name in order}
    for t in range(len(x)):
        now: Signals = {}
        for name in order:
            arriving: Any = sum((now.get(a, before.get(a, 0.0)) for a in into[name]), np.float64(0))
            node = graph.nodes[name]
            now[name] = x[t].astype(float) if node.type == "Input" else one(node, state[name], arriving, dt)
            heard[name].append(np.asarray(now[name], float))
        before = now
    return {name: np.array(signal) for name, signal in heard.items()}


def one(node: NirNode, s: dict[str, Any], x: Any, dt: float) -> np.ndarray:
    """One step of one node."""
    f = {key: np.asarray(value, float) for key, value in node.fields.items()}
    match node.type:
        case "Affine" | "Linear":
            return f["weight"] @ np.broadcast_to(x, f["weight"].shape[1]) + f.get("bias", 0.0)
        case "Scale":
            return f["scale"] * x
        case "Threshold":
            return (x > f["threshold"]).astype(float)
        case "Output":
            return np.asarray(x)
        case "Delay":
            s.setdefault("past", []).append(np.broadcast_to(x, f["delay"].shape))
            steps = np.rint(f["delay"] / dt).astype(int)
            late = len(s["past"]) - 1 - steps
            return np.array([s["past"][k][i] if k >= 0 else 0.0 for i, k in enumerate(late)])
    if "tau_syn" in f:
        s["i"] = s.get("i", 0.0) + dt / f["tau_syn"] * (f["w_in"] * x - s.get("i", 0.0))
        x = s["i"]
    tau = f.get("tau", f.get("tau_mem"))
    leak = f.get("v_leak", np.zeros(1))
    v = s.get("v", leak)
    v = v + (f["r"] * x * dt if tau is None else dt / tau * (leak - v + f["r"] * x))
    if "v_threshold" not in f:
        s["v"] = v
        return np.asarray(v)
    z = (v > f["v_threshold"]).astype(float)
    s["v"] = np.where(z > 0, f.get("v_reset", 0.0), v)
    return z


EULER = [path for path in FILES if path.stem.split("_")[0] in ("snntorch", "hand", "nested")]


@pytest.mark.parametrize("file", EULER, ids=lambda path: path.stem)
def test_an_imported_network_does_what_the_equations_say(file: Path) -> None:
    graph = flattened(read_file(file))
    how, _ = reading(graph, "auto", None)
    imported = read(file)
    x = stimulus(program_of(imported).of_role("dataset")[0].shapes["data"] or ())
    expected, found = reference(graph, x, how.dt), run(imported, x)
    assert any(signal.sum() for signal in found.values())
    for name, signal in found.items():
        if graph.nodes[name].type in ("IF", "LIF", "CubaLIF"):
            assert (signal != expected[name]).sum() == 0, name
        else:
            np.testing.assert_allclose(signal, expected[name], rtol=1e-4, atol=1e-5)


@each_file
def test_every_file_runs_and_is_laid_out(file: Path) -> None:
    imported = read(file)
    document = imported.document
    places = {tuple(document.layout[key]["at"]) for key in document.nodes}
    assert len(places) == len(document.nodes), "no two nodes lie in one place"
    for wire in document.wires.values():
        a, b = (document.layout[end.node]["at"][0] for end in (wire.source, wire.target))
        lagged = document.nodes[wire.source.node].params.get("lag") == 1
        assert a < b or lagged, "wires run from left to right, but for loops"
    shape = program_of(imported).of_role("dataset")[0].shapes["data"] or ()
    assert any(signal.any() for signal in run(imported, 3 * stimulus(shape)).values())


@each_file
def test_the_same_file_gives_the_same_document(file: Path) -> None:
    assert read(file).document == read(file).document


def test_which_package_wrote_a_file_is_found_out() -> None:
    found = {file.stem: reading(flattened(read_file(file)), "auto", None)[0] for file in FILES}
    assert {name: (how.name, how.dt_ms) for name, how in found.items()} == {
        "hand": ("nirtorch", 1.0),
        "nested": ("nirtorch", 1.0),
        "norse": ("norse", 1.0),
        "rockpool": ("rockpool", 1.0),
        "sinabs": ("sinabs", 1.0),
        "sinabs_conv": ("sinabs", 1.0),
        "snntorch": ("nirtorch", 0.1),
        "snntorch_recurrent": ("nirtorch", 0.1),
        "spikingjelly": ("nirtorch", 0.1),
        "spikingjelly_conv": ("nirtorch", 0.1),
    }


def test_what_a_file_leaves_open_is_said_and_can_be_chosen() -> None:
    file = FIXTURES / "hand.nir"
    said = [d for d in read(file).diagnostics if d.severity == "warning"]
    assert ["--dt" in d.hint for d in said] == [True]
    chosen = read(file, dt_ms=0.5)
    assert chosen.document.meta["dt_ms"] == 0.5
    assert not [d for d in chosen.diagnostics if d.severity == "warning"]


# -- small graphs ------------------------------------------------------------------------------------------


def lif(n: int, **fields: Any) -> NirNode:
    own = {"tau": 0.02, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.1, "v_reset": 0.0, **fields}
    held = {k: np.broadcast_to(np.float32(v), (n,)) for k, v in own.items() if v is not None}
    return NirNode("LIF", held)


def gate(kind: str, *shape: int) -> NirNode:
    return NirNode(kind, {"shape": np.array(shape)})


def weights(targets: int, sources: int) -> NirNode:
    rng = np.random.default_rng(1)
    return NirNode("Linear", {"weight": rng.normal(0.5, 1, (targets, sources)).astype(np.float32)})


def chain(**middle: NirNode) -> NirGraph:
    nodes = {"input": gate("Input", 4), **middle, "output": gate("Output", 3)}
    return NirGraph(nodes, tuple(zip(list(nodes), list(nodes)[1:], strict=False)))


SMALL = chain(w=weights(3, 4), cells=lif(3))


def imported_of(graph: NirGraph, dialect: str = "auto", dt_ms: float | None = None) -> Imported:
    return build("small", graph, *reading(graph, dialect, dt_ms))


def cells(imported: Imported) -> dict[str, Any]:
    document = imported.document
    return document.nodes[document.find("cells")].params


def test_the_reset_of_an_old_file_is_assumed_and_said() -> None:
    old = chain(w=weights(3, 4), cells=lif(3, v_reset=None))
    found = imported_of(old)
    assert cells(found)["reset"] == "zero"
    assert any("nir104" in d.hint for d in found.diagnostics)
    assert cells(imported_of(old, "nir104"))["reset"] == "subtract"


def test_metadata_decides() -> None:
    told = {"dialect": "nir104", "dt": np.float64(1e-4), "dt_ms": np.float64(2.0)}
    found = imported_of(replace(SMALL, metadata=told))
    assert cells(found)["reset"] == "subtract"
    assert found.document.meta["dt_ms"] == 2.0
    assert cells(found)["tau_mem"] == pytest.approx(0.02 / 1e-4 * 2.0, rel=1e-6)
    assert not found.diagnostics


def test_numbers_of_single_neurons_are_kept() -> None:
    tau = np.linspace(0.005, 0.05, 3)
    found = imported_of(
        chain(w=weights(3, 4), cells=lif(3, tau=tau, v_threshold=[0.1, 0.2, 0.3])), "nirtorch", 1.0
    )
    key = found.document.find("cells")
    np.testing.assert_allclose(found.arrays[key]["tau_mem"], tau * 1000, rtol=1e-6)
    np.testing.assert_allclose(found.arrays[key]["v_th"], [0.1, 0.2, 0.3], rtol=1e-6)


def test_gains_of_single_neurons_stand_before_them() -> None:
    found = imported_of(chain(w=weights(3, 4), cells=lif(3, r=[1.0, 2.0, 3.0])), "nirtorch", 1.0)
    assert "structure.scale" in {node.type for node in found.document.nodes.values()}
    assert all(name != "v_reset" for name in cells(found)["train"])


def test_neurons_that_feed_neurons_get_a_projection_between_them() -> None:
    nodes = {"input": gate("Input", 3), "a": lif(3), "b": lif(3), "output": gate("Output", 3)}
    graph = NirGraph(nodes, (("input", "a"), ("a", "b"), ("b", "output")))
    assert [d.code for d in imported_of(graph, "nirtorch", 1.0).diagnostics] == ["MYL302", "MYL302"]


def test_convolutions_with_groups_and_dilation_are_those_of_torch() -> None:
    import torch

    rng = np.random.default_rng(2)
    weight = rng.normal(size=(4, 1, 3)).astype(np.float32)
    bias = rng.normal(size=4).astype(np.float32)
    whole = {k: np.array(v) for k, v in {"stride": 1, "padding": 2, "dilation": 2, "groups": 2}.items()}
    conv = NirNode("Conv1d", {"weight": weight, "bias": bias, "input_shape": np.array(9), **whole})
    nodes = {"input": gate("Input", 2, 9), "conv": conv, "output": gate("Output", 4, 9)}
    li = {k: np.full((4, 9), v, np.float32) for k, v in {"tau": 1e-3, "r": 1.0, "v_leak": 0.0}.items()}
    nodes = {**nodes, "li": NirNode("LI", li)}
    found = imported_of(
        NirGraph(nodes, (("input", "conv"), ("conv", "li"), ("li", "output"))), "nirtorch", 1.0
    )
    x = stimulus((2, 9))
    with torch.no_grad():
        expected = torch.nn.functional.conv1d(
            torch.from_numpy(x),
            torch.from_numpy(weight),
            torch.from_numpy(bias),
            padding=2,
            dilation=2,
            groups=2,
        ).numpy()
    np.testing.assert_allclose(
        run(found, x)["li"], expected, rtol=1e-4, atol=1e-5
    )  # tau = dt: v is the input


def pool(window: int, stride: int) -> NirNode:
    pairs = {k: np.array([v, v]) for k, v in {"kernel_size": window, "stride": stride, "padding": 0}.items()}
    return NirNode("SumPool2d", pairs)


IMPOSSIBLE: dict[str, tuple[NirGraph, str]] = {
    "a v_reset for every neuron": (
        chain(w=weights(3, 4), cells=lif(3, v_reset=[0.0, 0.01, 0.02])),
        "'cells'",
    ),
    "a time constant of 0": (chain(w=weights(3, 4), cells=lif(3, tau=0.0)), "'cells'"),
    "weights behind weights": (chain(w=weights(5, 4), w2=weights(3, 5)), "'w2'"),
    "weights with three axes": (chain(w=NirNode("Linear", {"weight": np.ones((2, 3, 4))})), "'w'"),
    "shapes that do not fit": (chain(w=weights(3, 7), cells=lif(3)), "7"),
    "windows that overlap": (
        NirGraph(
            {"input": gate("Input", 1, 8, 8), "p": pool(3, 1), "output": gate("Output", 1, 6, 6)},
            (("input", "p"), ("p", "output")),
        ),
        "'p'",
    ),
    "a window that is no square": (
        chain(
            c=NirNode(
                "Conv2d",
                {
                    "weight": np.ones((1, 1, 2, 3), np.float32),
                    "bias": np.zeros(1),
                    **{k: np.array([v, v]) for k, v in {"stride": 1, "padding": 0, "dilation": 1}.items()},
                    "groups": np.array(1),
                },
            )
        ),
        "'c'",
    ),
    "a delay below 0": (chain(d=NirNode("Delay", {"delay": np.full(4, -1.0)}), w=weights(3, 4)), "'d'"),
    "a loop without weights": (
        NirGraph(
            {"input": gate("Input", 3), "s": gate("Output", 3), "f": NirNode("Scale", {"scale": np.ones(3)})},
            (("input", "f"), ("f", "f"), ("f", "s")),
        ),
        "'f'",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_no_document_can_hold_is_named_in_one_sentence(name: str) -> None:
    graph, word = IMPOSSIBLE[name]
    with pytest.raises(MyelinError) as caught:
        imported_of(graph, "nirtorch", 1.0)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(MyelinError, match="universal"):
        imported_of(SMALL, "klingon")


# -- files that are none -----------------------------------------------------------------------------------


def bad_files(folder: Path) -> dict[str, Path]:
    """Files that must be refused."""
    good = FIXTURES / "snntorch.nir"
    made = {name: folder / f"{name}.nir" for name in ("empty", "text", "pickle", "half", "foreign")}
    made["empty"].write_bytes(b"")
    made["text"].write_text("these are no weights")
    made["pickle"].write_bytes(pickle.dumps(Bomb(folder / "exploded")))
    made["half"].write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    with h5py.File(made["foreign"], "w") as file:
        file["data"] = np.arange(3)
    for name, node in {"type": b"Magic", "number": 3}.items():
        made[name] = folder / f"{name}.nir"
        with h5py.File(made[name], "w") as file:
            file["node/type"] = node
    made["link"] = folder / "link.nir"
    with h5py.File(made["link"], "w") as file:
        file["node"] = h5py.ExternalLink(str(good), "/node")
    made["huge"] = folder / "huge.nir"
    with h5py.File(made["huge"], "w") as file:
        file["node/type"] = "Linear"
        file.create_dataset("node/weight", (1 << 20, 1 << 20), np.float32, chunks=(1024, 1024), fillvalue=1)
    made["nowhere"] = folder / "nowhere.nir"
    return made


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_what_is_no_nir_file_is_one_sentence_and_nothing_is_written(tmp_path: Path, capfd: Any) -> None:
    for name, path in bad_files(tmp_path).items():
        out = tmp_path / "out.myelin"
        assert main(["import", str(path), "-o", str(out)]) == 1, name
        said = capfd.readouterr().err.strip()
        assert said.count("\n") == 0, name
        assert path.name in said, name
        assert not out.exists()
        assert not out.with_suffix(".safetensors").exists()
    assert not (tmp_path / "exploded").exists()


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    content = (FIXTURES / "nested.nir").read_bytes()
    path = tmp_path / "damaged.nir"
    outcomes = set()
    for case in range(8):
        damaged = bytearray(content)
        for place in rng.integers(0, len(damaged), 40):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged if case else content[:20_000])
        outcomes.add(sentence(lambda: read(path)))
    assert any(outcomes)
    assert all("\n" not in said for said in outcomes)


def sentence(do: Callable[[], object]) -> str:
    """What the refusal says; empty where nothing was refused."""
    try:
        do()
    except MyelinError as error:
        return str(error)
    return ""


odd = st.sampled_from(
    [
        np.zeros(0),
        np.float32(-1.0),
        np.zeros(3),
        np.ones((2, 2)),
        np.full(3, 1e30),
        np.array([0.1, 5, 1]),
        "same",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_graph_is_built_or_refused(data: st.DataObject) -> None:
    """Whatever stands in the fields and edges, the answer is a document or one sentence."""
    file = data.draw(st.sampled_from(("hand", "snntorch_recurrent", "spikingjelly_conv", "sinabs")))
    graph = graphs()[file]
    nodes = dict(graph.nodes)
    for _ in range(data.draw(st.integers(0, 2))):
        name = data.draw(st.sampled_from(sorted(nodes)))
        node = nodes[name]
        key = data.draw(st.sampled_from(sorted(node.fields)))
        value = data.draw(odd)
        if isinstance(value, str) and key != "padding":
            continue
        nodes[name] = NirNode(node.type, {**node.fields, key: value})
    edges = list(graph.edges)
    if data.draw(st.booleans()):
        edges.pop(data.draw(st.integers(0, len(edges) - 1)))
    if data.draw(st.booleans()):
        edges.append((data.draw(st.sampled_from(sorted(nodes))), data.draw(st.sampled_from(sorted(nodes)))))
    dialect = data.draw(st.sampled_from(("auto", *DIALECTS)))
    built = NirGraph(nodes, tuple(dict.fromkeys(edges)))
    assert "\n" not in sentence(lambda: imported_of(built, dialect))


@cache
def graphs() -> dict[str, NirGraph]:
    return {file.stem: flattened(read_file(file)) for file in FILES}


# -- the command -------------------------------------------------------------------------------------------


def test_the_command_writes_a_document_with_its_weights(tmp_path: Path, capfd: Any) -> None:
    out = tmp_path / "net.myelin"
    assert main(["import", str(FIXTURES / "snntorch.nir"), "-o", str(out)]) == 0
    document = load(out)
    assert document.meta["weights"] == "net.safetensors"
    program = compile_document(document).program
    assert program is not None
    stored = read_arrays(program, tmp_path / "net.safetensors")
    expected = read(FIXTURES / "snntorch.nir")
    for op, own in expected.arrays.items():
        for name, array in own.items():
            np.testing.assert_array_equal(stored[op][name], array)
    assert set(tensors_of(program)[2])
    before = out.read_bytes()
    assert main(["import", str(FIXTURES / "hand.nir"), "-o", str(out)]) == 2
    assert out.read_bytes() == before
    assert main(["import", str(FIXTURES / "hand.nir"), "-o", str(out), "--force"]) == 0
    assert out.read_bytes() != before
    assert main(["run", str(out), "--duration", "10", "--out", str(tmp_path / "run")]) == 0
    capfd.readouterr()


def test_a_file_of_another_sort_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MyelinError, match=r"\.nir"):
        read(tmp_path / "network.docx")


def test_written_graphs_are_read_back(tmp_path: Path) -> None:
    for name, graph in graphs().items():
        write(tmp_path / f"{name}.nir", graph)
        again = read_file(tmp_path / f"{name}.nir")
        if name == "hand":
            assert again.nodes.keys() == read_apart(tmp_path / f"{name}.nir").nodes.keys()
        assert set(again.edges) == set(graph.edges)
        assert {k: v.type for k, v in again.nodes.items()} == {k: v.type for k, v in graph.nodes.items()}


def test_saving_names_the_weights_from_the_document(tmp_path: Path) -> None:
    save(read(FIXTURES / "snntorch.nir"), tmp_path / "a.myelin")
    assert {path.name for path in tmp_path.iterdir()} == {"a.myelin", "a.safetensors"}
