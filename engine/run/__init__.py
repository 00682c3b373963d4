"""Running a program in another process: protocol, client, and the worker itself (which alone loads torch)."""
