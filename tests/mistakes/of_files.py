"""Mistakes with whole files and folders: 1 to 28."""

import shutil
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

from openpyxl.packaging.custom import StringProperty

from mistakes.mistake import Mistake, as_csv, workbook

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)


Change = Callable[[Path], object]


def _touch(name: str) -> Change:
    return lambda folder: (folder / name).write_bytes(b"\x02Di")


def _copy(name: str) -> Change:
    return lambda folder: shutil.copy(folder / "patients.xlsx", folder / name)


def _is(content: bytes) -> Change:
    return lambda folder: (folder / "patients.xlsx").write_bytes(content)


def _growing() -> AbstractContextManager[object]:
    return patch.multiple(
        "pipeline.reading.folder", _read_still=lambda path: None, PAUSE=0
    )


def _old_excel(folder: Path) -> None:
    (folder / "patients.xlsx").unlink()
    (folder / "patients.xls").write_bytes(OLE + "Workbook".encode("utf-16-le"))


def _open_document(folder: Path) -> None:
    (folder / "patients.xlsx").unlink()
    with zipfile.ZipFile(folder / "patients.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<content/>")


def _renamed(ending: str) -> Change:
    return lambda folder: (folder / "patients.xlsx").rename(
        folder / f"patients.{ending}"
    )


def _both(folder: Path) -> None:
    kept = (folder / "patients.xlsx").read_bytes()
    as_csv(folder)
    (folder / "patients.xlsx").write_bytes(kept)


