"""Loihi's integers: what is deployed, its rules, its reference, and the Lava script."""
