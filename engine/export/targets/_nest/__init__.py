"""The PyNEST script."""
