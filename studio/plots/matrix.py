"""A projection's weights as an image."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF

from studio.plots import plot, style
from studio.plots.base import Graph, Table


@plot("matrix", "Weight matrix", ports=("weights",), icon="grid", order=55)
class Matrix(Graph):
    """Targets from below, sources from the left; large matrices as means over neighbours."""

    choosable: ClassVar[bool] = False
    x_label: ClassVar[str] = "source"

    def build(self) -> None:
        """One image."""
        self.image = pg.ImageItem(axisOrder="row-major")
        self.graph.addItem(self.image)
        self.canvas.scene().sigMouseMoved.connect(self._on_mouse)
        self._values = np.empty((0, 0))

    def y_label(self) -> str:
        """Rows are targets."""
        return "target"

    def dress(self) -> None:
        """Excitatory and inhibitory in their colours."""
        super().dress()
        self.image.setLookupTable(style.sign_ramp())

    def streams(self) -> list[list[Any]]:
        """An image no larger than the screen needs."""
        return [[self.node, self.port, None, "image"]]

    def draw(self) -> str:
        """Zero is the ground; the strongest weight has full colour."""
        at = None if self.records.follow else self.records.at
        found = self.records.snapshot(self.node, f"{self.port}.image", at)
        if found is None:
            return self.absent("weights")
        self._values = found
        top = float(np.abs(found).max()) or 1.0
        rows, columns = self._extent()
        self.image.setImage(found, autoLevels=False, levels=(-top, top))
        self.image.setRect(QRectF(-0.5, -0.5, columns, rows))
        self.graph.setRange(QRectF(-0.5, -0.5, columns, rows), padding=0)
        return ""

    def data(self) -> Table:
        """Row, column and value of every pixel, numbered by source and target."""
        rows, columns = self._extent()
        height, width = self._values.shape
        target, source = np.meshgrid(
            np.arange(height) * rows // max(height, 1),
            np.arange(width) * columns // max(width, 1),
            indexing="ij",
        )
        return ["target", "source", "weight"], [target.ravel(), source.ravel(), self._values.ravel()]

    def _extent(self) -> tuple[int, int]:
        """Targets and sources of the projection; of a convolution, the shape of its kernel."""
        ports = self.session.runner.signals.get(self.node, {})
        shape, output = ports.get("weights", []), ports.get("output", [])
        if len(shape) == 1 and output:
            program: Any = self.session.problems.program
            op = program.ops.get(self.node) if program else None
            if op is not None:
                return int(np.prod(output)), int(np.prod(op.shapes["input"] or (1,)))
        return (shape[0], int(np.prod(shape[1:]))) if len(shape) > 1 else self._values.shape[:2]

    def _on_mouse(self, position: QPointF) -> None:
        box = self.graph.getViewBox()
        point = box.mapSceneToView(position)
        rows, columns = self._extent()
        target, source = round(point.y()), round(point.x())
        height, width = self._values.shape
        if not (0 <= target < rows and 0 <= source < columns and height):
            self.header.read("")
            return
        value = self._values[target * height // rows, source * width // columns]
        mean = "" if (height, width) == (rows, columns) else " (mean)"
        self.header.read(f"{source} to {target}: {value:.3g}{mean}")
