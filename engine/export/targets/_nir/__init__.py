"""From a frozen network to a NIR graph."""
