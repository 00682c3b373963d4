"""Looks for what is known to make the window fail, before anything heavy is imported: one sentence each."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.metadata import PackageNotFoundError, version

from engine.bootstrap import has_display

OLDEST = (6, 8)
PAIRS_THAT_CRASH = (((6, 12), (3, 11)),)
"""PySide6 and Python: this pair loses a reference to None on every void call and dies after some thousand."""

LIBRARIES = {"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1"}
"""What PySide6 on Linux takes from the system, and the Debian and Ubuntu package that has it."""

XCB_LIBRARIES = {"libxcb-cursor.so.0": "libxcb-cursor0", "libxkbcommon-x11.so.0": "libxkbcommon-x11-0"}
"""What windows under X need besides."""


def problem() -> str | None:
    """The first reason why the window cannot open here; None if there is none."""
    return _qt_problem() or _pair_problem() or _library_problem() or _display_problem()


def qt_version() -> tuple[int, ...]:
    """Major and minor version of the installed PySide6; () if there is none."""
    for name in ("PySide6-Essentials", "PySide6"):
        try:
            return tuple(int(part) for part in version(name).split(".")[:2])
        except (PackageNotFoundError, ValueError):
            continue
    return ()


def python_version() -> tuple[int, ...]:
    """Major and minor version of this Python."""
    return sys.version_info[:2]


def _qt_problem() -> str | None:
    found = qt_version()
    if not found:
        return "the window needs PySide6, which is not installed; run `python -m studio` in Myelin's folder."
    if found < OLDEST:
        return (
            f"the window needs PySide6 {_dotted(OLDEST)} or newer and this is {_dotted(found)}; run "
            '`pip install -U "PySide6-Essentials>=6.8,<6.12"`.'
        )
    return None


def _pair_problem() -> str | None:
    pair = qt_version(), python_version()
    if pair not in PAIRS_THAT_CRASH:
        return None
    qt, python = map(_dotted, pair)
    return (
        f"PySide6 {qt} is known to crash on Python {python}; run "
        '`pip install "PySide6-Essentials<6.12"`, or use Python 3.12 or newer.'
    )


def _library_problem() -> str | None:
    if not sys.platform.startswith("linux"):
        return None
    needed = LIBRARIES | (XCB_LIBRARIES if _needs_xcb() else {})
    missing = [name for name in needed if not _loads(name)]
    if not missing:
        return None
    packages = " ".join(needed[name] for name in missing)
    return (
        f"the window needs {' and '.join(missing)} of the system; on Debian and Ubuntu run "
        f"`sudo apt install {packages}`."
    )


def _display_problem() -> str | None:
    if has_display():
        return None
    return "there is no display to open a window on; without one use the `myelin` command."


def _needs_xcb() -> bool:
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    under_wayland = bool(os.environ.get("WAYLAND_DISPLAY"))
    return platform.startswith("xcb") or (not platform and not under_wayland)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
