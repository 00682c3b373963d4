"""What a command line changes of a document, kept with each run so that its network can be made again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from engine.cli._documents import assign, set_delays, set_recipe
from engine.cli._failures import UsageError, nearest
from engine.document import Document
from engine.document.ops import set_op

ARMS = ("learned", "fixed", "none")

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NODE.PARAM=VALUE", help="Set a parameter of a node; may be repeated."),
]
Recipe = Annotated[
    list[str] | None,
    typer.Option("--recipe", metavar="KEY=VALUE", help="Set a setting of the recipe; may be repeated."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", help="Seed of everything random, instead of the document's.")
]
DelaysArm = Annotated[
    str,
    typer.Option(
        "--delays",
        metavar="learned|fixed|none",
        help="Learn the delays, keep their first values, or take them out.",
    ),
]


@dataclass(frozen=True)
class Settings:
    """Changes to a document: parameters, settings of a recipe, delays (empty: as drawn), seed."""

    set: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    delays: str = ""
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.delays and self.delays not in ARMS:
            raise UsageError(
                f"--delays cannot be {self.delays!r} ({nearest(self.delays, ARMS, 'there are')})"
            )

    def apply(self, document: Document, kind: str) -> None:
        """Make the changes; ``kind``: which recipe ``recipe`` is about."""
        assign(document, self.set)
        set_recipe(document, kind, self.recipe)
        set_delays(document, self.delays)
        if self.seed is not None:
            document.edit("seed", [set_op(["meta", "seed"], self.seed)])

    def over(self, earlier: Settings) -> Settings:
        """Both changes, these after the earlier ones."""
        seed = earlier.seed if self.seed is None else self.seed
        return Settings(
            earlier.set + self.set, earlier.recipe + self.recipe, self.delays or earlier.delays, seed
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON."""
        return asdict(self)

    @classmethod
    def of(cls, tree: dict[str, Any]) -> Settings:
        """The settings from ``as_dict``."""
        return cls(
            tuple(tree.get("set", ())),
            tuple(tree.get("recipe", ())),
            tree.get("delays", ""),
            tree.get("seed"),
        )
