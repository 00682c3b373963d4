"""After a crash: what can be recovered, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.dialogs.ask import DISCARD, LATER, RECOVER
from studio.keeper import Lost
from studio.made import made


class Recovery(QDialog):
    """A row for each document; the buttons are about those that are ticked, the others wait."""

    def __init__(self, found: list[Lost], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recovery")
        self.setWindowTitle("Recover unsaved work")
        self.resize(720, 320)
        self.answers = dict.fromkeys(found, LATER)
        self.tree = made(QTreeWidget(columnCount=4), rootIsDecorated=False, allColumnsShowFocus=True)
        self.tree.setHeaderLabels(["Document", "Last change", "Edits", "File"])
        self.tree.setAccessibleName("What can be recovered")
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._rows = {self._row(lost): lost for lost in found}
        self.tree.setCurrentItem(next(iter(self._rows)))
        intro = QLabel("Myelin Studio ended before these changes were saved.", wordWrap=True)
        damage = QLabel("\n".join(words_on_damage(lost) for lost in found if lost.damage), wordWrap=True)
        damage.setVisible(bool(damage.text()))
        column = QVBoxLayout(self)
        for widget in (intro, self.tree, damage, self._buttons()):
            column.addWidget(widget)

    def _row(self, lost: Lost) -> QTreeWidgetItem:
        file = str(lost.note.file or "never saved")
        when, edits = f"{lost.when:%Y-%m-%d %H:%M}", str(lost.edits)
        row = QTreeWidgetItem([lost.title, when, edits + (" (damaged)" if lost.damage else ""), file])
        row.setCheckState(0, Qt.CheckState.Checked)
        row.setToolTip(0, lost.damage or file)
        self.tree.addTopLevelItem(row)
        return row

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        self.recover = buttons.addButton("Recover", QDialogButtonBox.ButtonRole.AcceptRole)
        self.discard = buttons.addButton("Discard", QDialogButtonBox.ButtonRole.DestructiveRole)
        self.later = buttons.addButton("Later", QDialogButtonBox.ButtonRole.RejectRole)
        self.recover.setToolTip("Open the ticked documents with their unsaved changes")
        self.discard.setToolTip("Give up the unsaved changes of the ticked documents for good")
        self.later.setToolTip("Leave everything as it is and ask again at the next start")
        self.recover.setDefault(True)
        self.recover.clicked.connect(lambda: self._answer(RECOVER))
        self.discard.clicked.connect(lambda: self._answer(DISCARD))
        self.later.clicked.connect(self.reject)
        return buttons

    def _answer(self, answer: str) -> None:
        for row, lost in self._rows.items():
            if row.checkState(0) == Qt.CheckState.Checked:
                self.answers[lost] = answer
        self.accept()


def words_on_damage(lost: Lost) -> str:
    """What is wrong with a journal, and what Recover does all the same."""
    return f"{lost.title}: {lost.damage}.  Recover opens what can be read."
