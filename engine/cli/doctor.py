"""``myelin doctor``: is this installation sound, and if not, what to do."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from engine.bootstrap import NEWEST, OLDEST
from engine.cli._console import out, print_json, size, table
from engine.cli._failures import PROBLEM, one_line
from engine.data.store import at_hand, data_root, data_sets
from engine.versions import installed, own_version, requirements
from nodes import registry

LITTLE_SPACE = 2e9  # bytes; a benchmark's data set and some runs
TORCH_SECONDS = 120
SHOWN = ("", "studio", "export", "sweep")  # extras for users

# In a process of its own: a broken installation of torch may end the process that imports it.
ASK_TORCH = """
import json, torch
cuda = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
mps = torch.backends.mps.is_available()
print(json.dumps({"threads": torch.get_num_threads(), "cuda": cuda, "mps": mps}))
"""


class Finding(NamedTuple):
    """One thing that was looked at; ``advice`` says what is wrong and what to do, or nothing."""

    what: str
    value: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    torch: Annotated[bool, typer.Option("--torch", help="Also start PyTorch and list its devices.")] = False,
    codes: Annotated[bool, typer.Option("--codes", help="Print the table of diagnostics, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at the installation.

    Releases, plugins, data, disk and devices; every problem comes with what to do.
    """
    if codes:
        print(code_table(), end="")
        return
    found = [*_system(), *_packages(), *_plugins(), *_disk(), *(_devices() if torch else ())]
    problems = [finding for finding in found if finding.advice]
    if as_json:
        print_json({"findings": [finding._asdict() for finding in found], "problems": len(problems)})
    else:
        _show(found, problems)
    raise typer.Exit(PROBLEM if problems else 0)


def _show(found: list[Finding], problems: list[Finding]) -> None:
    rows = table("", "")
    for finding in found:
        rows.add_row(finding.what, finding.value + ("  (problem)" if finding.advice else ""))
    out().print(rows)
    for finding in problems:
        print(f"problem: {finding.what}: {finding.advice}")
    if not problems:
        print("no problems")


def _system() -> Iterator[Finding]:
    version = platform.python_version()
    wrong = (
        ""
        if OLDEST <= sys.version_info[:2] <= NEWEST
        else "Myelin needs Python {}.{} to {}.{}: install one".format(*OLDEST, *NEWEST)
    )
    yield Finding("myelin", own_version())
    yield Finding("python", f"{version} ({sys.executable})", wrong)
    yield Finding("system", platform.platform())


def _packages() -> Iterator[Finding]:
    """Every package that is needed or installed, against the releases that Myelin works with."""
    for requirement, extra in requirements():
        version, name = installed(requirement.name), requirement.name
        install = f'run `pip install "{requirement.name}{requirement.specifier}"`'
        if not version:
            if not extra:
                yield Finding(name, "missing", f"it is not installed: {install}")
        elif not requirement.specifier.contains(version, prereleases=True):
            yield Finding(
                name,
                version,
                f"this release does not go with Python {platform.python_version()} and Myelin: {install}",
            )
        elif extra in SHOWN:
            yield Finding(name, version)


def _plugins() -> Iterator[Finding]:
    for problem in registry.problems():
        if problem.what.startswith("nodes."):
            yield Finding(problem.what, "", f"it cannot be loaded ({problem.reason}): install Myelin again")
    for group in ("myelin.nodes", "myelin.targets"):
        for entry in entry_points(group=group):
            owner = entry.dist.name if entry.dist else "another package"
            try:
                entry.load()
                yield Finding(f"{group} {entry.name}", f"from {owner}")
            except (Exception, SystemExit) as error:  # someone else's code may fail in any way
                reason = f"{type(error).__name__}: {one_line(str(error))}"
                yield Finding(
                    f"{group} {entry.name}",
                    f"from {owner}",
                    f"it cannot be loaded ({reason}): update or remove {owner}",
                )


def _disk() -> Iterator[Finding]:
    root = data_root()
    here = ", ".join(name for name, spec in data_sets().items() if at_hand(spec, root))
    yield Finding("data folder", f"{root}{'' if root.exists() else ' (not made yet)'}")
    yield Finding("data sets", here or "none downloaded; `myelin data list` shows what there is")
    for what, place in (("disk of the data", root), ("disk of this folder", Path.cwd())):
        free = shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.is_dir())).free
        full = f"only {size(free)} are free: make room, or point MYELIN_DATA to another disk"
        yield Finding(what, f"{size(free)} free", full if free < LITTLE_SPACE else "")


def _devices() -> Iterator[Finding]:
    advice = "PyTorch does not start: reinstall it with `pip install --force-reinstall torch`"
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASK_TORCH], capture_output=True, text=True, timeout=TORCH_SECONDS
        )
        found = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        yield Finding(
            "devices", "", f"PyTorch did not start within {TORCH_SECONDS} s: try again, or reinstall it"
        )
        return
    except ValueError:
        last = (
            one_line(done.stderr.strip().splitlines()[-1])
            if done.stderr.strip()
            else f"status {done.returncode}"
        )
        yield Finding("devices", last, advice)
        return
    yield Finding("cpu", f"{found['threads']} threads")
    yield Finding("cuda", ", ".join(found["cuda"]) or "none")
    yield Finding("mps", "yes" if found["mps"] else "none")


def code_table() -> str:
    """All diagnostics as a page of help, generated from where they are declared."""
    from engine.compile.diagnostics import CODES
    from engine.compile.pipeline import pipeline
    from engine.export.imports import readers
    from engine.export.target import discover
    from engine.run import diagnoses  # noqa: F401 (declares what a run can say)

    for load in (pipeline, discover, readers):
        load()  # every module, and so every declaration
    rows = [f"| {code.code} | {code.severity} | {code.meaning} |" for _, code in sorted(CODES.items())]
    head = [
        "# Diagnostics",
        "",
        "Generated by `myelin doctor --codes`; do not edit.  An error keeps a document from running, a limit",
        "only off the chip it is meant for; a warning and an information keep it from nothing.",
        "",
        "| code | severity | meaning |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"
