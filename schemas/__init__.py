"""What each table is: columns, headings, types, checks, and what one row means."""

from schemas.inputs import INPUTS
from schemas.practice import Practice

__all__ = ["INPUTS", "Practice"]
