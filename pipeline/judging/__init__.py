"""Checks across rows, sheets and nights, in words at the cell that a person should mend."""
