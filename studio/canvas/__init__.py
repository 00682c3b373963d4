"""The canvas: a document drawn as nodes and wires.  ``scene`` shows, ``view`` moves; gestures edit.

Pure, without Qt: ``face`` (what a node looks like), ``shown`` (what is shown where), ``layout``.
"""

NODE_MIME = "application/x-myelin-node"
"""What is dragged from the library onto the canvas: the type of a node, as UTF-8 text."""
