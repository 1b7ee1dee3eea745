"""Reads the largest of hostile files under a limit of memory: one line of JSON for each.

Run by its test as a process of its own, `python -m tests.hostile.limits`, because a
limit once set stays, and a reader that runs out of memory may end its process.
"""

import json
import resource
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests import practice
from tests.hostile.books import SHEET, STRINGS, Book, sheet_xml, strings_xml, zipped
from tests.hostile.reading import read

ROOM = 700 * 1024**2
SECONDS = 60  # of work for all of them: against a hang only


def _directory_of(count: int) -> bytes:
    """An archive that lists a quarter of a million parts and has none."""
    entry = (
        b"PK\x01\x02" + b"\0" * 24 + struct.pack("<HHH", 1, 0, 0) + b"\0" * 12 + b"x"
    )
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0, 0, len(entry) * count, 4, 0)
    return b"PK\x03\x04" + entry * count + end


def _said_smaller() -> bytes:
    """A hundred million zeros whose directory says ten bytes."""
    content = bytearray(
        zipped([*Book().parts.items(), ("xl/styles2.xml", b"0" * 10**8)])
    )
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, at + 24, 10)
    return bytes(content)


def _one_text_everywhere() -> bytes:
    """A text of thirty thousand letters in a hundred thousand cells."""
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 100_001)
    )
    book = Book()
    book.parts[SHEET] = sheet_xml(rows)
    book.parts[STRINGS] = strings_xml(f"<si><t>{'x' * 30_000}</t></si>")
    return book.saved()


def _elements(count: int) -> bytes:
    return Book().after("<x/>" * count).saved()


def _far_rows() -> bytes:
    rows = "".join(
        f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1000, 2000)
    )
    return Book().more_rows(rows).saved()


FILES: dict[str, Callable[[], bytes]] = {
    "an ordinary workbook": lambda: Book().saved(),
    "a directory of 250,000 parts": lambda: _directory_of(250_000),
    "zeros said to be ten bytes": _said_smaller,
    "a space at the end of the world": lambda: (
        Book()
        .more_rows('<row r="1048576"><c r="XFD1048576" t="str"><v> </v></c></row>')
        .saved()
    ),
    "a thousand values in the last column": _far_rows,
    "one text in every cell": _one_text_everywhere,
    "three hundred thousand elements of no meaning": lambda: _elements(300_000),
    "three hundred thousand sheets": lambda: (
        Book()
        .whole(
            "xl/workbook.xml",
            lambda xml: xml.replace(
                b"</sheets>", b'<sheet name="x" r:id="y"/>' * 300_000 + b"</sheets>"
            ),
        )
        .saved()
    ),
    "a text that never ends": lambda: (
        Book().after(f"<x>{'yz' * 20_000_000}</x>").saved()
    ),
}
TEXTS: dict[str, Callable[[], bytes]] = {
    "forty million letters": lambda: b"x" * 40_000_000,
    "three hundred thousand rows of ten cells": lambda: b"Patient ID,a\n" + b"1,2,3,4,5,6,7,8,9,0\n" * 300_000,
    "sixteen million separators": lambda: b"," * 16_000_000,
    "one wide letter and thirty million others": lambda: "\U0001f600".encode() + b"a,b\n" * 7_500_000,
}  # fmt: skip


def main() -> None:
    """Read an ordinary practice first: what that needs is no fault of a hostile file."""
    with tempfile.TemporaryDirectory() as name:
        folder = practice.make(Path(name) / "practice")
        read(folder)
        used = (
            int(Path("/proc/self/statm").read_text().split()[0])
            * resource.getpagesize()
        )
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        (folder / "patients.csv").unlink()
        for ending, files in (("xlsx", FILES), ("csv", TEXTS)):
            for title, make in files.items():
                path = folder / f"patients.{ending}"
                path.write_bytes(make())
                began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
                told = read(folder).of(path.name)
                took = resource.getrusage(resource.RUSAGE_SELF).ru_utime - began
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                path.unlink()
                json.dump([title, told[:1], round(took, 1), peak], sys.stdout)
                print(flush=True)


if __name__ == "__main__":
    main()
