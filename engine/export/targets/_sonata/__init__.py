"""SONATA files, and the script that runs them in NEST."""
