"""Compile passes, one file each: ``AFTER`` names what comes before, ``run(graph, context)`` is the pass."""
