"""Losses: what training minimises, one file each."""
