"""XML read as a stream, with nothing in it that an office program never writes."""

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from pipeline.reading.archive import Part, damaged, too_large, unreliable

LONGEST_TOKEN = 4 * 1024**2  # bytes of one tag; expat reads a tag in pieces again
MOST_ELEMENTS = 200_000  # of those that are kept
LARGEST_WALKED = 128 * 1024**2  # bytes of a part that are read tag by tag
_LONGEST_TEXT = 1_000_000  # characters between two tags

Start = Callable[[str, dict[str, str]], None]


class XmlReader:
    """An expat parser that refuses document types, other letters and endless tokens.

    `texts` gathers the pieces of text; whoever reads them clears it. `fed` is how many
    bytes were read.
    """

    def __init__(self, start: Start, end: Callable[[str], None] | None = None):
        self.texts: list[str] = []
        self.fed, self.is_utf8 = 0, True
        self.prefixes: set[str] = set()  # declared by the outermost element
        parser: Any = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = self.texts.append
        # Readers differ on text that these cut in two, and one of them loses half.
        parser.StartCdataSectionHandler = _refuse
        parser.StartNamespaceDeclHandler = self._declare
        self._parser = parser

    def act(self, start: Start, end: Callable[[str], None] | None) -> None:
        """Go on with other actions; comments and instructions are refused from here."""
        self._parser.StartNamespaceDeclHandler = None
        self._parser.StartElementHandler = start
        self._parser.EndElementHandler = end
        self._parser.CommentHandler = _refuse
        self._parser.ProcessingInstructionHandler = _refuse

    @property
    def position(self) -> int:
        """Where the tag that is being acted upon begins, in bytes that were fed."""
        return int(self._parser.CurrentByteIndex)

    def feed(self, chunk: bytes) -> None:
        """Read on; raises Unusable."""
        if not self.fed and (
            b"\0" in chunk[:4] or chunk[:2] in (b"\xff\xfe", b"\xfe\xff")
        ):
            raise unreliable()
        self.fed += len(chunk)
        if self.fed > LARGEST_WALKED:
            raise too_large()
        try:
            self._parser.Parse(chunk, False)
        except (expat.ExpatError, KeyError, ValueError, LookupError):
            raise damaged() from None
        if self.fed - self._parser.CurrentByteIndex > LONGEST_TOKEN:
            raise too_large()
        if sum(map(len, self.texts)) > _LONGEST_TEXT:
            raise too_large()

    def finish(self) -> None:
        """Nothing follows; raises Unusable when something should."""
        try:
            self._parser.Parse(b"", True)
        except (expat.ExpatError, KeyError, ValueError, LookupError):
            raise damaged() from None

    def read(self, part: Part) -> None:
        """Read a whole part; raises Unusable."""
        for chunk in part.chunks():
            self.feed(chunk)
        self.finish()

    def _declare(self, prefix: str | None, _: str) -> None:
        self.prefixes.add(prefix or "")

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        named = (encoding or "UTF-8").upper()
        if named not in ("UTF-8", "UTF8", "US-ASCII"):
            raise unreliable()
        self.is_utf8 = named != "US-ASCII"


def _refuse(*_: object) -> None:
    raise unreliable()


def local(name: str) -> str:
    """An element's or attribute's name without its namespace."""
    return name.rpartition(" ")[2]


def elements(
    part: Part, *names: str, texts: bool = False
) -> list[tuple[str, dict[str, str], str]]:
    """The elements of these names: name, attributes by local name and, on request, text.

    The text of an element is what stands between its start and the next tag.
    """
    found: list[tuple[str, dict[str, str], str]] = []
    inside: list[int] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        plain = local(name)
        if texts or plain in names:
            found.append((plain, {local(k): v for k, v in attributes.items()}, ""))
            inside.append(len(found) - 1)
        if len(found) > MOST_ELEMENTS:
            raise too_large()
        reader.texts.clear()

    def end(name: str) -> None:
        if texts and inside:
            kind, attributes, _ = found[inside[-1]]
            if kind == local(name):
                found[inside.pop()] = (kind, attributes, "".join(reader.texts))
        reader.texts.clear()

    reader = XmlReader(start, end)
    reader.read(part)
    return found
