"""Plasticity: rules attached to a projection, one file each."""
