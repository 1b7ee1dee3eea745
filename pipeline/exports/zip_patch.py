"""A zip file of which some members are given new content, the others copied as they lie.

What comes out is, byte for byte, what `zipfile` writes for the same contents: the headers
are those it wrote, with the new sizes and check sums in their places.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from struct import pack, pack_into
from zipfile import ZipFile

_LOCAL, _CENTRAL, _END = 30, 46, 22  # lengths of the headers, without names


@dataclass(frozen=True)
class _Member:
    name: str
    local: bytes  # its header, with the name
    central: bytes
    packed: bytes


class Package:
    """A zip file as parts to be copied. Raises ValueError where it is not a plain one."""

    def __init__(self, content: bytes):
        self._members: list[_Member] = []
        with ZipFile(BytesIO(content)) as file:
            at = file.start_dir
            for info in file.infolist():
                name = info.filename.encode()
                begin = info.header_offset
                body = begin + _LOCAL + len(name)
                end = at + _CENTRAL + len(name)
                self._members.append(
                    _Member(
                        info.filename,
                        content[begin:body],
                        content[at:end],
                        content[body : body + info.compress_size],
                    )
                )
                at = end
        self._end = content[at:]
        if len(self._end) != _END or self.filled({}) != content:
            raise ValueError("not a plain zip file")

    def filled(self, texts: Mapping[str, str]) -> bytes:
        """The file with new texts for some of its members."""
        parts, directory, at = [], [], 0
        for member in self._members:
            local, central, packed = member.local, member.central, member.packed
            if member.name in texts:
                content = texts[member.name].encode()
                packed = _packed(content)
                sums = pack("<LLL", zlib.crc32(content), len(packed), len(content))
                local = local[:14] + sums + local[26:]
                central = central[:16] + sums + central[28:]
            parts += [local, packed]
            directory.append(central[:42] + pack("<L", at) + central[46:])
            at += len(local) + len(packed)
        end = bytearray(self._end)
        pack_into("<LL", end, 12, sum(map(len, directory)), at)
        return b"".join([*parts, *directory, end])


def texts_of(content: bytes, names: Iterable[str]) -> dict[str, str]:
    """The texts of some members of a zip file."""
    with ZipFile(BytesIO(content)) as file:
        return {name: file.read(name).decode() for name in names}


def _packed(content: bytes) -> bytes:
    """Compressed as `zipfile` does it."""
    press = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    return press.compress(content) + press.flush()
