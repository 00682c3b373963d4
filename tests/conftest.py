"""What every test gets: one numeric thread, its own folders for data and caches, hypothesis profiles."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Read when torch, numpy or numba load: sums in one thread have one order, so results repeat to the bit.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings (MYELIN_SHARED, else shared/data beside the repository), or a skip."""
    folder = Path(os.environ.get("MYELIN_SHARED") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"real recordings are not here: no folder {folder}; name it in MYELIN_SHARED")
    return folder


@pytest.fixture(scope="session", autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep tests, and the processes they start, away from the user's own data, caches and settings."""
    base = tmp_path_factory.mktemp("private")
    names = {
        "MYELIN_DATA": "data",
        "XDG_CACHE_HOME": "cache",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "share",
        "XDG_STATE_HOME": "state",
        "MPLCONFIGDIR": "matplotlib",
        "TORCHINDUCTOR_CACHE_DIR": "inductor",
    }
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in names.items():
            (base / name).mkdir()
            patch.setenv(variable, str(base / name))
        yield base
