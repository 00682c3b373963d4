"""The Verilog folder: plan, units, synapses, test bench, and the simulators."""
