"""From a document to a program: pure passes over a networkx graph, problems as data."""

from engine.compile.diagnostics import Diagnostic, Fix
from engine.compile.pipeline import Compiled, compile_document

__all__ = ["Compiled", "Diagnostic", "Fix", "compile_document"]
