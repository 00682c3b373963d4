"""Compile passes, one file each: ``AFTER`` names the passes before it, ``run(graph, context)`` is the pass."""
