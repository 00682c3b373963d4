"""From a NIR graph to a document."""
