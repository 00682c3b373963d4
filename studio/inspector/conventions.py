"""The picker of conventions: a population set to step as another tool's does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from nodes.populations._presets import CONVENTIONS, SPIKE, STEP
from nodes.spec import Spec
from studio.fields.choice import Combo
from studio.inspector.form import LABEL
from studio.inspector.page import quiet

if TYPE_CHECKING:
    from studio.inspector.node_page import NodePage

CONVENTIONAL = (*STEP, *SPIKE)
"""Parameters that say how a step is taken, not what is modelled."""


class Conventions(QWidget):
    """A combo box of presets; ``custom`` where the values are those of none."""

    def __init__(self, specs: Sequence[Spec], page: NodePage) -> None:
        super().__init__()
        self._page = page
        self._presets: dict[str, dict[str, dict[str, Any]]] = {
            spec.type: getattr(spec, "presets", dict)() for spec in specs
        }
        self.combo = Combo()
        self.combo.setPlaceholderText("custom")
        self.combo.setToolTip("Step as another tool does, so that spikes are equal and not only close")
        for name in next(iter(self._presets.values())):
            self.combo.addItem(name)
            self.combo.setItemData(self.combo.count() - 1, _doc(name), Qt.ItemDataRole.ToolTipRole)
        self.combo.activated.connect(self._choose)
        label = QLabel("like")
        label.setFixedWidth(LABEL)
        label.setBuddy(self.combo)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 30, 0)
        row.setSpacing(6)
        row.addWidget(label)
        row.addWidget(self.combo, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        self.about = quiet()
        column.addWidget(self.about)
        self.refresh()

    def refresh(self) -> None:
        """Show which preset the selected nodes have."""
        name = next((name for name in next(iter(self._presets.values())) if self._fits(name)), None)
        self.combo.setCurrentIndex(self.combo.findText(name) if name else -1)
        self.about.setText(_doc(name) if name else "These values are of no tool's conventions.")

    def _fits(self, name: str) -> bool:
        nodes = self._page.session.document.nodes if self._page.session else {}
        return all(
            nodes[id].params.get(key) == value
            for id in self._page.ids
            for key, value in self._presets[nodes[id].type][name].items()
        )

    def _choose(self, index: int) -> None:
        session, name = self._page.session, self.combo.itemText(index)
        if session is None or self._fits(name):
            return
        ops = [
            {"op": "set", "path": ["nodes", id, "params", key], "value": value}
            for id in self._page.ids
            for key, value in self._presets[session.document.nodes[id].type][name].items()
        ]
        session.edit(f"Conventions of {name}", ops)


def _doc(name: str) -> str:
    return CONVENTIONS[name].doc if name in CONVENTIONS else ""
