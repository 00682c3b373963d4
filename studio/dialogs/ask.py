"""Questions that must be answered before work goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from engine.export.imports import readers
from studio.made import made

if TYPE_CHECKING:
    from studio.keeper import Lost
    from studio.session import Session

SAVE, DISCARD, CANCEL, RECOVER, LATER = "save", "discard", "cancel", "recover", "later"
FILTER = "Myelin documents (*.myelin);;All files (*)"


def open_paths(parent: QWidget, folder: Path) -> list[Path]:
    """Which documents to open."""
    names, _ = QFileDialog.getOpenFileNames(parent, "Open", str(folder), FILTER)
    return [Path(name) for name in names]


def import_path(parent: QWidget, folder: Path) -> Path | None:
    """Which file of other software to import."""
    known = " ".join(f"*{suffix}" for suffix in sorted(readers()))
    kinds = f"Networks of other software ({known});;All files (*)"
    name, _ = QFileDialog.getOpenFileName(parent, "Import", str(folder), kinds)
    return Path(name) if name else None


def save_path(parent: QWidget, start: Path) -> Path | None:
    """Where to save; None if the user would rather not."""
    dialog = QFileDialog(parent, "Save as", str(start.parent), FILTER)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("myelin")
    dialog.selectFile(start.name)
    chosen = [Path(name) for name in dialog.selectedFiles()] if dialog.exec() else []
    dialog.deleteLater()
    return chosen[0] if chosen else None


def close(parent: QWidget, session: Session) -> str:
    """What to do with a document that is about to be closed: ``SAVE``, ``DISCARD`` or ``CANCEL``."""
    box = made(QMessageBox(parent), objectName="unsaved")
    box.setIcon(QMessageBox.Icon.Warning)
    box.setText(f"Save the changes to {session.title}?" if session.dirty else f"Close {session.title}?")
    training = "  Training is in progress and stops." if session.runner.state == "training" else ""
    box.setInformativeText((("They are lost otherwise." if session.dirty else "") + training).strip())
    buttons = {box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole): CANCEL}
    if session.dirty:
        buttons[box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)] = DISCARD
        buttons[box.addButton("Save", QMessageBox.ButtonRole.AcceptRole)] = SAVE
    else:
        buttons[box.addButton("Close", QMessageBox.ButtonRole.AcceptRole)] = DISCARD
    box.setDefaultButton(list(buttons)[-1])
    box.setEscapeButton(next(iter(buttons)))
    box.exec()
    answer = next((said for button, said in buttons.items() if button is box.clickedButton()), CANCEL)
    box.deleteLater()
    return answer


def recovery(parent: QWidget, found: list[Lost]) -> dict[Lost, str]:
    """What to do with each of what crashes left behind: ``RECOVER``, ``DISCARD`` or ``LATER``."""
    from studio.dialogs.recovery import Recovery

    dialog = Recovery(found, parent)
    dialog.exec()
    dialog.deleteLater()
    return dialog.answers
