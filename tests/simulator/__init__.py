"""A practice that lives for years in one process, and a second opinion of each night."""
