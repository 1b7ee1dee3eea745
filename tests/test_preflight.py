"""What is known of a workbook before any value is believed."""

import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.packaging.custom import StringProperty
from openpyxl.worksheet.table import Table

from pipeline.reading import preflight
from pipeline.reading.package import Package, unpack
from pipeline.reading.preflight import Facts, inspect
from pipeline.reading.sheets import Area, Unusable, column_index, column_letter

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

BOOK = (
    f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets>'
    '<sheet name="Patients" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
BOOK_RELATIONS = (
    f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" '
    f'Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)


def sheet_xml(rows: str, after: str = "") -> str:
    return f"<worksheet {MAIN}><sheetData>{rows}</sheetData>{after}</worksheet>"


def archive(**changed: str | None) -> bytes:
    """A workbook of one sheet; `sheet` is its XML, other names are extra parts."""
    parts: dict[str, str | None] = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": BOOK_RELATIONS,
        "xl/worksheets/sheet1.xml": changed.pop("sheet", None) or sheet_xml(""),
    }
    parts |= changed
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, part in parts.items():
            if part is not None:
                made.writestr(name, part)
    return buffer.getvalue()


def facts_of(content: bytes) -> Facts:
    package = unpack(content)
    return inspect(package, package.sheets[0])


def saved(change: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Patients"
    change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("index", "letters"),
    [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA"),
     (16_383, "XFD")],
)  # fmt: skip
def test_columns_are_lettered_as_spreadsheets_do(index: int, letters: str) -> None:
    assert column_letter(index) == letters
    assert column_index(letters) == index


@pytest.mark.parametrize("reference", ["", "A0", "XFE1", "a1", "A1:B2:C3", "1A"])
def test_a_reference_that_is_none_is_no_area(reference: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Area.of(reference)


@pytest.mark.parametrize(
    ("rows", "facts"),
    [
        pytest.param(
            '<row r="2"><c r="B2"><v>5</v></c></row>',
            Facts(filled_rows={2}),
            id="a number fills its row",
        ),
        pytest.param(
            '<row r="2"><c r="A2" s="0"/></row><row r="3"><c r="A3"><v></v></c></row>',
            Facts(),
            id="a formatted cell without a value fills nothing",
        ),
        pytest.param(
            '<row r="1"><c r="A1" t="inlineStr"><is><t> </t></is></c></row>',
            Facts(),
            id="a cell of spaces fills nothing",
        ),
        pytest.param(
            '<row r="1"><c r="A1" t="e"><v>#REF!</v></c></row>',
            Facts(filled_rows={1}, errors={(1, 0): "#REF!"}),
            id="an error is kept with its cell",
        ),
        pytest.param(
            '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>',
            Facts(filled_rows={1}, formulas={(1, 0): True}),
            id="a formula with its value",
        ),
        pytest.param(
            '<row r="1"><c r="A1"><f>1+1</f><v/></c><c r="B1"><f>2</f></c></row>',
            Facts(formulas={(1, 0): False, (1, 1): False}),
            id="a formula without a value",
        ),
        pytest.param(
            '<row r="1"><c r="A1" t="str"><f>""</f><v></v></c></row>',
            Facts(formulas={(1, 0): True}),
            id="a formula whose value is no text at all has a value",
        ),
        pytest.param(
            '<row r="1"><c r="A1"><f>[1]Sheet1!A1</f><v>2</v></c>'
            '<c r="B1" t="str"><f t="shared" si="0"/><v>[1]</v></c></row>',
            Facts(
                filled_rows={1},
                formulas={(1, 0): True, (1, 1): True},
                links={(1, 0)},
            ),
            id="a formula that asks another workbook is told from its value",
        ),
        pytest.param(
            '<row r="1" hidden="1"/><row r="4" ht="0"/>',
            Facts(hidden_rows={1, 4}),
            id="rows hidden or without height",
        ),
        pytest.param(
            "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>",
            Facts(filled_rows={1, 2}),
            id="cells without an address follow one another",
        ),
    ],
)
def test_what_a_sheet_says_of_itself(rows: str, facts: Facts) -> None:
    assert facts_of(archive(sheet=sheet_xml(rows))) == facts


def test_what_stands_beside_the_cells_is_seen() -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book.active
        for row in (["ID", "Name"], ["P1", "Ann"], ["Total", None], ["P2", "Bo"]):
            sheet.append(row)
        sheet.merge_cells("A4:B5")
        sheet.column_dimensions["B"].hidden = True
        sheet["A2"].comment = Comment("ask first", "mm")
        table = Table(displayName="Patients", ref="A1:B3")
        table.totalsRowCount = 1
        sheet.add_table(table)

    facts = facts_of(saved(change))
    assert facts.merged == [Area(4, 0, 5, 1)]
    assert str(facts.merged[0]) == "A4:B5"
    assert facts.hidden_columns == {1}
    assert facts.comments == {(2, 0)}
    assert [table.area for table in facts.tables] == [Area(1, 0, 3, 1)]
    assert list(facts.tables[0].total_rows()) == [3]


def test_a_sheet_of_comments_without_end_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def change(book: openpyxl.Workbook) -> None:
        for at in ("A1", "A2", "B2"):
            book.worksheets[0][at].comment = Comment("ask first", "mm")

    monkeypatch.setattr(preflight, "_MOST_NOTED", 2)
    with pytest.raises(Unusable, match="too-large"):
        facts_of(saved(change))


def test_the_workbook_says_its_sheets_and_properties() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.create_sheet("Lists").sheet_state = "veryHidden"
        book.create_sheet("Old").sheet_state = "hidden"
        book.epoch = openpyxl.utils.datetime.MAC_EPOCH
        book.custom_doc_props.append(
            StringProperty(name="billing_template", value="patients/3")
        )

    package = unpack(saved(change))
    assert [(entry.title, entry.state) for entry in package.sheets] == [
        ("Patients", "visible"),
        ("Lists", "veryHidden"),
        ("Old", "hidden"),
    ]
    assert package.date1904
    assert package.properties == {"billing_template": "patients/3"}


def test_shared_text_that_shows_nothing_fills_nothing() -> None:
    strings = (
        f"<sst {MAIN}><si><t>a</t></si><si><t/></si><si><r><t> </t></r></si></sst>"
    )
    rows = "".join(
        f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(3)
    )
    leads = BOOK_RELATIONS.replace(
        "</R",
        f'<Relationship Id="rId2" Type="{RELATIONS}/sharedStrings"'
        ' Target="sharedStrings.xml"/></R',
    )
    content = archive(
        sheet=sheet_xml(rows),
        **{"xl/sharedStrings.xml": strings, "xl/_rels/workbook.xml.rels": leads},
    )
    assert facts_of(content).filled_rows == {1}


def test_the_reader_of_values_gets_the_checked_parts_alone() -> None:
    content = archive(**{"xl/media/picture.png": "dots", "xl/vbaProject.bin": "code"})
    package: Package = unpack(content)
    with zipfile.ZipFile(io.BytesIO(package.alone(package.sheets[0]))) as made:
        assert made.namelist() == [
            "[Content_Types].xml",
            "_rels/.rels",
            "xl/workbook.xml",
            "xl/worksheets/sheet1.xml",
            "xl/_rels/workbook.xml.rels",
        ]
        assert made.testzip() is None


UNRELIABLE = "the workbook could not be read reliably"
DAMAGED = "the workbook is damaged and cannot be opened"
TOO_LARGE = "the workbook unfolds to more than a workbook of a practice can hold"
ONE = '<c r="A{0}"><v>1</v></c>'


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(
            archive(sheet=sheet_xml('<row r="2"/><row r="2"/>')),
            UNRELIABLE,
            id="a row that stands twice",
        ),
        pytest.param(
            archive(sheet=sheet_xml('<row r="3"/><row r="2"/>')),
            UNRELIABLE,
            id="rows out of order",
        ),
        pytest.param(
            archive(sheet=sheet_xml('<row r="1048577"/>')),
            UNRELIABLE,
            id="a row beyond the last",
        ),
        pytest.param(
            archive(sheet=sheet_xml('<row r="1"><c r="B1"/><c r="A1"/></row>')),
            UNRELIABLE,
            id="cells out of order",
        ),
        pytest.param(
            archive(sheet=sheet_xml('<row r="1"><c r="A1"/><c r="A1"/></row>')),
            UNRELIABLE,
            id="a cell that stands twice",
        ),
        pytest.param(
            archive(sheet=sheet_xml('<row r="1"><c r="A2"/></row>')),
            UNRELIABLE,
            id="a cell of another row",
        ),
        pytest.param(
            archive(sheet=sheet_xml('<row r="1"><c r="XFE1"/></row>')),
            DAMAGED,
            id="a column beyond the last",
        ),
        pytest.param(
            archive(sheet=sheet_xml('<row r="x"/>')),
            DAMAGED,
            id="a row number that is none",
        ),
        pytest.param(
            archive(sheet="<!DOCTYPE x []>" + sheet_xml("")),
            UNRELIABLE,
            id="a document type",
        ),
        pytest.param(archive(sheet="<html/>"), UNRELIABLE, id="a sheet that is none"),
        pytest.param(archive(sheet="<worksheet"), DAMAGED, id="XML that breaks off"),
        pytest.param(
            archive(**{"XL/Workbook.xml": BOOK}),
            UNRELIABLE,
            id="a part that stands twice",
        ),
        pytest.param(
            archive(**{"xl/workbook.xml": None}), DAMAGED, id="no list of sheets"
        ),
        pytest.param(archive()[:-30], DAMAGED, id="an archive that breaks off"),
        pytest.param(
            archive(**{"xl/zeros.xml": " " * 11_000_000}), TOO_LARGE, id="a bomb"
        ),
        pytest.param(
            archive(
                sheet=sheet_xml('<row r="1000000"><c r="XFD1000000"><v>1</v></c></row>')
            ),
            "a value stands far outside the table (XFD1000000)",
            id="a value at the end of the world",
        ),
        pytest.param(
            archive(
                sheet=sheet_xml(
                    '<row r="1048576"><c r="A1048576"><v>1</v></c>'
                    '<c r="F1048576"><v>1</v></c></row>'
                )
            ),
            "a value stands far outside the table (A1048576)",
            id="values at the end of the rows",
        ),
        pytest.param(
            archive(
                sheet=sheet_xml(
                    '<row r="2"><c r="XFD2"><v>1</v></c></row>'
                    '<row r="2000"><c r="A2000"><v>1</v></c></row>'
                )
            ),
            "a value stands far outside the table (XFD2)",
            id="a value at the end of the columns",
        ),
    ],
)
def test_an_odd_workbook_is_refused(content: bytes, found: str) -> None:
    with pytest.raises(Unusable) as refusal:
        facts_of(content)
    assert refusal.value.found == found


def test_a_part_whose_bytes_were_changed_is_refused() -> None:
    content = archive(sheet=sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>' * 1))
    stored = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stored, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    broken = stored.getvalue().replace(b"<v>1</v>", b"<v>2</v>")
    with pytest.raises(Unusable) as refusal:
        facts_of(broken)
    assert refusal.value.found == DAMAGED
