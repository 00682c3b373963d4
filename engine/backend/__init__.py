"""The torch floor: delay operators, surrogates, executor, training and data."""
