"""Kills the program at every step that changes the disk, and looks at what is left."""
