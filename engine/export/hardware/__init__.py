"""Chips: their limits as data (one ``.toml`` each), what breaks them, fixes, and budgets."""
