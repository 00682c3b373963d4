"""A Python script that draws the document again through our scripting API (``engine.document``)."""

from __future__ import annotations

import pprint
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.bootstrap import ROOT
from engine.compile import compile_document
from engine.document import Document, Node, dumps, load, new_node
from engine.errors import MyelinError
from engine.export.freeze import freeze
from engine.export.frozen import Frozen
from engine.export.simulate import Signals, simulate
from engine.export.target import Target, target
from engine.export.targets._names import identifier, printed, unique
from engine.program import Source
from nodes.spec import Values

TIMEOUT = 120  # s
_RUN = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
_HELPERS = '''
def add(key, kind, name, at, /, **params):
    """Draw a node at [x, y], its parameters at their defaults where none are given."""
    ops = [{"op": "add_node", "id": key, "node": new_node(kind, name, **params).to_json()}]
    if at is not None:
        ops.append({"op": "set", "path": ["layout", key], "value": {"at": at}})
    document.edit(f"Add {name}", ops)
    return key


def connect(key, source, source_port, target, target_port):
    """Draw a wire."""
    wire = {"from": [source, source_port], "to": [target, target_port]}
    document.edit("Connect", [{"op": "add_wire", "id": key, "wire": wire}])
'''
_TAKEN = ("document", "add", "connect", "new_node", "save", "sys", "Document")


@target("script", label="Python script")
class Script(Target):
    """``python network.py NETWORK.myelin`` writes the document again, to the byte."""

    group = "Documents"
    file = ".py"
    software = "our scripting API"

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """``network.py``."""
        (folder / "network.py").write_text(script(document_of(frozen, self.label)), "utf-8")

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """Run the script, compare what it drew, and run that."""
        with tempfile.TemporaryDirectory(prefix="myelin-") as scratch:
            drawn = run(artefact, Path(scratch, "drawn.myelin"))
        if dumps(drawn) != dumps(document_of(frozen, self.label)):
            raise MyelinError(f"{artefact} draws another document")
        program = compile_document(drawn).program
        if program is None:
            raise MyelinError(f"{artefact} draws a document that does not compile")
        return simulate(freeze(program, frozen.arrays), inputs, steps)


def document_of(frozen: Frozen, label: str) -> Document:
    """What was drawn; MyelinError where the export was not given it."""
    if frozen.document is None:
        raise MyelinError(f"{label} needs the document, not only its program")
    return frozen.document


def run(path: Path, out: Path) -> Document:
    """The document that a script draws; MyelinError where it fails."""
    command = [sys.executable, "-c", _RUN, str(path.absolute()), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, cwd=ROOT)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise MyelinError(f"{path} failed: {last}")
    return load(out)


def script(document: Document) -> str:
    """The script of a document."""
    names = _variables(document)
    title = str(document.meta.get("title", ""))
    head = (
        f"{printed(title) or 'A network'}, drawn by the scripting API of Myelin Studio.\n\n"
        "    python network.py NETWORK.myelin\n"
    )
    lines = [
        f'"""{head}"""\n\nimport sys\n\nfrom engine.document import Document, new_node, save\n',
        f"document = Document.new({title!r}, dt_ms={document.meta.get('dt_ms', 1.0)!r}, "
        f"seed={document.meta.get('seed', 0)!r})",
        *([f"document.app = {document.app!r}"] if document.app != Document().app else []),
        f"\n{_HELPERS}\n",
        *(_node(document, key, names[key]) for key in names),
        "",
        *(_wire(document, key, names) for key in sorted(document.wires)),
        "",
        *_rest(document),
        "",
        "save(document, sys.argv[1])",
    ]
    return "\n".join(lines) + "\n"


def _variables(document: Document) -> dict[str, str]:
    """A variable for every node, from left to right as they are drawn."""
    found: dict[str, str] = {}
    for key in sorted(document.nodes, key=lambda key: (_at(document, key), key)):
        found[key] = unique(identifier(document.nodes[key].name), {*found.values(), *_TAKEN})
    return found


def _at(document: Document, key: str) -> tuple[float, ...]:
    return tuple(document.layout.get(key, {}).get("at", ()))


def _node(document: Document, key: str, variable: str) -> str:
    node = document.nodes[key]
    usual = new_node(node.type, node.name)
    chosen = {k: v for k, v in node.params.items() if k not in usual.params or not _same(usual.params[k], v)}
    if new_node(node.type, node.name, **chosen) != node:
        return f"{variable} = {key!r}\n" + _edit(f"Add {node.name}", _added(key, node))
    place = document.layout.get(key, {})
    at = place["at"] if set(place) == {"at"} else None
    words = [repr(key), repr(node.type), repr(node.name), repr(at), *_keywords(chosen)]
    return _call(f"{variable} = add", words)


def _added(key: str, node: Node) -> dict[str, Any]:
    return {"op": "add_node", "id": key, "node": node.to_json()}


def _same(a: Any, b: Any) -> bool:
    """Equal, and written alike: 1 is not 1.0."""
    return repr(a) == repr(b)


def _keywords(params: Mapping[str, Any]) -> list[str]:
    odd = {name: value for name, value in params.items() if not name.isidentifier()}
    plain = [f"{name}={_literal(value)}" for name, value in params.items() if name not in odd]
    return [*plain, *([f"**{_literal(odd)}"] if odd else [])]


def _wire(document: Document, key: str, names: Mapping[str, str]) -> str:
    wire = document.wires[key]
    if wire.extra:
        return _edit("Connect", {"op": "add_wire", "id": key, "wire": wire.to_json()})
    (source, out), (to, into) = wire.source, wire.target
    return _call("connect", [repr(key), names[source], repr(out), names[to], repr(into)])


def _rest(document: Document) -> list[str]:
    """Everything besides nodes and wires."""
    found: dict[tuple[str, ...], Any] = {
        ("meta", key): value for key, value in document.meta.items() if key not in ("title", "dt_ms", "seed")
    }
    placed = {
        key for key in document.nodes if set(document.layout.get(key, {})) == {"at"} and _short(document, key)
    }
    found |= {("layout", key): value for key, value in document.layout.items() if key not in placed}
    sections: dict[str, Any] = {
        "groups": document.groups,
        "views": document.views,
        "recipes": document.recipes,
    }
    whole: dict[tuple[str, ...], Any] = {
        (name,): value
        for name, value in {**sections, **document.extra}.items()
        if value or name not in sections
    }
    absent = [name for name in ("title", "dt_ms", "seed") if name not in document.meta]
    return [
        *(_edit("Set", {"op": "unset", "path": ["meta", name]}) for name in absent),
        *(
            _edit("Set", {"op": "set", "path": list(path), "value": value})
            for path, value in {**found, **whole}.items()
        ),
    ]


def _short(document: Document, key: str) -> bool:
    return _node(document, key, "x").startswith("x = add(")


def _edit(label: str, op: Mapping[str, Any]) -> str:
    return f"document.edit({label!r}, [{_literal(op)}])"


def _call(function: str, words: list[str]) -> str:
    """A call on one line, or with a word a line where that is too long."""
    line = f"{function}({', '.join(words)})"
    if len(line) <= 110:
        return line
    return "\n".join([f"{function}(", *(f"    {word}," for word in words), ")"])


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=100, sort_dicts=False, compact=True)
