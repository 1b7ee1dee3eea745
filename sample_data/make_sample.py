"""Makes the sample practice: `python -m sample_data.make_sample` from the repository.

Writes the sheets of `sample_data/` and `sample_data/with_mistakes/`, and the tables of
people and of mistakes in their README files. Making them again changes nothing.
"""

from pathlib import Path

from pipeline.exports.input_words import TITLES
from sample_data.mistakes import (
    CONTACTS_ENCODING,
    CSV_TABLES,
    EXTRA_SHEET,
    MISTAKES,
    Mistake,
    practice_with_mistakes,
    quirks,
)
from sample_data.people import PEOPLE, patient_id
from sample_data.practice import SCHEMAS, Sheets, practice
from sample_data.sheets import Page, Quirks, csv_bytes, page, workbook_bytes
from schemas.columns import about

HERE = Path(__file__).parent
BEGIN, END = "<!-- table -->", "<!-- end of table -->"


def main() -> None:
    """Write both practices and the tables of their README files."""
    for folder, files in ((HERE, sample()), (HERE / "with_mistakes", spoiled())):
        for name, content in files.items():
            (folder / name).write_bytes(content)
    _fill(HERE / "README.md", people_table())
    _fill(HERE / "with_mistakes" / "README.md", mistakes_table())


def sample() -> dict[str, bytes]:
    """The practice's files by name, without a mistake in them."""
    return _files(practice(), {}, extra_sheet="", contacts_encoding="utf-8")


def spoiled() -> dict[str, bytes]:
    """The same files with all of MISTAKES in them."""
    return _files(practice_with_mistakes(), quirks(), EXTRA_SHEET, CONTACTS_ENCODING)


def people_table() -> str:
    """Who is in the sample, which rule each shows and where the night puts them."""
    lines = ["| id | membership | shows | the night of 31 March |", "|---|---|---|---|"]
    for index, person in enumerate(PEOPLE):
        member = person.member or "none"
        bucket = f"`{person.bucket}`" if person.bucket else "not on the roster"
        lines.append(f"| {patient_id(index)} | {member} | {person.shows} | {bucket} |")
    return "\n".join(lines)


def mistakes_table() -> str:
    """Every mistake: where it is, what was typed, what must happen."""
    lines = [
        "| where | column | typed | seriousness | what must happen |",
        "|---|---|---|---|---|",
    ]
    for mistake in MISTAKES:
        typed = f"`{mistake.found}`" if mistake.found else ""
        seriousness = mistake.severity.value if mistake.severity else "nothing to say"
        cells = (_where(mistake), mistake.column, typed, seriousness, mistake.happens)
        lines.append(f"| {' | '.join(cells)} |")
    lines.append(
        f"| patients.xlsx: {EXTRA_SHEET} | | | nothing to say "
        "| a sheet that is none of the practice's; left alone |"
    )
    return "\n".join(lines)


def _files(
    sheets: Sheets, odd: dict[str, Quirks], extra_sheet: str, contacts_encoding: str
) -> dict[str, bytes]:
    """File name to content: a CSV for each of CSV_TABLES, workbooks for the rest."""
    books: dict[str, list[Page]] = {}
    files = {}
    for table, schema in SCHEMAS.items():
        one = page(schema, sheets[table], odd.get(table, Quirks()))
        if table in CSV_TABLES:
            encoding = contacts_encoding if table == "contacts" else "utf-8"
            files[f"{table}.csv"] = csv_bytes(one, encoding)
        else:
            books.setdefault(about(schema)["file"], []).append(one)
    for name, pages in books.items():
        extra = extra_sheet if name == "patients" else ""
        files[f"{name}.xlsx"] = workbook_bytes(TITLES[name], pages, extra)
    return files


def _where(mistake: Mistake) -> str:
    """The place of a mistake as people name it."""
    spot = mistake.cell or (f"row {mistake.row}" if mistake.row else "")
    sheet = "" if mistake.file.endswith(".csv") else f"{mistake.sheet} "
    return f"{mistake.file}: {sheet}{spot}".rstrip(": ")


def _fill(readme: Path, table: str) -> None:
    """Put a table between the two marks of a README."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    text = f"{before}{BEGIN}\n{table}\n{END}{after}"
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
