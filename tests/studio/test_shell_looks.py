"""What a user sees first and next time: room, sight, buttons in words, keys between parts, a steady bar."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsView, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from engine.document import save
from studio.canvas.view import CanvasView
from studio.panels.training import Training
from studio.plots.base import Plot
from studio.plots.views import add_plot
from studio.session import Session
from studio.sight import KEY, Sight
from studio.status import progress_of
from studio.training.plots_base import NOTHING
from studio.training.plots_curves import Series
from studio.window import MainWindow
from tests.studio.drawings import chain

PROJECT = Path(__file__).parents[2] / "projects" / "coincidence" / "coincidence.myelin"


def in_front(window: MainWindow) -> tuple[Session, CanvasView]:
    session, canvas = window.workspace.current, window.canvas
    assert session is not None
    assert canvas is not None
    return session, canvas


def all_is_seen(canvas: CanvasView) -> bool:
    """Whether the view has come to rest with everything in it."""
    sight = canvas.findChild(Sight)
    return sight is not None and sight.settled and canvas.visible_area().contains(canvas.canvas.extent())


def focused() -> QWidget:
    found = QApplication.focusWidget()
    assert found is not None
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chain.myelin"
    save(chain(), path)
    return path


def test_a_project_is_seen_whole_when_it_opens_and_when_the_window_grows(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.files.open_copy(PROJECT)
    _, canvas = in_front(window)
    qtbot.waitUntil(lambda: all_is_seen(canvas))
    before = canvas.zoom
    window.resize(1000, 700)
    qtbot.waitUntil(lambda: canvas.zoom < before and all_is_seen(canvas))


def test_who_has_looked_elsewhere_is_left_there(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    window.files.open(file)
    _, canvas = in_front(window)
    qtbot.waitUntil(lambda: all_is_seen(canvas))
    canvas.set_zoom(3.0)
    window.resize(1200, 760)
    qtbot.waitUntil(lambda: window.width() == 1200)
    qtbot.wait(1)
    assert canvas.zoom == 3.0


def test_a_file_opens_where_it_was_looked_at_and_stays_clean(
    window: MainWindow, qtbot: QtBot, file: Path
) -> None:
    for zoom, at in ((2.0, QPointF(300, 40)), (0.5, QPointF(500, 90))):
        session = window.files.open(file)
        assert session is not None
        _, canvas = in_front(window)
        sight = canvas.findChild(Sight)
        assert sight is not None
        qtbot.waitUntil(lambda sight=sight: sight.settled)  # type: ignore[misc]
        QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
        canvas.set_zoom(zoom)
        canvas.centre_on(at)
        window.files.close(session)
        again = window.files.open(file)
        _, canvas = in_front(window)
        qtbot.waitUntil(lambda canvas=canvas, zoom=zoom: canvas.zoom == zoom)  # type: ignore[misc]
        middle = canvas.visible_area().center()
        assert (middle - at).manhattanLength() < 6 / zoom
        assert again is not None
        assert not again.dirty
        window.files.close(again)
    assert len(window.settings.texts(KEY)) == 1


def test_a_remembered_sight_that_is_damaged_or_shows_nothing_is_not_taken(
    window: MainWindow, qtbot: QtBot, file: Path
) -> None:
    for line in ("{", '["a"]', f'["{file.as_posix()}", 1.0, 90000, 90000]'):
        window.settings.put(KEY, [line])
        session = window.files.open(file)
        assert session is not None
        _, canvas = in_front(window)
        qtbot.waitUntil(lambda canvas=canvas: all_is_seen(canvas))  # type: ignore[misc]
        window.files.close(session)


def test_a_pinned_plot_is_beside_its_node_when_a_file_opens(
    window: MainWindow, qtbot: QtBot, file: Path
) -> None:
    document = chain()
    pinned = {"id": "v", "plot": "raster", "node": "c", "port": "spikes", "neurons": None, "pinned": True}
    document.edit("Plot", [{"op": "set", "path": ["views"], "value": [pinned]}])
    save(document, file)
    window.files.open(file)
    _, canvas = in_front(window)
    qtbot.waitUntil(lambda: all_is_seen(canvas))
    pin = canvas.pins.pins["v"]
    qtbot.waitUntil(pin.isVisible)
    node = canvas.mapFromScene(canvas.canvas.node_rect("c")).boundingRect()
    qtbot.waitUntil(lambda: not pin.geometry().intersects(node))
    assert canvas.viewport().rect().contains(pin.geometry())


def test_play_and_train_say_so_in_words(window: MainWindow) -> None:
    window.files.new()
    for id, title in (("run.play", "Play"), ("train.start", "Train")):
        button = window.menus.toolbar.widgetForAction(window.menus.actions[id])
        assert isinstance(button, QToolButton)
        assert button.text() == title
        assert button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        assert button.isVisible()


def test_f6_goes_round_the_parts_and_alt_digits_to_a_panel(window: MainWindow) -> None:
    window.activateWindow()
    window.files.open_copy(PROJECT)
    _, canvas = in_front(window)
    canvas.setFocus()
    fronts = [panel for id, panel in window.docks.panels.items() if window.docks.is_front(id)]
    assert len(fronts) == 3
    for part in (*fronts, canvas):
        QTest.keyClick(focused(), Qt.Key.Key_F6)
        assert part is focused() or part.isAncestorOf(focused())
    QTest.keyClick(canvas, Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert fronts[-1].isAncestorOf(focused())
    number = list(window.docks.panels).index("training") + 1
    key = Qt.Key(Qt.Key.Key_0 + number)
    QTest.keyClick(canvas, key, Qt.KeyboardModifier.AltModifier)
    assert window.docks.is_front("training")
    assert window.docks.panels["training"].isAncestorOf(focused())
    QTest.keyClick(canvas, key, Qt.KeyboardModifier.AltModifier)
    assert not window.docks.is_open("training")


@pytest.mark.parametrize(("size", "least"), [((1366, 768), (780, 380)), ((1600, 1000), (960, 480))])
def test_the_first_layout_leaves_the_canvas_most_of_a_screen(
    window: MainWindow, qtbot: QtBot, size: tuple[int, int], least: tuple[int, int]
) -> None:
    window.resize(*size)
    window.files.open_copy(PROJECT)
    _, canvas = in_front(window)
    qtbot.waitUntil(lambda: canvas.width() >= least[0] and canvas.height() >= least[1])


@pytest.mark.parametrize("id", ["plots", "training"])
def test_nothing_of_a_panel_is_cut_off_on_a_small_screen(window: MainWindow, qtbot: QtBot, id: str) -> None:
    window.resize(1366, 768)
    window.files.open_copy(PROJECT)
    session, _ = in_front(window)
    add_plot(session, "trace", next(iter(session.document.nodes)), "v")
    panel = window.panel(id)
    if isinstance(panel, Training):
        panel.stack.setCurrentWidget(panel.board)
    area = panel.parentWidget()
    assert area is not None
    qtbot.waitUntil(lambda: 0 < panel.width() <= area.width())


def test_progress_counts_epochs_from_one_and_moves_nothing(window: MainWindow, qtbot: QtBot) -> None:
    message = {"epoch": 2, "epochs": 4, "batch": 3, "batches": 10}
    assert progress_of(message) == (13, 40, "epoch 2 of 4")
    window.files.new()
    session, canvas = in_front(window)
    qtbot.waitUntil(canvas.isVisible)
    qtbot.wait(1)
    before = window.statusBar().height()
    session.runner.progress.emit(message)
    qtbot.waitUntil(window.status.progress.isVisible)
    window.status.progress.repaint()
    assert window.statusBar().height() == before


def test_a_training_without_an_epoch_says_when_its_axes_fill(window: MainWindow) -> None:
    panel = window.docks.panels["training"]
    assert isinstance(panel, Training)
    board = panel.board
    assert {part.caption.text() for part in (board.loss, board.accuracy, board.delays)} == {NOTHING}
    board.loss.show_series([Series("every batch", [0.1, 0.2], [2.0, 1.9], faint=True)])
    assert board.loss.caption.text() == "every batch"


def test_plots_of_one_node_are_told_apart_by_their_titles(
    window: MainWindow, qtbot: QtBot, file: Path
) -> None:
    session = window.files.open(file)
    assert session is not None
    for kind in ("raster", "rate", "statistics"):
        add_plot(session, kind, "c", "spikes")
    plots = {plot.view_type: plot for plot in window.findChildren(Plot)}
    titles = {kind: plots[kind].title for kind in plots}
    assert titles == {
        "raster": "cells · spikes",
        "rate": "cells · rate",
        "statistics": "cells · statistics",
    }
    spoken = {kind: plot.findChildren(QGraphicsView)[0].accessibleName() for kind, plot in plots.items()}
    assert spoken["rate"] == "Population rate of cells · rate"


def test_what_cannot_learn_is_refused_at_once(window: MainWindow, file: Path) -> None:
    said: list[str] = []
    window.workspace.message.connect(said.append)
    session = window.files.open(file)
    assert session is not None
    window.run("train.start")
    assert said[-1] == "Training needs a data set and a loss on the canvas"
    assert session.runner.state == "off"
    panel = window.docks.panels["training"]
    assert isinstance(panel, Training)
    assert panel.stack.currentWidget() is panel.words
    assert not list(file.parent.glob("*.runs"))
