"""Xylo's integers: what is specified, its rules and its reference."""
