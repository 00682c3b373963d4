"""The chip that a document is meant for: chosen in the toolbar, kept in the document."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QComboBox, QWidget

from engine.document import Edit
from engine.document.ops import set_op, unset_op
from engine.export.hardware.chips import Chip, ChipError, chips
from studio.session import Session
from studio.theme import theme
from studio.workspace import Workspace

PATH = ["meta", "target"]
NONE = "Any hardware"
HELP = "The chip this network is meant for: what breaks its limits is marked while you draw"


def target_of(session: Session | None) -> str:
    """The id of the chip of a document; empty for none."""
    return str(session.document.meta.get("target") or "") if session else ""


def aim(session: Session, chip: Chip | None) -> None:
    """Mean a document for a chip, or for none; choices one after the other are one step to undo."""
    before = target_of(session)
    if chip is not None and chip.id != before:
        session.edit(f"Aim at {chip.title}", [set_op(PATH, chip.id)], merge="target")
    elif chip is None and before:
        session.edit("Aim at any hardware", [unset_op(PATH)], merge="target")


class ChipPicker(QComboBox):
    """The chips there are, read when the list is first wanted; one that nobody knows is shown by its id."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self._session: Session | None = None
        self._wanted = False
        self.setObjectName("chips")
        self.setAccessibleName("Target hardware")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(self._on_activated)
        workspace.current_changed.connect(self._follow)
        theme.changed.connect(self.refresh)
        self._follow(workspace.current)

    def refresh(self) -> None:
        """Show the chips, and which one the document in front is meant for."""
        chosen = target_of(self._session)
        self.clear()
        self.addItem(theme.icon("chip"), NONE, "")
        for id, chip in (_known() if self._wanted or chosen else {}).items():
            self.addItem(theme.icon("chip"), chip.title, id)
            self.setItemData(self.count() - 1, chip.about, Qt.ItemDataRole.ToolTipRole)
        if self.findData(chosen) < 0:
            self.addItem(theme.icon("warning", "warning"), chosen, chosen)
        self.setCurrentIndex(self.findData(chosen))
        self.setEnabled(self._session is not None)
        self.setToolTip(HELP)

    def showPopup(self) -> None:
        """Open the list."""
        self._want()
        super().showPopup()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The arrow keys choose, too."""
        self._want()
        super().focusInEvent(event)

    def hidePopup(self) -> None:
        """What is chosen from the list is a step of its own."""
        super().hidePopup()
        if self._session is not None:
            self._session.end_merge()

    def _want(self) -> None:
        if not self._wanted:
            self._wanted = True
            self.refresh()

    def _follow(self, session: Session | None) -> None:
        if self._session is not None:
            self._session.edited.disconnect(self._on_edit)
        self._session = session
        if session is not None:
            session.edited.connect(self._on_edit)
        self.refresh()

    def _on_edit(self, edit: Edit) -> None:
        if any(op.get("path") == PATH for op in edit.ops):
            self.refresh()

    def _on_activated(self, index: int) -> None:
        if self._session is not None:
            aim(self._session, _known().get(self.itemData(index)))


def _known() -> dict[str, Chip]:
    try:
        return chips()
    except ChipError:  # a file of a third party is malformed; `myelin chips` says which
        return {}
