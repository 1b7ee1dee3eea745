"""A group of practices: every practice folder below one root, billed on Dask."""
