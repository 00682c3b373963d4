"""The canvas: a document as painted nodes and wires in a QGraphicsScene."""
