"""The PyNN script."""
