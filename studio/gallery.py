"""The projects that come with Myelin, as the welcome page tells of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from engine.data.store import at_hand, data_root
from nodes import registry
from nodes.roles import DataSet
from studio import places

LIVE, TRAINS, NEEDS_DATA = "runs live", "trains", "needs a download"


@dataclass(frozen=True)
class Project:
    """A document with a picture and some words; ``nodes``: how many, for showing the simplest first."""

    path: Path
    title: str
    words: str
    tags: tuple[str, ...]
    nodes: int

    @property
    def thumbnail(self) -> Path:
        """Its picture; the file need not exist."""
        return self.path.with_name("thumbnail.png")


def projects(folder: Path = places.PROJECTS) -> list[Project]:
    """Every readable ``<name>/<name>.myelin``: first those that run live, and the simplest of each first."""
    found = [_project(path) for path in sorted(folder.glob("*/*.myelin")) if path.stem == path.parent.name]
    return sorted(
        (one for one in found if one), key=lambda one: (len(one.tags), TRAINS in one.tags, one.nodes)
    )


def _project(path: Path) -> Project | None:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        types = {node["type"] for node in tree["nodes"].values()}
        title = str(tree["meta"].get("title") or path.stem)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return Project(path, title, introduction(path.with_name("README.md")), _tags(types), len(tree["nodes"]))


def _tags(types: set[str]) -> tuple[str, ...]:
    what = TRAINS if any(name.startswith("loss.") for name in types) else LIVE
    return (what, NEEDS_DATA) if any(_must_be_fetched(name) for name in types) else (what,)


def _must_be_fetched(name: str) -> bool:
    spec = registry.get(name)
    if spec is None or not issubclass(spec, DataSet):
        return False
    return bool(spec.info.files) and not at_hand(spec, data_root())


def introduction(readme: Path, sentences: int = 2) -> str:
    """The first sentences of a README's first paragraph, as plain text; "" where there are none."""
    try:
        text = readme.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    paragraphs = (part.strip() for part in text.split("\n\n"))
    first = next((part for part in paragraphs if part and not part.startswith(("#", "!["))), "")
    plain = re.sub(r"[*`_]|\s*\([^)]*\)", "", " ".join(first.split()))
    return " ".join(re.split(r"(?<=[.?!:])\s+(?=[A-Z])", plain)[:sentences])
