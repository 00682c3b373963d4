"""Export: what was drawn runs elsewhere.  Light: no torch."""
