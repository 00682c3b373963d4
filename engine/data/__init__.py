"""Data on disk: where data sets lie, and how they get there."""
