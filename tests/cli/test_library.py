"""nodes, new-node, data and doctor."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import doctor
from engine.cli.new_node import templates
from engine.versions import installed, requirements
from nodes import registry
from tests.cli.conftest import Myelin

ROOT = Path(__file__).resolve().parents[2]


def test_all_nodes_are_listed_by_category(myelin: Myelin) -> None:
    out = myelin("nodes").out
    assert [name for name in registry.all() if name not in out] == []
    assert {spec.category for spec in registry.all().values()} <= {line.strip() for line in out.splitlines()}


@pytest.mark.parametrize("name", registry.all())
def test_every_node_has_a_help_page(myelin: Myelin, name: str) -> None:
    done = myelin("nodes", name)
    assert done.status == 0
    spec = registry.all()[name]
    assert spec.label in done.out
    assert [param for param in spec.params if f"  {param}  " not in done.out] == []
    assert [port for port in (*spec.inputs, *spec.outputs) if f"  {port}  " not in done.out] == []


def test_the_page_of_a_node(myelin: Myelin) -> None:
    out = myelin("nodes", "lif").out
    assert "LIF  (population.lif, version 1)  Populations" in out
    assert "tau_mem dv/dt = -(v - v_leak) + R I" in out
    row = next(line.split() for line in out.splitlines() if line.startswith("  tau_mem "))
    assert row[:6] == ["tau_mem", "20.0", "ms", "0.01", "to", "1e+06"]
    assert "subtract, zero, value, none" in out


def test_nodes_as_json(myelin: Myelin) -> None:
    found = json.loads(myelin("nodes", "--json").out)
    assert set(found) == set(registry.all())
    tau = found["population.lif"]["params"]["tau_mem"]
    assert (tau["default"], tau["unit"], tau["low"], tau["trainable"]) == (20.0, "ms", 0.01, True)


def test_nodes_as_json_where_standard_output_knows_only_ascii() -> None:
    command = [sys.executable, "-m", "engine.cli", "nodes", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert set(json.loads(done.stdout)) == set(registry.all())


def test_the_nearest_node_is_offered(myelin: Myelin) -> None:
    assert myelin("nodes", "population.liff").err == (
        "myelin: there is no node 'population.liff' (did you mean population.lif?)\n"
    )


def test_data_sets_are_listed(myelin: Myelin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYELIN_DATA", str(tmp_path))
    (tmp_path / "shd").mkdir()
    for name in ("shd_train.h5", "shd_test.h5"):
        (tmp_path / "shd" / name).touch()
    found = json.loads(myelin("data", "list", "--json").out)
    assert found["folder"] == str(tmp_path)
    assert found["data_sets"]["shd"]["at_hand"]
    assert not found["data_sets"]["ssc"]["at_hand"]
    rows = {line.split()[0]: line for line in myelin("data", "list").out.splitlines() if line.strip()}
    assert rows["shd"].rstrip().endswith("yes")
    assert rows["ssc"].rstrip().endswith("no")


def test_data_comes_from_a_folder(myelin: Myelin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYELIN_DATA", str(tmp_path / "data"))
    (tmp_path / "mirror").mkdir()
    for name in ("shd_train.h5", "shd_test.h5"):
        (tmp_path / "mirror" / name).write_bytes(b"spikes")
    done = myelin("data", "get", "shd", "--from", tmp_path / "mirror")
    assert done.status == 0
    assert [Path(line).read_bytes() for line in done.out.splitlines()] == [b"spikes", b"spikes"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["shdd"], "there is no data set 'shdd'"), (["shd", "--from", "/nowhere"], "/nowhere is no folder")],
)
def test_data_that_cannot_be_had(myelin: Myelin, arguments: list[str], words: str) -> None:
    done = myelin("data", "get", *arguments)
    assert done.status == 1
    assert done.err.startswith("myelin: ")
    assert done.err.count("\n") == 1
    assert words in done.err


def test_doctor_finds_this_installation_sound(myelin: Myelin) -> None:
    found = json.loads(myelin("doctor", "--json").out)["findings"]
    values = {finding["what"]: finding["value"] for finding in found}
    assert values["torch"] == installed("torch")
    assert values["python"].startswith(sys.version.split()[0])
    needed = {requirement.name for requirement, extra in requirements() if not extra}
    assert needed <= set(values)
    assert "MYELIN_DATA" not in values["data folder"]


def test_doctor_advises_on_a_wrong_release(myelin: Myelin, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [needed.name.lower() for needed, _ in requirements()]
    qt = next(name for name in names if name.startswith("pyside6"))
    releases = {qt: "9.0", "numpy": "1.0", "typer": ""}
    monkeypatch.setattr(doctor, "installed", lambda name: releases.get(name.lower(), installed(name)))
    done = myelin("doctor")
    assert done.status == 1
    lines = [line for line in done.out.splitlines() if line.startswith("problem: ")]
    problems = {line.split(": ")[1].lower(): line for line in lines}
    assert set(releases) <= set(problems)
    assert "pip install" in problems[qt]
    assert "not installed" in problems["typer"]


def test_doctor_sees_a_full_disk(myelin: Myelin, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(ROOT)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    done = myelin("doctor")
    assert done.status == 1
    assert "make room" in done.out


def test_doctor_sees_a_broken_plugin(myelin: Myelin, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name, dist = "nice_neuron", None

        def load(self) -> None:
            raise RuntimeError("torn")

    monkeypatch.setattr(doctor, "entry_points", lambda group: [Broken()] if group == "myelin.nodes" else [])
    done = myelin("doctor")
    assert done.status == 1
    assert "nice_neuron: it cannot be loaded (RuntimeError: torn)" in done.out


@pytest.mark.parametrize(
    ("script", "advice"),
    [
        ('print(\'{"threads": 2, "cuda": ["H100"], "mps": false}\')', ""),
        ("raise ImportError('libtorch is torn')", "PyTorch does not start"),
    ],
)
def test_doctor_asks_torch_in_another_process(
    monkeypatch: pytest.MonkeyPatch, script: str, advice: str
) -> None:
    monkeypatch.setattr(doctor, "ASK_TORCH", script)
    found = list(doctor._devices())
    assert any(finding.advice.startswith(advice) for finding in found)
    assert any("H100" in finding.value or "libtorch is torn" in finding.value for finding in found)


def test_the_table_of_diagnostics_is_up_to_date(myelin: Myelin) -> None:
    """When it is not: `myelin doctor --codes > resources/help/diagnostics.md`."""
    kept = (ROOT / "resources" / "help" / "diagnostics.md").read_text(encoding="utf-8")
    assert myelin("doctor", "--codes").out == kept
    assert "| MYL160 | error | a loop has no delay |" in kept


@pytest.mark.slow
@pytest.mark.parametrize("sort", sorted(templates()))
def test_a_new_node_is_one_file_that_obeys_every_law(myelin: Myelin, tmp_path: Path, sort: str) -> None:
    """In a copy of the library: nothing but the new file changes, and all laws of nodes hold for it."""
    for folder in ("nodes", "engine", "tests/nodes"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests" / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    done = myelin("new-node", sort, "demo_one", "--dir", tmp_path / "nodes" / templates()[sort].parent.name)
    assert done.status == 0
    assert f"myelin nodes {sort}.demo_one" in done.out
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/nodes/test_all_nodes.py",
        "-k",
        "demo_one",
    ]
    tested = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert " passed" in tested.stdout
    assert "demo_one" not in (tmp_path / "nodes" / "registry.py").read_text()


@pytest.mark.parametrize(
    "name", ["Big", "2cells", "my-neuron", "class", "_hidden", "lif", "naïve", "a.b", "../x"]
)
def test_names_that_no_node_can_have(myelin: Myelin, tmp_path: Path, name: str) -> None:
    done = myelin("new-node", "population", name, "--dir", tmp_path)
    assert done.status == 2
    assert done.err.startswith("myelin: ")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_new_node_overwrites_nothing(myelin: Myelin, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("precious")
    done = myelin("new-node", "population", "mine", "--dir", tmp_path)
    assert done.status == 1
    assert "exists already" in done.err
    assert (tmp_path / "mine.py").read_text() == "precious"


def test_an_unknown_sort_of_node(myelin: Myelin, tmp_path: Path) -> None:
    done = myelin("new-node", "populaton", "mine", "--dir", tmp_path)
    assert done.err == "myelin: there is no template for 'populaton' (did you mean population?)\n"
