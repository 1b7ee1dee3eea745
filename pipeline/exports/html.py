"""Pages that need no other file: their templates, read once."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template


@cache
def template(name: str) -> Template:
    """The template of a page; values are escaped, and one that is missing is an error."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = files("pipeline.exports") / f"{name}.html.jinja"
    return environment.from_string(page.read_text(encoding="utf-8"))
