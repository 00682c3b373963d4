"""Networks in integers: the arithmetic that fixed-point C and Verilog share, and its numpy reference."""
