"""Export from the window: what each target takes, what it changes, what it writes, and the proof."""
