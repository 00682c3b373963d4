"""Where the runs of a document lie: beside its file, or with the studio's own files until it has one."""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from engine.document import weights
from studio.places import state_folder
from studio.session import Session

WORDS = (
    "amber", "aspen", "birch", "cedar", "clover", "cobalt", "coral", "ember", "fern", "flint", "hazel",
    "ivory", "jade", "juniper", "kelp", "larch", "linden", "maple", "moss", "ochre", "olive", "onyx", "opal",
    "pebble", "pine", "quartz", "reed", "rowan", "saffron", "sage", "slate", "spruce", "teal", "thyme",
    "umber", "violet", "willow", "wren", "yarrow", "zephyr",
)  # fmt: skip


def runs_folder(session: Session) -> Path:
    """The folder of a document's runs; it need not exist."""
    return session.path.with_suffix(".runs") if session.path else unsaved_folder(session)


def unsaved_folder(session: Session) -> Path:
    """Where a document has its runs that was never saved; known again after a crash by its journal's name."""
    journal = session.journal.path if session.journal else None
    return state_folder() / "runs" / (journal.stem.strip(".") if journal else f"{id(session):x}")


def new_run(folder: Path) -> Path:
    """A folder for a new run: when it began, and a word to call it by.  It is not made yet."""
    used = {path.name.rpartition("-")[2] for path in folder.glob("*")} if folder.is_dir() else set()
    free = [word for word in WORDS if word not in used] or [secrets.token_hex(2)]
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.choice(free)}"


def move_runs(before: Path, after: Path) -> None:
    """Put the runs of one folder into another; those that cannot be moved stay."""
    if before == after or not before.is_dir():
        return
    with suppress(OSError):
        after.mkdir(parents=True, exist_ok=True)
    for run in sorted(before.iterdir()):
        with suppress(OSError):
            if not (after / run.name).exists():
                shutil.move(run, after / run.name)
    with suppress(OSError):  # something stayed
        before.rmdir()


def before_saving(session: Session, path: Path) -> None:
    """Before a document is saved at ``path``: take its runs along from where an unsaved one has them.

    The weights that it starts from are named from the new place.
    """
    old, new = unsaved_folder(session), path.with_suffix(".runs")
    file = weights.place(session.document, session.folder)
    if session.path is None and session.runner.state != "training":
        move_runs(old, new)
        moved = file is not None and file.is_relative_to(old) and not file.exists()
        if file is not None and moved:
            file = new / file.relative_to(old)
    ops = weights.starting_from(session.document, file, path.parent) if file else []
    if ops and ops[0]["value"] != session.document.meta["weights"]:
        session.edit("Name weights from the new place", ops)
