"""What the inspector is made of: rows of parameters, sections, and a page for each kind of selection."""
