"""From the step equations of a node to a graph of expressions, and from that to equations and code."""
