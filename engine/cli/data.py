"""``myelin data``: which data sets there are, and getting one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from engine.cli._console import err, out, print_json, shown, size, table
from engine.data.fetch import fetch
from engine.data.store import at_hand, data_root, data_sets, find, folder
from nodes.roles import DataSet


def register(app: typer.Typer) -> None:
    """Add the commands."""
    data = typer.Typer(help="List data sets and get them.", rich_markup_mode=None)
    data.command("list")(list_)
    data.command("get")(get)
    app.add_typer(data, name="data")


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the data sets, and whether each is at hand."""
    root = data_root()
    described = {name: as_dict(spec, root) for name, spec in data_sets().items()}
    if as_json:
        print_json({"folder": str(root), "data_sets": described})
        return
    rows = table("name", "title", "licence", "download", "at hand", right=("download",))
    for name, one in described.items():
        place = "yes" if one["at_hand"] else "no" if one["files"] else "your own files"
        total = sum(file["bytes"] for file in one["files"])
        rows.add_row(name, one["title"], one["licence"], size(total) if total else "", place)
    out().print(rows)
    out().print(f"\nThe data folder is {root}; `myelin data get NAME` puts a data set there.")


def as_dict(spec: type[DataSet], root: Path) -> dict[str, Any]:
    """A data set as JSON."""
    files = [
        {"name": file.name, "url": file.url, "bytes": file.bytes, "checksum": file.checksum}
        for file in spec.info.files
    ]
    return {
        "type": spec.type,
        "title": spec.info.title,
        "licence": spec.info.licence,
        "source": spec.info.source,
        "files": files,
        "at_hand": at_hand(spec, root),
        "folder": str(folder(spec, root)),
    }


def get(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the data set, as in `myelin data list`.")
    ],
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="DIR", help="Folder or address that holds the files, instead of the web."
        ),
    ] = "",
) -> None:
    """Get a data set: download (goes on where it broke off), verify, unpack."""
    spec, root = find(name), data_root()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with shown(Progress(*columns, console=err(), transient=True)) as progress:
        paths = fetch(spec, root, source or None, _Bars(progress))
    for path in paths:
        print(path)


class _Bars:
    """One bar for every file that is being received."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, name: str, done: int, total: int) -> None:
        if name not in self.tasks:
            # bytes of an earlier try are not counted in the rate
            self.tasks[name] = self.progress.add_task(name, total=total or None, completed=done)
        self.progress.update(self.tasks[name], completed=done, total=total or None)
