"""What import-linter cannot see: which heavy packages are really loaded with a floor's modules."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TORCH = {"torch", "lightning", "pytorch_lightning"}
QT = {"PySide6", "pyqtgraph"}

# Imports a module and, of a package, everything in it; prints the top-level packages loaded then.
LOAD_ALL = """
import importlib, pkgutil, sys
top = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(getattr(top, "__path__", []), top.__name__ + "."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

LOAD_ONE = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def exists(module: str) -> bool:
    """Whether `module` can be found; a missing parent counts as absent."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def loaded_by(script: str, module: str) -> set[str]:
    """Return the top-level packages that a fresh Python holds after running `script` for `module`."""
    command = [sys.executable, "-c", script, module]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["nodes", "engine.document", "engine.compile", "engine.codegen", "engine.program", "engine.bootstrap"],
)
def test_no_module_of_a_light_floor_loads_torch_or_qt(module: str) -> None:
    if not exists(module):
        pytest.skip(f"{module} is not in this tree yet")
    assert loaded_by(LOAD_ALL, module) & (TORCH | QT) == set()


@pytest.mark.parametrize(
    "module", ["engine", "engine.run.protocol", "engine.run.client", "engine.cli", "studio"]
)
def test_importing_an_entry_loads_no_torch_and_no_qt(module: str) -> None:
    if not exists(module):
        pytest.skip(f"{module} is not in this tree yet")
    assert loaded_by(LOAD_ONE, module) & (TORCH | QT) == set()


def test_the_probe_sees_torch_where_torch_is_loaded() -> None:
    assert "torch" in loaded_by(LOAD_ONE, "torch")
