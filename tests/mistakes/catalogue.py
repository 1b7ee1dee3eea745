"""The catalogue: 129 mistakes in order of number."""

from mistakes import of_dates, of_files, of_ids, of_money, of_places, of_sheets, of_text

PARTS = (
    ("Files and folders", of_files.MISTAKES),
    ("Sheets, tables and headings", of_sheets.MISTAKES),
    ("Who and what is meant", of_ids.MISTAKES),
    ("Dates", of_dates.MISTAKES),
    ("Amounts, tax and words to choose from", of_money.MISTAKES),
    ("Text, and ways to reach a person", of_text.MISTAKES),
    ("Tables and prices in the wrong place", of_places.MISTAKES),
)
CATALOGUE = tuple(mistake for _, part in PARTS for mistake in part)
