"""Which releases are installed, read from their metadata without importing them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from engine.bootstrap import PROJECT_FILE

DISTRIBUTION = "myelin-studio"


def own_version() -> str:
    """The version of Myelin Studio."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return str(tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["project"]["version"])


def installed(name: str) -> str:
    """The installed release of a distribution, or nothing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def requirements() -> Iterator[tuple[Requirement, str]]:
    """What Myelin needs on this Python, each with the extra it belongs to (empty: always needed)."""
    for line, extra in _declared():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            yield requirement, extra


def _declared() -> list[tuple[str, str]]:
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # a checkout that is not installed
        project = tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"].items()
        return [(line, "") for line in project["dependencies"]] + [
            (line, e) for e, lines in extras for line in lines
        ]
    return [(line, _extra(line)) for line in lines]


def _extra(line: str) -> str:
    """The extra that a line of metadata belongs to: somewhere in its marker stands ``extra == "name"``."""
    found = re.search(r"""extra\s*==\s*['"]([\w.-]+)['"]""", line)
    return found[1] if found else ""
