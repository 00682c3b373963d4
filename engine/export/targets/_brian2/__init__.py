"""The Brian2 script."""
