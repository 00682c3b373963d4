"""What is in each peer environment: ``resources/peers/NAME.txt``, a requirement file of pip with a head.

The head is lines ``# key: value``:

- ``title``: what it is called; ``verifies``: what runs in it;
- ``imports``: modules that must load before it counts as installed;
- ``shims``: files of ``resources/peers/shims`` that run whenever its Python starts;
- ``absent``: packages that are imported there and not needed, for which ``shims/absent.py`` stands in;
- ``systems``: where its packages can be had, as ``sys.platform`` has it; without it everywhere;
- ``extra``: why it is not among those that are installed without being named.

A line ``# pip: OPTIONS`` anywhere: what stands below is installed after what stands above, with the options.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.bootstrap import ROOT
from engine.errors import MyelinError

FOLDER = ROOT / "resources" / "peers"
KEYS = "title|verifies|imports|shims|absent|systems|extra|pip"


@dataclass(frozen=True)
class Stage:
    """Requirements that pip installs together, with options."""

    options: tuple[str, ...]
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Requirements:
    """What ``resources/peers/NAME.txt`` says."""

    name: str
    title: str
    verifies: str
    imports: tuple[str, ...]
    shims: tuple[Path, ...]
    absent: tuple[str, ...]
    systems: tuple[str, ...]
    extra: str
    stages: tuple[Stage, ...]
    digest: str

    @property
    def lines(self) -> list[str]:
        """The packages asked for, as pip is asked."""
        return [line for stage in self.stages for line in stage.requirements]

    @property
    def distributions(self) -> list[str]:
        """The names of the packages asked for."""
        return [re.split(r"[^\w.-]", line)[0] for line in self.lines]

    @property
    def fits_here(self) -> bool:
        """Whether its packages can be had for this system."""
        return not self.systems or sys.platform in self.systems


def requirements() -> dict[str, Requirements]:
    """Every environment that can be installed, by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.txt"))}


def find(name: str) -> Requirements:
    """The environment of that name; MyelinError where there is none."""
    known = requirements()
    if name not in known:
        raise MyelinError(
            f"there is no peer environment {name!r}; `myelin peers` shows them: {', '.join(known)}."
        )
    return known[name]


def _read(path: Path) -> Requirements:
    head, stages = _parsed(path.read_text(encoding="utf-8"))
    absent = tuple(head.get("absent", "").split())
    names = head.get("shims", "").split() + ["absent"] * bool(absent)
    shims = tuple(FOLDER / "shims" / f"{name}.py" for name in names)
    return Requirements(
        name=path.stem,
        title=head["title"],
        verifies=head["verifies"],
        imports=tuple(head.get("imports", "").split()),
        shims=shims,
        absent=absent,
        systems=tuple(head.get("systems", "").split()),
        extra=head.get("extra", ""),
        stages=stages,
        digest=_digest(stages, shims, absent),
    )


def _parsed(text: str) -> tuple[dict[str, str], tuple[Stage, ...]]:
    head: dict[str, str] = {}
    stages = [Stage((), ())]
    for line in map(str.strip, text.splitlines()):
        said = re.fullmatch(rf"# ({KEYS}): (.+)", line)
        if said and said[1] == "pip":
            stages.append(Stage(tuple(said[2].split()), ()))
        elif said:
            head[said[1]] = said[2]
        elif line and not line.startswith("#"):
            stages[-1] = Stage(stages[-1].options, (*stages[-1].requirements, line))
    return head, tuple(stage for stage in stages if stage.requirements)


def _digest(stages: tuple[Stage, ...], shims: tuple[Path, ...], absent: tuple[str, ...]) -> str:
    """A name for all that decides what is in the environment: other words about it make no other one."""
    texts = [shim.read_text(encoding="utf-8") for shim in shims]
    parts = [repr(stages), *texts, repr(absent), sys.version, *shared_folders()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def shared_folders() -> list[str]:
    """The folders with the packages of the Python that runs Myelin."""
    return [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
