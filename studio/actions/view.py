"""What one sees of the canvas: zoom, grid, minimap, layout, and the drawing as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from engine.document import DocumentError
from studio.actions import action
from studio.arranging import Arranging
from studio.canvas.picture import export_picture

if TYPE_CHECKING:
    from studio.window import MainWindow

STEP = 1.25


def has_canvas(window: MainWindow) -> bool:
    """Whether a canvas is in front."""
    return window.canvas is not None


def grid_shown(window: MainWindow) -> bool:
    """Whether the canvas in front has a grid."""
    return window.canvas is not None and window.canvas.grid


def snaps(window: MainWindow) -> bool:
    """Whether what is moved snaps."""
    return window.canvas is not None and window.canvas.snap


def minimap_shown(window: MainWindow) -> bool:
    """Whether the canvas in front has its minimap."""
    return window.canvas is not None and window.canvas.minimap_shown


@action("view.zoom_in", "Zoom &in", menu="View", section=1, order=1, keys="Ctrl++; Ctrl+=", icon="zoomin",
        when=has_canvas)  # fmt: skip
def zoom_in(window: MainWindow) -> None:
    """Show the canvas larger."""
    if window.canvas:
        window.canvas.zoom_by(STEP)


@action("view.zoom_out", "Zoom &out", menu="View", section=1, order=2, keys="Ctrl+-", icon="zoomout",
        when=has_canvas)  # fmt: skip
def zoom_out(window: MainWindow) -> None:
    """Show the canvas smaller."""
    if window.canvas:
        window.canvas.zoom_by(1 / STEP)


@action("view.zoom_100", "Zoom to &100 %", menu="View", section=1, order=3, keys="Ctrl+0",
        icon="hundred", when=has_canvas)  # fmt: skip
def zoom_100(window: MainWindow) -> None:
    """Show the canvas at its own size."""
    if window.canvas:
        window.canvas.set_zoom(1.0)


@action("view.fit", "&Fit selection or all", menu="View", section=1, order=4, keys="F", icon="fit",
        toolbar=30, when=has_canvas, scope="canvas")  # fmt: skip
def fit(window: MainWindow) -> None:
    """Show what is selected as large as it fits; everything if nothing is selected."""
    if window.canvas and window.canvas.session.selection:
        window.canvas.fit_selection()
    elif window.canvas:
        window.canvas.fit_all()


@action(
    "view.fit_all", "Fit &all", menu="View", section=1, order=5, keys="Home", icon="fit", when=has_canvas,
    scope="canvas",
)  # fmt: skip
def fit_all(window: MainWindow) -> None:
    """Show everything."""
    if window.canvas:
        window.canvas.fit_all()


@action("view.grid", "&Grid", menu="View", section=2, order=1, keys="Ctrl+'", icon="grid", when=has_canvas,
        checked=grid_shown)  # fmt: skip
def grid(window: MainWindow) -> None:
    """Show or hide the grid."""
    if window.canvas:
        window.canvas.grid = not window.canvas.grid


@action("view.snap", "&Snap to grid and neighbours", menu="View", section=2, order=2, keys="Ctrl+Shift+'",
        icon="align", when=has_canvas, checked=snaps)  # fmt: skip
def snap(window: MainWindow) -> None:
    """Let what is moved snap to the grid and to its neighbours, or not."""
    if window.canvas:
        window.canvas.snap = not window.canvas.snap


@action("view.minimap", "&Minimap", menu="View", section=2, order=3, icon="minimap", when=has_canvas,
        checked=minimap_shown)  # fmt: skip
def minimap(window: MainWindow) -> None:
    """Show or hide the map in the corner of the canvas."""
    if window.canvas:
        window.canvas.minimap_shown = not window.canvas.minimap_shown


@action(
    "view.layout",
    "Auto-&layout",
    menu="View",
    section=3,
    order=1,
    keys="Ctrl+L",
    icon="layout",
    when=has_canvas,
)
def layout(window: MainWindow) -> None:
    """Arrange the selected nodes, or all, in layers from left to right."""
    canvas = window.canvas
    if canvas is None:
        return
    chosen = canvas.session.selected_nodes if len(canvas.session.selected_nodes) > 1 else None
    arranging = Arranging(canvas.session, chosen)
    arranging.done.connect(canvas.fit_all)
    arranging.start()


@action("view.export_svg", "Drawing as S&VG…", menu="File", section=3, order=1, icon="camera",
        when=has_canvas)  # fmt: skip
def export_svg(window: MainWindow) -> None:
    """Write the selection, or the whole drawing, as a picture that can be scaled."""
    _export(window, "svg")


@action("view.export_png", "Drawing as &PNG…", menu="File", section=3, order=2, icon="camera",
        when=has_canvas)  # fmt: skip
def export_png(window: MainWindow) -> None:
    """Write the selection, or the whole drawing, as a picture of pixels, at twice its size."""
    _export(window, "png")


def _export(window: MainWindow, kind: str) -> None:
    canvas = window.canvas
    if canvas is None:
        return
    proposed = str(canvas.session.folder / f"{canvas.session.title}.{kind}")
    name, _ = QFileDialog.getSaveFileName(window, "Save the drawing", proposed, f"{kind.upper()} (*.{kind})")
    if not name:
        return
    path = Path(name) if Path(name).suffix.lower() == f".{kind}" else Path(f"{name}.{kind}")
    try:
        export_picture(canvas.canvas, path, canvas.session.selection)
    except DocumentError as error:
        canvas.session.refused.emit(str(error))
        return
    canvas.session.noticed.emit(f"The drawing is in {path}")
