"""The start-up check: one sentence for each known cause of failure, before anything heavy is imported."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from studio import app, selfcheck


def pretend(monkeypatch: pytest.MonkeyPatch, qt: tuple[int, ...], python: tuple[int, ...]) -> None:
    monkeypatch.setattr(selfcheck, "qt_version", lambda: qt)
    monkeypatch.setattr(selfcheck, "python_version", lambda: python)


@pytest.mark.parametrize(
    ("qt", "python", "says"),
    [
        ((6, 12), (3, 11), "PySide6 6.12 is known to crash on Python 3.11"),
        ((6, 5), (3, 12), "needs PySide6 6.8 or newer and this is 6.5"),
        ((), (3, 12), "PySide6, which is not installed"),
    ],
)
def test_a_bad_pair_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    qt: tuple[int, ...],
    python: tuple[int, ...],
    says: str,
) -> None:
    pretend(monkeypatch, qt, python)
    assert app.main([]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(("qt", "python"), [((6, 11), (3, 11)), ((6, 12), (3, 12)), ((6, 8), (3, 13))])
def test_good_pairs_pass(
    monkeypatch: pytest.MonkeyPatch, qt: tuple[int, ...], python: tuple[int, ...]
) -> None:
    pretend(monkeypatch, qt, python)
    monkeypatch.setattr(selfcheck, "_loads", lambda library: True)
    assert selfcheck.problem() is None


@pytest.mark.parametrize("missing", selfcheck.LIBRARIES | selfcheck.XCB_LIBRARIES)
def test_a_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    pretend(monkeypatch, (6, 11), (3, 11))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setattr(selfcheck, "_loads", lambda library: library != missing)
    said = selfcheck.problem() or ""
    assert missing in said
    assert f"apt install {(selfcheck.LIBRARIES | selfcheck.XCB_LIBRARIES)[missing]}`" in said


def test_a_library_that_is_not_there_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert not selfcheck._loads("libEGL.so.1")


def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, (6, 11), (3, 11))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(selfcheck, "_loads", lambda library: True)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert "no display" in (selfcheck.problem() or "")


def test_the_check_itself_imports_no_qt() -> None:
    code = "import sys, studio.app; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"PySide6", "torch", "numpy"} & set(eval(done.stdout))


HEAVY = ("torch", "lightning", "pytorch_lightning", "scipy", "h5py", "numba", "tensorboard", "optuna")


def test_the_window_is_built_without_torch_and_other_heavy_libraries() -> None:
    code = (
        "import sys; from studio.app import make_application; app = make_application();"
        "from studio.window import MainWindow; window = MainWindow(); window.show(); app.processEvents();"
        f"print([name for name in {HEAVY} if name in sys.modules]); window.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
