"""What the mouse and keys do on the canvas, one gesture a file."""
