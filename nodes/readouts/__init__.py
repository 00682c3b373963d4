"""Readouts: from activity to a decision, one file each."""
