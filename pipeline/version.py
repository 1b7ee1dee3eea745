"""The version of the program, which every run records."""

from importlib.metadata import version

VERSION = version("membill")
