"""The commands, a module for each kind of work; what they do is done elsewhere."""
