"""``myelin new-node``: a new node from a template that works as it stands."""

from __future__ import annotations

import keyword
from pathlib import Path
from string import Template
from typing import Annotated

import typer

import nodes
from engine.cli._failures import PROBLEM, UsageError, nearest, say
from nodes import registry

TEMPLATES = Path(__file__).parent / "templates"
"""``<folder of nodes>/<sort>.txt``: a new sort of node is one more file here."""


def templates() -> dict[str, Path]:
    """The template of every sort of node."""
    return {path.stem: path for path in TEMPLATES.glob("*/*.txt")}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("new-node")(new_node)


def new_node(
    sort: Annotated[str, typer.Argument(metavar="SORT", help=f"One of: {', '.join(sorted(templates()))}.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name in lower case: my_neuron.")],
    folder: Annotated[Path | None, typer.Option("--dir", metavar="DIR", help="Folder for the file.")] = None,
) -> None:
    """Write a node of your own from a template.

    One file below nodes/, and it is in the library.
    """
    template = find(sort)
    check_name(sort, name)
    own = Path(nodes.__path__[0]) / template.parent.name
    target = (folder or own) / f"{name}.py"
    if target.exists():
        say(f"{target} exists already: choose another name, or remove the file first")
        raise typer.Exit(PROBLEM)
    target.parent.mkdir(parents=True, exist_ok=True)
    words = {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "cls": "".join(part.capitalize() for part in name.split("_")),
    }
    target.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
    print(f"{target} is written.\n{_next_steps(sort, name, target, own)}")


def find(sort: str) -> Path:
    """The template for a sort of node."""
    known = templates()
    if sort not in known:
        raise UsageError(f"there is no template for {sort!r} ({nearest(sort, known, 'there are')})")
    return known[sort]


def check_name(sort: str, name: str) -> None:
    """Refuse names that cannot be a module, or that are taken."""
    plain = name.isascii() and name.isidentifier() and name == name.lower() and not keyword.iskeyword(name)
    if not plain or name.startswith("_"):
        raise UsageError(f"{name!r} cannot name a node: use lower-case letters, digits and _, like my_neuron")
    if registry.get(f"{sort}.{name}") is not None:
        raise UsageError(f"there is already a node {sort}.{name}: choose another name")


def _next_steps(sort: str, name: str, target: Path, own: Path) -> str:
    steps = ["Next:"]
    if target.parent.resolve() != own.resolve():
        steps.append(
            '  - name the module in your package\'s entry points, group "myelin.nodes": only files in '
            f"{own} are found by themselves"
        )
    steps += [
        "  - write your equations into its docstring, its parameters and its step",
        f"  - read its help page: myelin nodes {sort}.{name}",
        f"  - run every law that nodes obey on it: python -m tests tests/nodes -k {name}",
    ]
    return "\n".join(steps)
