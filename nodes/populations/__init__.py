"""Populations: neurons with state, one file each."""
