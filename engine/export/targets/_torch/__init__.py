"""The PyTorch file, piece by piece."""
