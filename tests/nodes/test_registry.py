"""A new node is one new file: it is found, checked and listed without an edit anywhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodes.spec import Node, Param, node

ROOT = Path(__file__).resolve().parents[2]
DEMO = '''
"""A demonstration neuron."""

from nodes.populations._firing import Firing, fire
from nodes.spec import Param, node


@node("population.{name}", label="Demo", keywords=("demo",))
class Demo(Firing):
    """Adds its input up, twice."""

    factor = Param(2.0, low=0.0, doc="factor on the input")
    state = {{"v": 0.0}}

    @staticmethod
    def step(ops, s, x, p, dt):
        return fire(ops, s, s.v + p.factor * x.input, p, dt)
'''
ASK = """
import json
from nodes import registry
spec = registry.get("population.NAME")
print(json.dumps({"module": spec.__module__, "params": sorted(spec.params), "known": len(registry.all())}))
"""


def ask(name: str, script: str = "", path: str = "") -> dict[str, object]:
    """What a fresh interpreter knows of ``population.<name>``."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), path)))}
    command = [sys.executable, "-c", script + ASK.replace("NAME", name)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_file_in_the_package_is_a_node(tmp_path: Path) -> None:
    (tmp_path / "demo_in_folder.py").write_text(DEMO.format(name="demo_in_folder"), encoding="utf-8")
    script = f"import nodes.populations\nnodes.populations.__path__.append({str(tmp_path)!r})\n"
    found = ask("demo_in_folder", script)
    assert found["module"] == "nodes.populations.demo_in_folder"
    assert {"factor", "size", "v_th", "refractory"} <= set(found["params"])  # type: ignore[call-overload]


def test_a_third_party_adds_nodes_by_an_entry_point(tmp_path: Path) -> None:
    (tmp_path / "somebodys_neurons.py").write_text(DEMO.format(name="demo_by_entry"), encoding="utf-8")
    info = tmp_path / "somebodys_neurons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: somebodys-neurons\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text("[myelin.nodes]\nany = somebodys_neurons\n", encoding="utf-8")
    assert ask("demo_by_entry", path=str(tmp_path))["module"] == "somebodys_neurons"


def test_a_torn_node_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    (tmp_path / "demo_torn.py").write_text("raise RuntimeError('torn')", encoding="utf-8")
    (tmp_path / "demo_leaves.py").write_text("import sys\nsys.exit(3)", encoding="utf-8")
    script = f"""
import nodes.populations
from nodes import registry
nodes.populations.__path__.append({str(tmp_path)!r})
found = [tuple(problem) for problem in registry.problems()]
assert found == [
    ("nodes.populations.demo_leaves", "myelin-studio", "SystemExit: 3"),
    ("nodes.populations.demo_torn", "myelin-studio", "RuntimeError: torn"),
], found
"""
    assert ask("lif", script)["module"] == "nodes.populations.lif"


def test_shared_helpers_are_not_nodes(tmp_path: Path) -> None:
    (tmp_path / "_demo_helper.py").write_text(
        "raise RuntimeError('a helper was imported as a node')", encoding="utf-8"
    )
    ask("lif", f"import nodes.populations\nnodes.populations.__path__.append({str(tmp_path)!r})\n")


def test_two_nodes_cannot_claim_one_type() -> None:
    with pytest.raises(ValueError, match=r"two nodes claim the type population\.lif"):

        @node("population.lif", label="Impostor")
        class Impostor(Node):
            """Not the LIF."""

            x = Param(1.0, doc="a number")
