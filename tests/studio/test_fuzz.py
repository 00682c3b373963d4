"""Whatever one does to the window: no error, the canvas shows the document, undo leads back to its bytes.

``MYELIN_FUZZ=500 pytest tests/studio/test_fuzz.py`` tries so many lives, other ones each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication
from pytestqt.exceptions import capture_exceptions

from engine.document import Document, dumps, loads
from studio.canvas.scene import CanvasScene
from studio.search import USES
from studio.window import MainWindow
from tests.studio.drawings import chain, grouped, seen
from tests.studio.monkey import Monkey, acts

EXAMPLES, LONGEST = 50, 40
HARMLESS = ("This plugin does not support",)
"""Of what Qt says, what only the off-screen platform is to blame for."""

numbers = st.integers(0, 199)
lives = st.lists(st.tuples(st.sampled_from(sorted(acts())), numbers, numbers, numbers), max_size=LONGEST)
beginnings = st.sampled_from(
    [partial(Document.new, "Untitled"), chain, grouped, partial(grouped, collapsed=True)]
)


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What Qt warns of."""
    heard: list[str] = []

    def hear(kind: QtMsgType, context: object, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not any(h in text for h in HARMLESS):
            heard.append(text)

    before = qInstallMessageHandler(hear)
    yield heard
    qInstallMessageHandler(before)


def agrees(monkey: Monkey) -> None:
    """The canvas shows what a canvas opened now would show."""
    monkey.view.cancel_gesture()
    fresh = CanvasScene(monkey.session)
    shown, wanted = seen(monkey.view.canvas), seen(fresh)
    fresh.deleteLater()
    assert shown.keys() == wanted.keys()
    different = {key: (shown[key], wanted[key]) for key in shown if shown[key] != wanted[key]}
    assert not different, different


def there_and_back(monkey: Monkey) -> None:
    """Undo everything, then redo it: the bytes of the beginning, and those of the end."""
    session = monkey.session
    session.select(())  # takes what is still being typed
    monkey.settle()
    agrees(monkey)
    last, steps = dumps(session.document), len(session.history.done)
    assert dumps(loads(last)) == last
    for place, wanted in ((0, monkey.first), (steps, last)):
        session.go_to(place)
        monkey.settle()
        assert dumps(session.document) == wanted
        agrees(monkey)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_is_done_can_be_undone(window: MainWindow, complaints: list[str]) -> None:
    many = int(os.environ.get("MYELIN_FUZZ", 0))
    window.resize(1400, 900)

    @settings(
        max_examples=many or EXAMPLES, derandomize=not many, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), print_blob=True, report_multiple_bugs=False,
    )  # fmt: skip
    @given(begin=beginnings, life=lives)
    def live(begin: Callable[[], Document], life: list[tuple[str, int, int, int]]) -> None:
        complaints.clear()
        QGuiApplication.clipboard().clear()
        window.settings.put(USES, "")
        with capture_exceptions() as raised:
            monkey = Monkey(window, begin())
            try:
                for name, *how in life:
                    monkey.act(name, *how)
                    assert not [*raised, *complaints], (name, how)
                there_and_back(monkey)
            finally:
                monkey.leave()
        assert not [*raised, *complaints]

    live()
