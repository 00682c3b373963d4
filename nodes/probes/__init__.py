"""Probes: what a run records, one file each."""
