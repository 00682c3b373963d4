"""What the panel of problems is made of: its model and how a row is painted."""
