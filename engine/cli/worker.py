"""``myelin worker``: the process that runs programs for a studio, here or over ssh."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(worker)


def worker() -> None:
    """Serve a studio over standard input and output.

    `ssh HOST myelin worker` does so from another machine.
    """
    from engine.run.worker import main

    main()
