"""Writes the page of mistakes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mistakes.page import markdown

print(markdown(), end="")
