"""Speck's cores: what is mapped onto them, and the rules."""
