"""A plot as a file: its numbers as CSV, its picture as PNG or SVG."""

from __future__ import annotations

import csv
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QGraphicsView, QMenu, QWidget

from studio.theme import theme

if TYPE_CHECKING:
    from studio.plots.base import Plot

FORMS = ("csv", "png", "svg")

SHARPER = 2
"""Pixels of a PNG for each of the screen."""


def fill(menu: QMenu, plot: Plot) -> None:
    """An entry for each form."""
    for form in FORMS:
        menu.addAction(theme.icon("export"), f"Export {form.upper()} …", partial(ask, plot, form))


def ask(plot: Plot, form: str) -> None:
    """Ask where to, then write; a sentence tells how it went."""
    proposed = "".join(c if c.isalnum() or c in " -_" else " " for c in plot.title)
    start = plot.session.folder / f"{' '.join(proposed.split())}.{form}"
    name, _ = QFileDialog.getSaveFileName(
        plot, f"Export {form.upper()}", str(start), f"{form.upper()} (*.{form})"
    )
    if name:
        path = Path(name)
        write(plot, path if path.suffix else path.with_suffix(f".{form}"), form)


def write(plot: Plot, path: Path, form: str) -> bool:
    """Write a plot as it is now; False, after ``refused``, if that is not possible."""
    try:
        _WRITERS[form](plot, path)
    except OSError as error:
        plot.session.refused.emit(f"{path} cannot be written: {error.strerror}")
        return False
    plot.session.noticed.emit(f"Wrote {path}")
    return True


def _csv(plot: Plot, path: Path) -> None:
    names, columns = plot.data()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(zip_longest(*(column.tolist() for column in columns), fillvalue=""))


def _png(plot: Plot, path: Path) -> None:
    body = plot.body
    image = QImage(body.size() * SHARPER, QImage.Format.Format_ARGB32)
    image.fill(body.palette().window().color())
    painter = QPainter(image)
    painter.scale(SHARPER, SHARPER)
    _paint(body, painter)
    painter.end()
    if not image.save(str(path)):
        raise OSError(None, "the folder is missing or may not be written to")


def _svg(plot: Plot, path: Path) -> None:
    with path.open("wb"):
        pass
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(plot.body.size())
    generator.setViewBox(QRect(0, 0, plot.body.width(), plot.body.height()))
    generator.setTitle(plot.title)
    painter = QPainter(generator)
    _paint(plot.body, painter)
    painter.end()


def _paint(body: QWidget, painter: QPainter) -> None:
    """As vectors: a graphics view paints its scene, of other widgets each graphics view within."""
    if isinstance(body, QGraphicsView):
        painter.fillRect(body.rect(), body.backgroundBrush())
        body.render(painter, body.rect(), body.viewport().rect())
        return
    size: QSize = body.size()
    painter.fillRect(QRect(0, 0, size.width(), size.height()), body.palette().window())
    for child in body.findChildren(QWidget):
        if child.parent() is body and child.isVisible():
            painter.save()
            painter.translate(child.pos())
            painter.setClipRect(child.rect())
            _paint(child, painter) if isinstance(child, QGraphicsView) else child.render(
                painter, child.pos() * 0
            )
            painter.restore()


_WRITERS = {"csv": _csv, "png": _png, "svg": _svg}
