"""PDF → text: lines as they stand on the page, a blank line where there is more space, a form feed between pages.

What is on every page, and words that a line end cut in two, are left as they are: readers of plain text tell them.
"""

import io
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from predictors.extraction.errors import Unreadable

_MOST_PAGES = 3000
_MOST_CHARS = 10_000_000
_FEWEST_CHARS_A_PAGE = 15  # fewer are a scan's page numbers
_PARAGRAPH_GAP = 1.35  # lines further apart than this times the usual distance are of two paragraphs
_USUAL_SHARE = 0.3  # a usual distance occurs at least this often, relative to the most usual
_CHECKED_PIECES = 500


def read_pdf(data: bytes, check: Callable[[], None]) -> tuple[str, str]:
    """The text and the title of a PDF.

    Args:
        data: the file.
        check: called again and again; raises to stop.

    Raises:
        Unreadable: it is damaged, encrypted, too long, or has no text.
    """
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of each flaw that it repaired
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("the PDF needs a password; save a copy without one")
        if len(reader.pages) > _MOST_PAGES:
            raise Unreadable(f"the PDF has {len(reader.pages)} pages; at most {_MOST_PAGES} are read")
        pages = _pages(reader, check)
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001  # damaged files make pypdf raise errors of any kind
        check()  # which may have been the reason
        raise Unreadable(f"the PDF is damaged or of a kind that cannot be read: {error}"[:300]) from None
    if sum(len(page.strip()) for page in pages) < _FEWEST_CHARS_A_PAGE * len(pages):
        raise Unreadable("the PDF has pictures of pages and no text; run text recognition (OCR) over it first")
    return "\f".join(pages), " ".join(title.split())


def _pages(reader: Any, check: Callable[[], None]) -> list[str]:
    """The text of each page."""
    pages: list[str] = []
    characters = 0
    for page in reader.pages:
        check()
        pieces = _Pieces(check)
        whole = page.extract_text(visitor_text=pieces.take)
        pages.append(pieces.text() or whole)
        characters += len(pages[-1])
        if characters > _MOST_CHARS:
            raise Unreadable(f"the PDF has more than {_MOST_CHARS} characters")
    return pages


class _Pieces:
    """The pieces of one page's text, with their height on it.

    Args:
        check: raises to stop.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._pieces: list[tuple[str, float]] = []

    def take(self, text: str, user: Sequence[float], matrix: Sequence[float], _font: object, _size: float) -> None:
        """Take a piece, as pypdf gives it with the current transformations."""
        if len(self._pieces) % _CHECKED_PIECES == 0:
            self._check()
        if text:
            self._pieces.append((text, matrix[4] * user[1] + matrix[5] * user[3] + user[5]))

    def text(self) -> str:
        """The page's text, with blank lines between its paragraphs."""
        usual = self._usual_distance()
        parts: list[str] = []
        height: float | None = None
        for text, place in self._pieces:
            if text.strip():
                apart = usual > 0 and height is not None and abs(height - place) > _PARAGRAPH_GAP * usual
                if apart and parts:
                    parts.append("\n" if parts[-1].endswith("\n") else "\n\n")
                height = place
            parts.append(text)
        return "".join(parts)

    def _usual_distance(self) -> float:
        """The distance between the lines of a paragraph: the least of the usual ones; 0 if there are too few lines."""
        heights = [place for text, place in self._pieces if text.strip()]
        gaps = Counter(round(above - below, 1) for above, below in pairwise(heights))
        falling = {gap: count for gap, count in gaps.items() if gap > 1}
        most = max(falling.values(), default=0)
        return min((gap for gap, count in falling.items() if count >= _USUAL_SHARE * most), default=0.0)
