"""NIR files: the dialects of their readers, neurons by name, and reading in a process of its own."""
