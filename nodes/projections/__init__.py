"""Projections: weights between populations, one file each."""
