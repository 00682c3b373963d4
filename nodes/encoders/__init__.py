"""Encoders: from values to spikes or currents, one file each."""
