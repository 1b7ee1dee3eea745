"""The arguments and options that many commands share."""

from datetime import date
from pathlib import Path
from typing import Any

import click


class Day(click.ParamType):
    """A date typed as 2026-03-31."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """The date, or a usage error that says how to write one."""
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not a date; write it as 2026-03-31", param, ctx)
        if not 2000 <= day.year <= 2099:
            self.fail(f"{value} lies outside the years 2000 to 2099", param, ctx)
        return day


class Folder(click.Path):
    """A folder; a blank name, of a variable that was never set, is none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The path, or a usage error."""
        if value == "":
            self.fail("the name of the folder is blank", param, ctx)
        return super().convert(value, param, ctx)


class NewFolder(click.Path):
    """A folder for files, made where the one it lies in is there.

    A disk that is not mounted, or a slip, must not put patients' names elsewhere.
    """

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The path, or a usage error."""
        folder = super().convert(value, param, ctx)
        if not Path(str(folder)).absolute().parent.is_dir():
            above = Path(str(folder)).absolute().parent
            self.fail(
                f"there is no folder {above}; make it, or name another", param, ctx
            )
        return folder


FOLDER = click.argument("folder", type=Folder(path_type=Path))


LEDGER = click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    help="Where the ledger is, if not FOLDER/ledger/membill.duckdb; on a local disk.",
)


AS_OF = click.option(
    "--as-of",
    type=Day(),
    help="The day to work for, as 2026-03-31; today if not given.",
)


FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="csv is for people: ' stands before text a spreadsheet would run as a formula."
    " json is for machines: every value exactly as it is.",
)
