"""What a file truly is, told from its bytes, and what to do if it is no workbook."""

import io
import re
import zipfile
import zlib

MOST_PARTS = 5_000  # of a zip archive; a workbook of 300 sheets has about 1,000
_DIRECTORY_ENTRY = b"PK\x01\x02"

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_HTML = re.compile(
    rb"\s*(<!--.*?-->\s*)?<(!doctype html|html|head|meta|table|body)", re.IGNORECASE
)
_SPREADSHEET_XML = b"urn:schemas-microsoft-com:office:spreadsheet"
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument.spreadsheet"

_SAVE_AS = "open it in Excel and save it as Excel Workbook (.xlsx)"
_EXPORTED = "open it in Excel and save it as Excel Workbook (.xlsx), or export it again"

# What taking a broken archive apart can raise.
BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError,
    RuntimeError, ValueError,
)  # fmt: skip

# What a file is instead of a workbook: what was found, how to repair it.
MESSAGES: dict[str, tuple[str, str]] = {
    "empty": (
        "the file holds nothing (0 bytes), as one that is still in the cloud does",
        "open it once so that it is downloaded, or bring back an earlier version",
    ),
    "encrypted": (
        "the workbook has a password to open it",
        "open it in Excel, remove the password (File, Info, Protect Workbook) and save",
    ),
    "xls": ("this is an old Excel workbook (.xls)", _SAVE_AS),
    "ole": ("this is an old Office document and no Excel workbook", _SAVE_AS),
    "xlsb": ("this is a binary Excel workbook (.xlsb)", _SAVE_AS),
    "ods": (
        "this is an OpenDocument spreadsheet (.ods)",
        "open it in LibreOffice and save it as Excel 2007-365 (.xlsx)",
    ),
    "numbers": (
        "this is an Apple Numbers document",
        "open it in Numbers and export it to Excel (.xlsx)",
    ),
    "google": (
        "this is a shortcut to a Google sheet and holds no data",
        "open the Google sheet and download it as Microsoft Excel (.xlsx)",
    ),
    "xml": ("this is an XML spreadsheet of 2003", _SAVE_AS),
    "html": ("this is a web page and no workbook", _EXPORTED),
    "pdf": ("this is a PDF document and no workbook", "save the workbook as .xlsx"),
    "word": ("this is a Word document and no workbook", "save the workbook as .xlsx"),
    "damaged": (
        "the workbook is damaged and cannot be opened",
        "bring back an earlier version of it, or open and repair it in Excel and save",
    ),
    "zip": (
        "this is a zip archive and no workbook",
        "take the workbook out of the archive and save it as .xlsx",
    ),
    "text": ("this is a text file and no workbook", _EXPORTED),
    "unknown": ("this is no Excel workbook", _SAVE_AS),
}

# Endings of spreadsheets that are never read, and what each then is.
FOREIGN_ENDINGS = {
    "xls": "xls", "xlt": "xls", "xlsb": "xlsb", "ods": "ods", "fods": "ods",
    "numbers": "numbers", "gsheet": "google", "xltx": "unknown",
}  # fmt: skip


def format_of(content: bytes) -> str:
    """A key of `MESSAGES`, or "xlsx" when the bytes may be read as a workbook."""
    if not content:
        return "empty"
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(content)
    if content.startswith(_OLE):
        return _old_office(content)
    head = content[:4096].lstrip(b"\xef\xbb\xbf")
    if content.startswith(b"%PDF"):
        return "pdf"
    if _HTML.match(head):
        return "html"
    if head.lstrip().startswith(b"<?xml"):
        return "xml" if _SPREADSHEET_XML in head else "unknown"
    if head.lstrip().startswith(b"{") and b"doc_id" in head:
        return "google"
    return "text" if _is_text(head) else "unknown"


def _is_text(head: bytes) -> bool:
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head


def _old_office(content: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return "encrypted"
    names = ("Workbook", "Book")
    return "xls" if any(n.encode("utf-16-le") in content for n in names) else "ole"


def too_many_parts(content: bytes) -> bool:
    """Whether an archive lists more parts than any workbook, before it is opened."""
    return content.count(_DIRECTORY_ENTRY) > MOST_PARTS


def _archive(content: bytes) -> str:
    """What a zip archive holds; every office format since 2007 is one."""
    if too_many_parts(content):
        return "xlsx"  # the pre-flight says that it is too large
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = {name.replace("\\", "/").lower() for name in archive.namelist()}
            if "mimetype" in names:
                with archive.open("mimetype") as part:
                    if part.read(100).startswith(_OPEN_DOCUMENT):
                        return "ods"
    except BROKEN:
        return "damaged"
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if any(name.endswith(".iwa") or name == "index.zip" for name in names):
        return "numbers"
    if "word/document.xml" in names:
        return "word"
    return "damaged" if "[content_types].xml" in names else "zip"