def _cut(folder: Path) -> None:
    content = (folder / "patients.xlsx").read_bytes()
    (folder / "patients.xlsx").write_bytes(content[: len(content) // 2])


def _letters(encoding: str) -> Change:
    def change(folder: Path) -> None:
        text = as_csv(folder).replace("Annabel", "Zoë")
        (folder / "patients.csv").write_bytes(text.encode(encoding))

    return change


def _mixed(folder: Path) -> None:
    text = as_csv(folder).replace("Annabel", "Zo@").encode()
    (folder / "patients.csv").write_bytes(text.replace(b"Zo@", b"Zo\x81"))


def _csv_with(old: str, new: str, separator: str = ",") -> Change:
    def change(folder: Path) -> None:
        text = as_csv(folder, separator=separator)
        assert old in text
        (folder / "patients.csv").write_text(text.replace(old, new, 1), newline="")

    return change


def _template(value: str) -> Change:
    def change(folder: Path) -> None:
        with workbook(folder) as (book, _):
            kind = StringProperty(name="billing_template", value=value)
            book.custom_doc_props.append(kind)

    return change


def _unreachable() -> AbstractContextManager[object]:
    return patch("pipeline.reading.folder.os.listdir", side_effect=PermissionError)


MISTAKES = (
    Mistake(
        1, "Excel's owner file lies beside the workbook",
        "It is not read; while it is there somebody has the workbook open.",
        (
            "Check | open-elsewhere | patients.xlsx | someone has the file open; the copy last saved was read |  | save and close it before the night",
        ), _touch("~$patients.xlsx"),
    ),
    Mistake(
        2, "The workbook is open at night",
        "The copy last saved is read, without locking it, and that is said.",
        (
            "Check | open-elsewhere | patients.xlsx | someone has the file open; the copy last saved was read |  | save and close it before the night",
        ), _touch(".~lock.patients.xlsx#"),
    ),
    Mistake(
        3, "The file changes while it is read",
        "It is tried three times; then the night stops.",
        (
            "Stops the night | changing | patients.xlsx | the file is being changed while it is read |  | wait until it is saved or synchronised, then run again",
        ), lambda folder: None, _growing,
    ),
    Mistake(
        4, "A sync folder left a conflict copy",
        "Nobody can say which is right: the night stops.",
        (
            "Stops the night | two-files | patients.xlsx | patients.xlsx and patients-DESKTOP-7QK2.xlsx stand side by side and only one can be the right one |  | keep the right one and move the other out of the folder",
        ), _copy("patients-DESKTOP-7QK2.xlsx"),
    ),
    Mistake(
        5, "A copy or an old version lies beside the file",
        "The file of the right name is read, the other is named.",
        (
            "Check | copy-ignored | Copy of patients.xlsx | the file stands beside patients.xlsx and was not read |  | move copies out of the practice folder",
        ), _copy("Copy of patients.xlsx"),
    ),
    Mistake(
        6, "The same sheet stands there as workbook and as CSV",
        "The night stops until one is gone.", (
            "Stops the night | sheet-and-csv | patients.xlsx: Patients | this sheet and the file patients.csv hold the same table |  | keep one of the two and move the other out of the folder",
        ), _both,
    ),
    Mistake(
        7, "The file is empty, or still in the cloud", "The night stops.",
        (
            "Stops the night | format-empty | patients.xlsx | the file holds nothing (0 bytes), as one that is still in the cloud does |  | open it once so that it is downloaded, or bring back an earlier version",
        ), _is(b""),
    ),
    Mistake(
        8, "The workbook has a password", "The night stops.",
        (
            "Stops the night | format-encrypted | patients.xlsx | the workbook has a password to open it |  | open it in Excel, remove the password (File, Info, Protect Workbook) and save",
        ), _is(OLE + "EncryptedPackage".encode("utf-16-le")),
    ),
    Mistake(
        9, "A workbook of old Excel (.xls)", "The night stops.", (
            "Stops the night | format-xls | patients.xls | this is an old Excel workbook (.xls) |  | open it in Excel and save it as Excel Workbook (.xlsx), named patients.xlsx",
        ), _old_excel,
    ),
    Mistake(
        10, "Another program's format (.xlsb, .ods, .numbers, a Google shortcut)",
        "The night stops, and the file is called by what it truly is.",
        (
            "Stops the night | format-ods | patients.ods | this is an OpenDocument spreadsheet (.ods) |  | open it in LibreOffice and save it as Excel 2007-365 (.xlsx), named patients.xlsx",
        ), _open_document,
    ),
    Mistake(
        11, "A workbook with macros (.xlsm)", "It is read; macros never run.",
        (
            "Check | macros | patients.xlsm | the workbook may hold macros; they were not run |  | save it as Excel Workbook (.xlsx)",
        ), _renamed("xlsm"),
    ),
    Mistake(
        12, "A web page or CSV named .xlsx", "The night stops.",
        (
            "Stops the night | format-html | patients.xlsx | this is a web page and no workbook |  | open it in Excel and save it as Excel Workbook (.xlsx), or export it again",
        ), _is(b"<html><table><tr><td>P1</td></tr></table></html>"),
    ),
    Mistake(13, "The file is damaged", "The night stops.", (
            "Stops the night | format-damaged | patients.xlsx | the workbook is damaged and cannot be opened |  | bring back an earlier version of it, or open and repair it in Excel and save",
        ), _cut),
    Mistake(
        14, "A CSV in UTF-8 with a byte order mark", "It is read without a word.",
        (), _letters("utf-8-sig"),
    ),
    Mistake(
        15, "A CSV saved as Unicode text (UTF-16)", "It is read without a word.",
        (), _letters("utf-16"),
    ),
    Mistake(
        16, "A CSV in Windows letters", "It is read as such, and that is said.",
        (
            "Check | csv-windows | patients.csv | the file was read as Windows text; check the accents in it |  | save it as CSV UTF-8 (File, Save As)",
        ), _letters("cp1252"),
    ),
    Mistake(
        17, "A CSV in letters of no kind, or of several", "The night stops.",
        (
            "Stops the night | csv-letters | patients.csv | line 2 holds letters that cannot be read |  | save it as CSV UTF-8 (File, Save As)",
        ), _mixed,
    ),
    Mistake(
        18, "A CSV with semicolons or tabs", "It is read without a word.",
        (), lambda folder: as_csv(folder, separator=";") and None,
    ),
    Mistake(
        19, "A CSV that begins with sep=;", "The line is taken for what it is.",
        (), _csv_with("Patient ID", "sep=;\r\nPatient ID", ";"),
    ),
    Mistake(
        20, "A CSV row with a comma too many",
        "The row is held, also where its last cell is blank; where every row ends with the"
        " same blank cells, they are no cells.",
        (
            "Not billed | too-many-cells | patients.csv: row 2, Patient ID | the row has more cells than there are headings |  | put text that holds a comma between quotation marks, or delete the commas too many at the end of the row",
        ), _csv_with("dd,,,,,,", "dd,,,,Flat 2, 4 Harbour Lane,AB1 2CD,rang on Monday"),
    ),
    Mistake(
        21, "A CSV row that is too short",
        "Missing cells at its end are blank; what is required there holds the row.",
        (
            "Not billed | required-blank | patients.csv: row 3, Last name | Last name is blank | text | write the Last name",
            "Not billed | required-blank | patients.csv: row 3, Membership active | Membership active is blank | Yes or No | write Yes or No",
        ), _csv_with("Barnaby,Thistlewood,Yes,GOLD,Annual,2026-02-01,,,,dd,,,,,,", "Barnaby"),
    ),
    Mistake(
        22, "A quotation mark is never closed", "The night stops.",
        (
            "Stops the night | csv-quote | patients.csv | a quotation mark opened on line 2 is not closed where its cell ends |  | close or remove the quotation mark, or save the sheet as a workbook",
        ), _csv_with("Annabel", '"Annabel'),
    ),
    Mistake(
        23, "A CSV that Excel saved again: 4.47E+11 for a long number",
        "The row is held: the digits are gone.",
        (
            "Not billed | code-digits-lost | patients.csv: row 2, Patient ID | 4.47E+11 is what spreadsheets make of a long number or of a code such as 1E5 | a code of letters, digits, - _ . or /, such as GOLD | format the column as Text and type the code again",
        ), _csv_with("P1,", "4.47E+11,"),
    ),
    Mistake(
        24, "Nobody has touched the file for long",
        "After three months of nights with the same bytes it is asked whether this is"
        " the right file.", (
            "Check | file-unchanged | patients.csv | nothing in the file has changed since the night of 2026-03-10 |  | see that this is the file the office works in, and not a copy of it",
        ),
    ),
    Mistake(
        25, "The wrong workbook was dropped in",
        "A template knows which workbook it is; last year's folder is known by the"
        " nights and guards.", (
            "Stops the night | wrong-file | patients.xlsx | by its properties this is the workbook products, not patients |  | put the right workbook here",
        ), _template("products/1"),
    ),
    Mistake(
        26, "The workbook was made from an older template",
        "It is read, and that is said; a required column it lacks stops the night.",
        (
            "Check | template-version | patients.xlsx | the workbook was made from template 0, older than this program's 2 |  | carry its rows over with `membill init NEW_FOLDER --from FOLDER`",
        ), _template("patients/0"),
    ),
    Mistake(
        27, "A required file is missing", "The night stops.",
        (
            "Stops the night | file-missing | patients.xlsx | the file is missing |  | put it into the practice folder under exactly this name",
        ), lambda folder: (folder / "patients.xlsx").unlink(),
    ),
    Mistake(
        28, "The folder cannot be reached", "The night stops.",
        (
            "Stops the night | folder | FOLDER | the folder cannot be read |  | see that it is connected and that this account may read it",
        ), lambda folder: None, _unreachable,
    ),
)  # fmt: skip
