"""The document: records, edits with inverses, load and save, migrations, crash journal, clipboard.

    from engine.document import Document, load, save
    doc = Document.new("Two layers", dt_ms=1.0)
    a = doc.add("population.lif", name="hidden", size=[256])
    b = doc.add("population.lif", name="out", size=[20])
    doc.connect(a, "spikes", b, "in")
    save(doc, "two.myelin")
"""

from engine.document.document import SCHEMA, Document, Edit, new_node
from engine.document.errors import DocumentError, EditError
from engine.document.ops import delete_nodes
from engine.document.records import End, Node, Wire
from engine.document.store import dumps, load, loads, save

__all__ = [
    "SCHEMA", "Document", "DocumentError", "Edit", "EditError", "End", "Node", "Wire",
    "delete_nodes", "dumps", "load", "loads", "new_node", "save",
]
