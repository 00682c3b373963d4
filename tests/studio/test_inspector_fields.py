"""Editors of parameters: what is typed, stepped and dragged, and every parameter of every node."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.recipe import RUN, TRAIN
from nodes import registry
from nodes.spec import Param
from studio.fields import MIXED, FieldEditor, editor_for
from studio.fields._line import LineField
from studio.fields._quantity import Scale, nudged, number_text, parse
from studio.fields.choice import ChoiceField
from studio.fields.flag import FlagField
from studio.fields.names import NamesField
from studio.fields.number import NumberField
from studio.fields.path import PathField

MS = Param(20.0, "ms", low=0.1, high=1e4, doc="time constant")
EVERY = {type: spec.params for type, spec in registry.all().items()} | {"train": TRAIN, "run": RUN}


def line_of(editor: FieldEditor) -> Any:
    assert isinstance(editor, LineField)
    return editor.line


def made(qtbot: QtBot, param: Param, value: Any = None) -> tuple[Any, list[tuple[Any, bool]]]:
    editor = editor_for(param)
    qtbot.addWidget(editor)
    told: list[tuple[Any, bool]] = []

    def take(wanted: Any, more: bool) -> None:
        told.append((wanted, more))
        editor.show_value(wanted)

    editor.changed.connect(take)
    editor.show_value(param.default if value is None else value)
    editor.show()
    editor.activateWindow()
    qtbot.waitUntil(editor.isActiveWindow)
    return editor, told


def typed(qtbot: QtBot, editor: Any, text: str) -> None:
    editor.line.setFocus()
    editor.line.selectAll()
    qtbot.keyClick(editor.line, Qt.Key.Key_Delete)
    qtbot.keyClicks(editor.line, text)
    qtbot.keyClick(editor.line, Qt.Key.Key_Return)


READ = [
    ("20m", "ms", 20.0),
    ("0.02 s", "ms", 20.0),
    ("2e-3", "ms", 0.002),
    ("1k", "ms", 1000.0),
    ("50 us", "ms", 0.05),
    ("50 µs", "ms", 0.05),
    ("1k", "Hz", 1000.0),
    ("1.5 kHz", "Hz", 1500.0),
    ("1k", "", 1000.0),
    ("5m", "", 0.005),
    ("40 %", "", 0.4),
    ("−3", "", -3.0),
    (" 7 ms ", "ms", 7.0),
    (".5", "", 0.5),
    ("3 steps", "steps", 3.0),
    ("0.3", "ms", 0.3),
]
UNREADABLE = [
    ("0,5", "", "point"),
    ("abc", "ms", "not a number"),
    ("", "ms", "not a number"),
    ("5 V", "ms", "does not go with ms"),
    ("3 ms", "", "plain number"),
    ("5 %", "ms", "does not go with"),
    ("1 2", "", "not a number"),
    ("inf", "", "not a number"),
]


def test_numbers_are_read_in_their_unit() -> None:
    for text, unit, value in READ:
        assert parse(text, unit, whole=False) == value, text


def test_what_is_no_number_is_told_in_words() -> None:
    for text, unit, sentence in UNREADABLE:
        with pytest.raises(ValueError, match=sentence):
            parse(text, unit, whole=False)


def test_whole_numbers_stay_whole() -> None:
    assert parse("1k", "", whole=True) == 1000
    assert isinstance(parse("1e3", "", whole=True), int)
    assert isinstance(parse("2.5", "", whole=True), float)  # and the parameter says why that cannot stand


def test_steps_follow_the_magnitude_and_stop_at_the_bounds() -> None:
    assert nudged(20.0, 1, MS) == 21.0
    assert nudged(0.5, -1, MS) == 0.49
    assert nudged(0.3, 0.1, MS) == 0.301
    assert nudged(100.0, 10, MS) == 200.0
    assert nudged(0.1, -5, MS) == 0.1
    assert nudged(9999.0, 90, MS) == 1e4


def test_a_range_over_decades_is_logarithmic() -> None:
    wide, narrow = Scale.of(MS), Scale.of(Param(0.4, low=0.0, high=0.99))
    assert wide
    assert wide.log
    assert narrow
    assert not narrow.log
    assert wide.place(wide.value(0.5)) == pytest.approx(0.5, abs=0.01)
    assert (wide.value(0), wide.value(1)) == (0.1, 1e4)
    assert Scale.of(Param(1.0)) == Scale(-4.0, 4.0, False, False)
    assert Scale.of(Param(1.0, low=-1e6, high=1e6)) == Scale(-4.0, 4.0, False, False)
    assert Scale.of(Param(7)) is None
    assert Scale.of(Param(0, low=0, high=2**31)) is None


@pytest.mark.parametrize("roles", [("population",), ("projection", "delays"), ("dataset",), ()])
def test_every_parameter_goes_through_its_editor_and_back(qtbot: QtBot, roles: tuple[str, ...]) -> None:
    """Of the node types of some roles; no roles: of all others, and of the recipes."""
    named = ("population", "projection", "delays", "dataset")
    for owner, params in EVERY.items():
        role = owner.partition(".")[0]
        if role in roles or (not roles and role not in named):
            for param in params.values():
                goes_through(qtbot, param)


def goes_through(qtbot: QtBot, param: Param) -> None:
    editor = editor_for(param)
    qtbot.addWidget(editor)
    told: list[Any] = []
    editor.changed.connect(lambda value, more: told.append(value))
    for value in (param.default, *other_values(param)):
        editor.show_value(value)
        editor.commit()
        assert told == []  # showing is not changing
        if isinstance(editor, LineField):
            text = editor.line.text()
            assert editor.parse(text) == value
            assert param.problem(editor.parse(text)) is None
    editor.show_value(MIXED)
    editor.commit()
    assert told == []


def other_values(param: Param) -> list[Any]:
    """Some further valid values of a parameter."""
    found = [value for value in (param.low, param.high, 0.1, 3, 1e-7) if value is not None]
    if param.kind == "int":
        found = [int(value) for value in found if value == int(value)]
    by_kind = {
        "float": found, "int": found, "str": ["x y"], "path": ["a/b.npz"], "shape": [[28, 28], [3]],
        "list": [[1.5, 2], [[1, 2], [3, 4]], ["a"]], "choice": list(param.choices), "bool": [True, False],
        "names": [[], list(param.choices)],
    }  # fmt: skip
    return [value for value in by_kind[param.kind] if param.problem(value) is None]


def test_typing_a_unit_and_pressing_enter_tells_one_value(qtbot: QtBot) -> None:
    editor, told = made(qtbot, MS)
    typed(qtbot, editor, "0.05 s")
    assert told == [(50.0, False)]
    assert editor.line.text() == "50"


def test_out_of_range_says_why_and_keeps_what_was_typed(qtbot: QtBot) -> None:
    editor, told = made(qtbot, MS)
    said: list[str] = []
    editor.refused.connect(said.append)
    typed(qtbot, editor, "2e9")
    assert told == []
    assert "at most 10,000 ms" in said[-1]
    assert editor.line.text() == "2e9"
    qtbot.keyClick(editor.line, Qt.Key.Key_Backspace)
    qtbot.keyClick(editor.line, Qt.Key.Key_Backspace)
    assert said[-1] == ""  # 2 is possible
    qtbot.keyClick(editor.line, Qt.Key.Key_Escape)
    assert editor.line.text() == "20"
    assert said[-1] == ""


def test_leaving_the_line_takes_what_is_typed(qtbot: QtBot) -> None:
    editor, told = made(qtbot, MS)
    editor.line.setFocus()
    editor.line.selectAll()
    qtbot.keyClicks(editor.line, "5")
    editor.line.clearFocus()
    assert told == [(5.0, False)]


def test_arrows_step_and_a_held_arrow_is_one_movement(qtbot: QtBot) -> None:
    editor, told = made(qtbot, MS)
    ends: list[int] = []
    editor.finished.connect(lambda: ends.append(len(told)))
    editor.line.setFocus()
    qtbot.keyPress(editor.line, Qt.Key.Key_Up)
    qtbot.keyPress(editor.line, Qt.Key.Key_Up)
    qtbot.keyRelease(editor.line, Qt.Key.Key_Up)
    qtbot.keyClick(editor.line, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert told == [(21.0, True), (22.0, True), (12.0, True)]
    assert ends == [2, 3]


def test_the_wheel_steps_only_with_the_focus(qtbot: QtBot) -> None:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    editor, told = made(qtbot, MS)

    def turn() -> None:
        none = Qt.KeyboardModifier.NoModifier
        event = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, none,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(editor.line, event)

    editor.line.clearFocus()
    turn()
    assert told == []
    editor.line.setFocus()
    turn()
    assert told == [(21.0, True)]


def test_a_slider_tells_its_values_and_its_end(qtbot: QtBot) -> None:
    editor, told = made(qtbot, MS)
    assert isinstance(editor, NumberField)
    slider = editor.slider
    assert slider is not None
    editor.resize(320, 30)
    ends: list[bool] = []
    editor.finished.connect(lambda: ends.append(True))
    from PySide6.QtWidgets import QStyle, QStyleOptionSlider

    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    handle = slider.style().subControlRect(
        QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider
    )
    start = handle.center()
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=start)
    for x in (5, 10, 20):
        qtbot.mouseMove(slider, start + QPoint(x, 0))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=start + QPoint(20, 0))
    assert told
    assert all(more for _, more in told)
    assert [value for value, _ in told] == sorted(value for value, _ in told)
    assert ends == [True]


def test_what_is_typed_survives_an_edit_elsewhere(qtbot: QtBot) -> None:
    editor, _ = made(qtbot, MS)
    editor.line.setFocus()
    editor.line.selectAll()
    qtbot.keyClicks(editor.line, "12")
    editor.show_value(20.0)  # the document told once more what it holds
    assert editor.line.text() == "12"
    editor.show_value(33.0)  # and now something else
    assert editor.line.text() == "33"


def test_choices_names_and_flags_tell_clicks(qtbot: QtBot) -> None:
    choice, told = made(qtbot, Param("a", choices=("a", "b")))
    assert isinstance(choice, ChoiceField)
    choice.combo.setFocus()
    qtbot.keyClick(choice.combo, Qt.Key.Key_Down)
    assert told == [("b", False)]
    names, told = made(qtbot, Param([], kind="names", choices=("v", "w")))
    assert isinstance(names, NamesField)
    qtbot.mouseClick(names.boxes["w"], Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert told == [(["w"], False)]
    flag, told = made(qtbot, Param(True))
    assert isinstance(flag, FlagField)
    assert flag.box.text() == "on"
    qtbot.mouseClick(flag.box, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert told == [(False, False)]
    assert flag.box.text() == "off"
    flag.show_value(MIXED)
    assert flag.box.text() == "mixed"
    qtbot.mouseClick(flag.box, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert told[-1] == (True, False)


def test_shapes_are_read_as_people_write_them(qtbot: QtBot) -> None:
    for text in ("28x28", "28 × 28", "28, 28", "[28, 28]", "28 28"):
        editor, told = made(qtbot, Param([], kind="shape"))
        typed(qtbot, editor, text)
        assert told == [([28, 28], False)]
        assert editor.line.text() == "28 x 28"


def test_a_shape_of_nonsense_is_refused(qtbot: QtBot) -> None:
    editor, told = made(qtbot, Param([3], kind="shape"))
    said: list[str] = []
    editor.refused.connect(said.append)
    for text, words in (
        ("big", "not a shape"),
        ("0", "positive"),
        ("-4", "positive"),
        ("99999 x 99999", "at most"),
    ):
        typed(qtbot, editor, text)
        assert words in said[-1]
    assert told == []


def test_lists_are_read_with_or_without_brackets(qtbot: QtBot) -> None:
    table = {
        "1, 2, 3": [1, 2, 3],
        "[1, 2]": [1, 2],
        "[[1, 2], [3, 4]]": [[1, 2], [3, 4]],
        "[1], [2]": [[1], [2]],
        "": [],
    }
    for text, value in table.items():
        editor, told = made(qtbot, Param([0], kind="list"))
        typed(qtbot, editor, text)
        assert told == [(value, False)], text


def test_a_very_long_list_is_told_by_its_length(qtbot: QtBot) -> None:
    editor, _ = made(qtbot, Param([], kind="list"), list(range(5000)))
    assert line_of(editor).text() == "5,000 entries"
    assert line_of(editor).isReadOnly()


def test_a_path_below_the_document_is_kept_relative(qtbot: QtBot, tmp_path: Any, monkeypatch: Any) -> None:
    from PySide6.QtWidgets import QFileDialog

    editor, told = made(qtbot, Param("", kind="path"))
    assert isinstance(editor, PathField)
    editor.folder = tmp_path
    chosen = tmp_path.resolve() / "data" / "a.npz"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *given: (str(chosen), ""))
    editor.browse.menu().actions()[0].trigger()
    assert told == [("data/a.npz", False)]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *given: ("", ""))
    editor.browse.menu().actions()[0].trigger()
    assert len(told) == 1


def test_numbers_are_written_as_short_as_they_read_back() -> None:
    for value in (0.1, 20.0, 1e-5, 1e20, 2 / 3, -3.0, 0.0):
        assert float(number_text(value)) == value
    assert number_text(20.0) == "20"
