"""Structure: nodes that reshape or normalise what passes, one file each."""
