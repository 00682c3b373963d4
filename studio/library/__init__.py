"""What the library is made of: its tree, and what of it is remembered."""
