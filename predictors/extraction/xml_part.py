"""XML files from others: bounded in size and depth, and without a document type, which could define entities."""

from collections.abc import Callable
from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from predictors.extraction.errors import Unreadable

_LARGEST_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**16
_DEEPEST = 200  # elements within elements


def read_xml(part: IO[bytes], check: Callable[[], None]) -> Element:
    """Parse a file.

    Args:
        part: the file.
        check: called again and again; raises to stop.

    Raises:
        Unreadable: it is no XML, too large, or nested too deeply, or has a document type.
    """
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.tree.data
    parser.StartDoctypeDeclHandler = _refuse_document_type
    size = 0
    try:
        while chunk := part.read(_CHUNK_BYTES):
            check()
            size += len(chunk)
            if size > _LARGEST_BYTES:
                raise Unreadable(f"its text takes more than {_LARGEST_BYTES // 2**20} MiB")
            parser.Parse(chunk)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unreadable(f"its XML is damaged: {error}") from None
    return builder.tree.close()


def _refuse_document_type(*_: object) -> None:
    raise Unreadable("its XML defines a document type, as no Word document does")


class _Builder:
    """Builds a tree with names such as "{namespace}name"."""

    def __init__(self) -> None:
        self.tree = TreeBuilder()
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable(f"its elements are nested more than {_DEEPEST} deep")
        self.tree.start(_full(name), {_full(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self._depth -= 1
        self.tree.end(_full(name))


def _full(name: str) -> str:
    return "{" + name if "}" in name else name
