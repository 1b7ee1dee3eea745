"""A zip archive taken apart within limits: its directory first, then a part at a time.

A part is never held whole: it is inflated in chunks, and what the directory says of it
must be true of its bytes.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.reading.formats import BROKEN, MESSAGES, MOST_PARTS, too_many_parts
from pipeline.reading.sheets import Unusable

LARGEST_PART = 1_500 * 1024**2  # a sheet as long as sheets can be, of 20 columns
LARGEST_TOTAL = 192 * 1024**2  # of all that is inflated of one workbook, but plain rows
LARGEST_RATIO = 500  # sheets of nothing but formatted blank rows reach about 100
_SMALL = 10 * 1024**2  # below this no ratio matters
_LARGE = 128 * 1024**2  # above this there must be values, which pack less well
_RATIO_OF_LARGE = 60
_CHUNK = 256 * 1024
_ENCRYPTED = 0x1 | 0x40
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SAVE_AGAIN = "open it in Excel, save it again and see that nothing is missing"

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


def damaged() -> Unusable:
    """The refusal of a workbook that cannot be taken apart."""
    return Unusable("format-damaged", *MESSAGES["damaged"])


def unreliable(cell: str = "") -> Unusable:
    """The refusal of a workbook that two ways of reading could take differently."""
    found = "the workbook could not be read reliably"
    return Unusable(
        "unreliable", f"{found} (cell {cell})" if cell else found, _SAVE_AGAIN
    )


def too_large() -> Unusable:
    """The refusal of what would unfold to more than any practice keeps."""
    return Unusable(
        "too-large",
        "the workbook unfolds to more than a workbook of a practice can hold",
        "copy its sheets into a new workbook and save that",
    )


class Allowance:
    """How many bytes of a workbook may still be inflated."""

    def __init__(self) -> None:
        self.left = LARGEST_TOTAL

    def give_back(self, count: int) -> None:
        """Plain rows need no room once they are checked."""
        self.left += count

    def spend(self, count: int) -> None:
        """Take some; Unusable when there are none left."""
        self.left -= count
        if self.left < 0:
            raise too_large()


@dataclass(frozen=True)
class Part:
    """One file of an archive, as its directory describes it."""

    packed: memoryview
    method: int
    size: int
    checksum: int
    allowance: Allowance

    def chunks(self) -> Iterator[bytes]:
        """Its bytes; Unusable unless they are as many, and those, that were promised."""
        made, checksum = 0, 0
        deflated = self.method == zipfile.ZIP_DEFLATED
        for chunk in _inflated(self.packed) if deflated else _sliced(self.packed):
            made += len(chunk)
            if made > self.size:
                raise damaged()
            self.allowance.spend(len(chunk))
            checksum = zlib.crc32(chunk, checksum)
            yield chunk
        if made != self.size or checksum != self.checksum:
            raise damaged()


def _sliced(packed: memoryview) -> Iterator[bytes]:
    for start in range(0, len(packed), _CHUNK):
        yield bytes(packed[start : start + _CHUNK])


def _inflated(packed: memoryview) -> Iterator[bytes]:
    """The chunks of one deflated stream that ends where its part ends."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting = _sliced(packed)
    rest: bytes | None = b""
    while not inflater.eof:
        rest = inflater.unconsumed_tail or next(waiting, None)
        try:
            chunk = inflater.decompress(rest or b"", _CHUNK)
        except zlib.error:
            raise damaged() from None
        if rest is None and not chunk and not inflater.eof:
            raise damaged()
        yield chunk
    if inflater.unused_data or next(waiting, None) is not None:
        raise damaged()


def take_apart(content: bytes) -> dict[str, Part]:
    """The XML parts of a workbook by name; pictures and macros are never touched."""
    try:
        if too_many_parts(content):
            raise too_large()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [info for info in archive.infolist() if _is_file(info)]
        _check_names(members)
        _check_sizes(members)
        return _parts(memoryview(content), members)
    except (*BROKEN, struct.error):
        raise damaged() from None


def _is_file(info: zipfile.ZipInfo) -> bool:
    return not info.filename.endswith("/")  # a part may have no name at all


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/").lstrip("/")


def _is_xml(info: zipfile.ZipInfo) -> bool:
    return _name(info).lower().endswith((".xml", ".rels"))


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    """No part twice, whatever its case, and none that leads out of the archive."""
    names = [_name(info).lower() for info in members]
    if len(set(names)) < len(names) or any(".." in name.split("/") for name in names):
        raise unreliable()
    if any(info.flag_bits & _ENCRYPTED for info in members):
        raise Unusable("format-encrypted", *MESSAGES["encrypted"])


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    """Refuse what would unfold to more than any practice keeps."""
    sizes = [(info.file_size, info.compress_size) for info in members if _is_xml(info)]
    bomb = any(
        size > LARGEST_PART
        or (size > _SMALL and size > LARGEST_RATIO * packed)
        or (size > _LARGE and size > _RATIO_OF_LARGE * packed)
        for size, packed in sizes
    )
    if len(members) > MOST_PARTS or bomb:
        raise too_large()


def _parts(content: memoryview, members: list[zipfile.ZipInfo]) -> dict[str, Part]:
    """The XML parts; no two parts of any kind may share bytes."""
    allowance, parts, end = Allowance(), {}, 0
    for info in sorted(members, key=lambda info: info.header_offset):
        start = info.header_offset
        header = _LOCAL.unpack_from(content, start)
        begin = start + _LOCAL.size + header[-2] + header[-1]
        if start < end or header[0] != b"PK\x03\x04":
            raise damaged()
        end = begin + info.compress_size
        if end > len(content) or (info.compress_type not in _METHODS and _is_xml(info)):
            raise damaged()
        if _is_xml(info):
            parts[_name(info)] = Part(
                content[begin:end], info.compress_type, info.file_size, info.CRC,
                allowance,
            )  # fmt: skip
    return parts


def packed_again(parts: dict[str, Part | bytes]) -> bytes:
    """An archive of these parts alone; deflated ones are copied as they are."""
    body, directory = io.BytesIO(), io.BytesIO()
    for name, part in parts.items():
        if isinstance(part, bytes):
            whole = memoryview(part)
            part = Part(whole, 0, len(part), zlib.crc32(part), Allowance())
        title, offset = name.encode(), body.tell()
        facts = (part.method, 0, 0x21, part.checksum, len(part.packed), part.size)
        body.write(_LOCAL.pack(b"PK\3\4", 20, 0, *facts, len(title), 0) + title)
        body.write(part.packed)
        entry = (b"PK\1\2", 20, 20, 0, *facts, len(title), 0, 0, 0, 0, 0, offset)
        directory.write(_CENTRAL.pack(*entry) + title)
    start, count = body.tell(), len(parts)
    body.write(directory.getbuffer())
    end = (b"PK\5\6", 0, 0, count, count, directory.tell(), start, 0)
    body.write(_END.pack(*end))
    return body.getvalue()
