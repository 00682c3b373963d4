"""The command line.  A command is one module of this package with ``register(app)``; nothing lists them."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from engine.cli import _failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; its exit status.

    0: done.  1: the document or the task has problems.  2: wrong usage or an unreadable file.  130: stopped
    by Ctrl-C.  Problems are one sentence on standard error; ``--debug`` anywhere gives the traceback.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    try:
        command = typer.main.get_command(application())
        status = command.main(given or ["--help"], prog_name="myelin", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        return _failures.report(error)
    return status if isinstance(status, int) else 0


class _Commands(TyperGroup):
    """The commands; typer would end at Ctrl-C without a word."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None


def application() -> typer.Typer:
    """The application with every command."""
    app = typer.Typer(
        name="myelin",
        cls=_Commands,
        help="Spiking neural networks with learnable delays: check, compile, train and run drawn networks.",
        rich_markup_mode=None,
        add_completion=False,
    )
    app.callback()(_options)
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}").register(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from engine.versions import own_version

        print(f"myelin {own_version()}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; may stand anywhere.")] = False,
) -> None:
    """Options before the command."""
