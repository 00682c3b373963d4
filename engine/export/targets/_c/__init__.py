"""The C folder: tables, units, synapses, replay, and how it is compiled and run."""
