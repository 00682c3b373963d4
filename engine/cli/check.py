"""``myelin check``: every problem of documents, one line each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli._chips import aim, known_chip
from engine.cli._console import print_json
from engine.cli._documents import line
from engine.cli._failures import PROBLEM, USAGE, one_line, say
from engine.compile import Compiled, Diagnostic, compile_document
from engine.document import Document, DocumentError, EditError, load, save
from engine.document.ops import set_op, unset_op


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Documents to check.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Apply the fixes that problems offer, and save.")
    ] = False,
    chip: Annotated[
        str, typer.Option(metavar="NAME", help="Also check against the limits of this chip.")
    ] = "",
) -> None:
    """Check documents for problems.

    Each is one line: `file: severity CODE: message (hint)`.
    """
    target = known_chip(chip).id if chip else ""
    found = [_check(file, fix, target) for file in files]
    if as_json:
        print_json([{key: value for key, value in report.items() if key != "text"} for report in found])
    else:
        for report in found:
            print(*report["text"], sep="\n", file=sys.stderr if report["error"] else sys.stdout)
    raise typer.Exit(max(report["status"] for report in found))


def _check(file: Path, fix: bool, target: str) -> dict[str, Any]:
    """What is said of one file, as JSON and as lines of text."""
    try:
        document = load(file)
        aim(document, target)
        fixed = repair(document) if fix else []
        if fixed:
            _save(document, file, target)
    except DocumentError as error:
        return {
            "file": str(file),
            "error": one_line(str(error)),
            "status": USAGE,
            "fixed": [],
            "diagnostics": [],
            "text": [f"myelin: {one_line(str(error))}"],
        }
    compiled = compile_document(document)
    return {
        "file": str(file),
        "error": None,
        "status": PROBLEM if any(d.severity in ("error", "limit") for d in compiled.diagnostics) else 0,
        "fixed": fixed,
        "diagnostics": [as_dict(d) for d in compiled.diagnostics],
        "text": _text(file, fixed, compiled),
    }


def _save(document: Document, file: Path, target: str) -> None:
    """Save a repaired document with the target it had, not the one of the command line."""
    kept = document.copy()
    if target:
        before = load(file).meta.get("target")
        path = ["meta", "target"]
        kept.edit("target", [unset_op(path) if before is None else set_op(path, before)])
    save(kept, file)


def _text(file: Path, fixed: list[str], compiled: Compiled) -> list[str]:
    lines = [f"{file}: fixed: {label}" for label in fixed]
    return lines + ([line(file, d) for d in compiled.diagnostics] or [f"{file}: no problems"])


def as_dict(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as JSON."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "nodes": list(diagnostic.nodes),
        "at": diagnostic.at,
        "hint": diagnostic.hint,
        "fix": diagnostic.fix.label if diagnostic.fix else None,
        "alternatives": [fix.label for fix in diagnostic.alternatives],
    }


def repair(document: Document) -> list[str]:
    """Apply fix after fix, each problem's once, until none is left; the labels of those applied.

    Notes (``info``) are no problems: what they offer is left to the user.
    """
    applied: list[str] = []
    tried = set()
    while True:
        offers = [
            d
            for d in compile_document(document).diagnostics
            if d.fix and d.severity != "info" and (d.code, d.nodes, d.at) not in tried
        ]
        if not offers:
            return applied
        first = offers[0]
        assert first.fix is not None
        tried.add((first.code, first.nodes, first.at))
        try:
            document.edit(first.fix.label, first.fix.ops)
            applied.append(first.fix.label)
        except EditError as error:
            say(f"{first.fix.label}: {one_line(str(error))}")
