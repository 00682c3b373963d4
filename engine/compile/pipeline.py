"""The pipeline: finds every pass in ``passes/``, orders them by what each says it follows, and runs them."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import networkx as nx

from engine.compile import passes
from engine.compile.diagnostics import Diagnostic
from engine.compile.graph import Context, Graph, Pass, empty, vertices
from engine.document import Document
from engine.program import Program


@dataclass(frozen=True)
class Compiled:
    """The outcome: a program unless a diagnostic is an error, and the IR printed after passes asked for."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]
    printed: dict[str, str]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that keep the document from running."""
        return tuple(d for d in self.diagnostics if d.severity == "error")


@cache
def pipeline() -> dict[str, Pass]:
    """Name and function of every pass, in order.

    A pass is a module with ``run``, ``AFTER`` and, where others must see what it leaves, ``BEFORE``.
    """
    order = nx.DiGraph()
    found = {}
    for module in pkgutil.iter_modules(passes.__path__):
        loaded = importlib.import_module(f"{passes.__name__}.{module.name}")
        found[module.name] = loaded.run
        order.add_node(module.name)
        order.add_edges_from((before, module.name) for before in loaded.AFTER)
        order.add_edges_from((module.name, after) for after in getattr(loaded, "BEFORE", ()))
    return {name: found[name] for name in nx.lexicographical_topological_sort(order)}


def compile_document(document: Document, print_after: str = "", *, folder: Path | None = None) -> Compiled:
    """Compile; ``print_after`` names a pass, or ``all``.  Stops at the first pass that reports an error.

    ``folder``: where relative paths in the document begin, by default the working directory.

    Parameters and ports are judged together, so that one look shows all mistakes of drawing.
    """
    meta = document.meta
    context = Context(document, float(meta.get("dt_ms", 1.0)), int(meta.get("seed", 0)), folder or Path())
    graph, printed = empty(), {}
    for name, run in pipeline().items():
        if _failed(context) and name not in ("check_params", "check_ports"):
            break
        graph = run(graph, context)
        if print_after in (name, "all"):
            printed[name] = context.program.text() if context.program else graph_text(graph, context)
    program = None if _failed(context) else context.program
    return Compiled(program, tuple(context.diagnostics), printed)


def _failed(context: Context) -> bool:
    return any(d.severity == "error" for d in context.diagnostics)


def graph_text(graph: Graph, context: Context) -> str:
    """The graph as text, one line a vertex, in a stable order."""
    from engine.compile.graph import wires_into

    lines = []
    for v in vertices(graph):
        wired = ", ".join(f"{e.target_port}={e.source}.{e.source_port}" for e in wires_into(graph, v.id))
        shapes = ", ".join(
            f"{port}:{'x'.join(map(str, s)) if s else s}" for port, s in sorted(v.shapes.items())
        )
        lines.append("  ".join(filter(None, [f"{v.id} = {v.type}({wired})", shapes, str(v.delay or "")])))
    lines += [
        f"stage {n}: {' '.join(s.ops)}" + (f"  chunk {s.chunk}" if s.chunk else "")
        for n, s in enumerate(context.stages)
    ]
    return "\n".join(lines) + "\n"
