"""Training in the window: the runs of a document, the training in progress, and how both are shown."""
