"""``myelin peers``: other people's software in which exports are verified, and installing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli import _failures
from engine.cli._console import out, print_json, size, table
from engine.export import peers
from engine.export.peer_files import Requirements, find, requirements


def register(app: typer.Typer) -> None:
    """Add the commands."""
    made = typer.Typer(
        help="The software that exports are verified in: list it, install it.", rich_markup_mode=None
    )
    made.callback(invoke_without_command=True)(list_)
    made.command("install")(install)
    app.add_typer(made, name="peers")


def list_(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the environments: what runs in each, and whether it is installed."""
    if context.invoked_subcommand:
        return
    there = peers.installed()
    described = {name: as_dict(wanted, there[name]) for name, wanted in requirements().items()}
    if as_json:
        print_json({"folder": str(peers.folder()), "peers": described})
        return
    rows = table("name", "packages", "verifies", "installed", "size", right=("size",))
    for name, one in described.items():
        taken = size(one["bytes"]) if one["installed"] else ""
        rows.add_row(name, ", ".join(one["packages"]), one["verifies"], _state(one), taken)
    out().print(rows)
    out().print(f"\nThey lie in {peers.folder()}; `myelin peers install` puts there what is not extra.")


def as_dict(wanted: Requirements, there: bool) -> dict[str, Any]:
    """A peer environment as JSON; `there` says whether it is installed."""
    return {
        "title": wanted.title,
        "verifies": wanted.verifies,
        "packages": [line.replace("==", " ") for line in wanted.lines],
        "installed": there,
        "extra": wanted.extra,
        "for_this_system": wanted.fits_here,
        "versions": peers.peer(wanted.name).versions if there else {},
        "bytes": _taken(peers.folder() / wanted.name) if there else 0,
    }


def _state(one: dict[str, Any]) -> str:
    if one["installed"]:
        return "yes"
    if not one["for_this_system"]:
        return "not for this system"
    return "no (extra)" if one["extra"] else "no"


def _taken(place: Path) -> int:
    """Bytes of the files in a folder; a link counts as what it is."""
    return sum(path.lstat().st_size for path in place.rglob("*") if not path.is_dir())


def install(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names, as `myelin peers` shows them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is extra.")] = False,
) -> None:
    """Install peer environments: those named, else all that are not extra; what is there already stays."""
    every = [name for name, wanted in requirements().items() if wanted.fits_here]
    chosen = every if everything else names or peers.default()
    failures = peers.try_to_install([find(name).name for name in chosen], _failures.say)
    for failure in failures.values():
        _failures.say(failure)
    if failures:
        raise typer.Exit(_failures.PROBLEM)
