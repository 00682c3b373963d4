"""The document: records, edits with inverses, load and save, migrations, crash journal, clipboard.

from engine.document import Document, load, save
doc = Document.new("Two layers", dt_ms=1.0)
a = doc.add("population.lif", name="hidden", size=[256])
b = doc.add("population.lif", name="out", size=[20])
doc.connect(a, "spikes", b, "in")
save(doc, "two.myelin")
"""

from engine.document import weights
from engine.document.clipboard import copy, paste
from engine.document.document import SCHEMA, Document, Edit, new_node
from engine.document.errors import DocumentError, EditError
from engine.document.history import History
from engine.document.journal import Journal, discard, journal_path, recover
from engine.document.ops import delete_nodes
from engine.document.records import End, Node, Wire
from engine.document.store import digest, dumps, load, loads, save

__all__ = [
    "SCHEMA",
    "Document",
    "DocumentError",
    "Edit",
    "EditError",
    "End",
    "History",
    "Journal",
    "Node",
    "Wire",
    "copy",
    "delete_nodes",
    "digest",
    "discard",
    "dumps",
    "journal_path",
    "load",
    "loads",
    "new_node",
    "paste",
    "recover",
    "save",
    "weights",
]
