"""Running a network: play, pause, step, stop, speed, stimulation, plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from studio.actions import action, has_session
from studio.plots.base import Plot
from studio.plots.brush import Brush
from studio.plots.export import FORMS, ask
from studio.plots.menu import fill
from studio.plots.timeline import SPEEDS, choose_speed, nearest_speed
from studio.records import Records
from studio.session import Session

if TYPE_CHECKING:
    from studio.window import MainWindow


def can_play(window: MainWindow) -> bool:
    """Whether a run can begin or go on."""
    session = window.workspace.current
    if session is None:
        return False
    runner = session.runner
    return runner.state in ("off", "starting", "ready", "paused") or (
        runner.stale and runner.state == "running"
    )


def runs(window: MainWindow) -> bool:
    """Whether the network in front runs."""
    session = window.workspace.current
    return session is not None and session.runner.state == "running"


def can_toggle(window: MainWindow) -> bool:
    """Whether a run can begin, go on or pause."""
    return can_play(window) or runs(window)


def can_step(window: MainWindow) -> bool:
    """Whether single steps can be made."""
    session = window.workspace.current
    return session is not None and session.runner.state in ("off", "starting", "ready", "running", "paused")


def can_stop(window: MainWindow) -> bool:
    """Whether there is something to stop."""
    session = window.workspace.current
    return session is not None and session.runner.state in ("loading", "running", "paused", "training")


def can_follow(window: MainWindow) -> bool:
    """Whether the plots show the past."""
    session = window.workspace.current
    return session is not None and not Records.of(session).follow


def brush_on(window: MainWindow) -> bool:
    """Whether the stimulus brush is taken up."""
    session = window.workspace.current
    return session is not None and Brush.of(session).on


def has_plot(window: MainWindow) -> bool:
    """Whether the document in front has plots."""
    session = window.workspace.current
    return session is not None and bool(session.document.views)


@action("run.play", "&Play", menu="Run", order=1, icon="play", toolbar=41, labelled=True, when=can_play,
        checked=runs)  # fmt: skip
def play(window: MainWindow) -> None:
    """Run the network from the beginning, or on from a pause (F5, or Space on the canvas)."""
    session = window.workspace.current
    if session is None or not _sound(window, session):
        return
    if session.document.views:
        window.panel("plots")
    session.runner.play()


@action("run.pause", "P&ause", menu="Run", order=2, icon="pause", toolbar=42, when=runs)
def pause(window: MainWindow) -> None:
    """Hold the run (F5, or Space on the canvas)."""
    if session := window.workspace.current:
        session.runner.pause()


@action("run.toggle", "Play or pause", menu="Run", order=3, keys="F5", icon="play", when=can_toggle)
def toggle(window: MainWindow) -> None:
    """Play, or pause what plays."""
    session = window.workspace.current
    if session and session.runner.state == "running" and not session.runner.stale:
        session.runner.pause()
    elif can_play(window):
        play(window)


@action("run.toggle_canvas", "Play or pause (on the canvas)", keys="Space", icon="play", when=can_toggle,
        scope="canvas")  # fmt: skip
def toggle_canvas(window: MainWindow) -> None:
    """Play, or pause what plays, by the space bar."""
    toggle(window)


@action("run.step", "S&tep", menu="Run", order=4, keys="F10", icon="step", toolbar=43, when=can_step)
def step(window: MainWindow) -> None:
    """Make one time step, or as many as the box in the plots panel says, and hold."""
    session = window.workspace.current
    if session and _sound(window, session):
        session.runner.step(session.runner.step_size)


@action("run.stop", "&Stop", menu="Run", order=5, keys="Shift+F5", icon="stop", toolbar=44, when=can_stop)
def stop(window: MainWindow) -> None:
    """End the run or the training; what was recorded stays to look at."""
    if session := window.workspace.current:
        session.runner.stop()


@action(
    "run.faster",
    "&Faster",
    menu="Run",
    section=1,
    order=1,
    keys="]",
    icon="up",
    when=has_session,
    scope="canvas",
)
def faster(window: MainWindow) -> None:
    """Run at the next higher speed."""
    _speed(window, 1)


@action(
    "run.slower",
    "S&lower",
    menu="Run",
    section=1,
    order=2,
    keys="[",
    icon="down",
    when=has_session,
    scope="canvas",
)
def slower(window: MainWindow) -> None:
    """Run at the next lower speed."""
    _speed(window, -1)


@action("run.live", "Back to the p&resent", menu="Run", section=1, order=3, icon="right", when=can_follow)
def live(window: MainWindow) -> None:
    """Let the plots follow the run again after scrubbing."""
    if session := window.workspace.current:
        Records.of(session).go_live()


@action(
    "run.stimulate", "Stimulus &brush", menu="Run", section=2, order=1, keys="B", icon="stimulate",
    when=has_session, checked=brush_on, scope="canvas",
)  # fmt: skip
def stimulate(window: MainWindow) -> None:
    """Take up the brush, or put it down: a click on a neuron or population gives it a pulse of current."""
    if session := window.workspace.current:
        brush = Brush.of(session)
        brush.switch(not brush.on)
        if brush.on:
            session.noticed.emit(
                "Click a neuron in a raster, or a population on the canvas, to stimulate it."
            )


@action("run.add_plot", "&Add plot", menu="Run", section=2, order=2, icon="raster", when=has_session)
def add_plot(window: MainWindow) -> None:
    """Plot a signal of the selected nodes, or of any node."""
    session = window.workspace.current
    if session is None:
        return
    panel = window.panel("plots")
    menu = QMenu(panel)
    fill(menu, session)
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(QCursor.pos())


def _exporter(form: str) -> None:
    @action(f"run.export_{form}", f"Export plot as {form.upper()}", icon="export", when=has_plot)
    def export(window: MainWindow) -> None:
        """Write the plot that has the focus, or the first one, to a file."""
        found = _focused() or next(iter(window.panel("plots").findChildren(Plot)), None)
        if isinstance(found, Plot):
            ask(found, form)


for _form in FORMS:
    _exporter(_form)


def _focused() -> Plot | None:
    widget: QWidget | None = QApplication.focusWidget()
    while widget is not None and not isinstance(widget, Plot):
        widget = widget.parentWidget()
    return widget


def _speed(window: MainWindow, direction: int) -> None:
    if session := window.workspace.current:
        place = nearest_speed(session.runner.speed.get("factor")) + direction
        choose_speed(session, SPEEDS[min(max(place, 0), len(SPEEDS) - 1)])


def _sound(window: MainWindow, session: Session) -> bool:
    """Whether the drawing can run; if not, say why and show the problems."""
    errors = [found for found in session.problems.diagnostics if found.severity == "error"]
    if not session.checker.settled or not errors:
        return True
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    session.refused.emit(f"This cannot run yet: {errors[0].message}{more}")
    window.panel("problems")
    return False
