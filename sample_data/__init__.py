"""A small made-up practice, the same with mistakes in it, and their maker."""
