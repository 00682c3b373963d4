"""Data sets: loaders of the field's files, one file each."""
