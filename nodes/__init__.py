"""What can stand on a canvas: declarations and step equations, without torch and without Qt."""
