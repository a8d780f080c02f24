"""What a printed page has besides its text: page numbers, and headers and footers that each page repeats."""

# ruff: noqa: RUF001  # the patterns hold dashes

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from predictors.summarizer.text.edits import Edit

_PAGE = r"(?:page|pg\.?|seite|página|pagina)"
_NUMBERED = re.compile(
    rf"[ \t]*[-–—|•\[(]?[ \t]*(?:{_PAGE}[ \t]*\d{{1,4}}(?:[ \t]*(?:of|/|von|de|sur|di)[ \t]*\d{{1,4}})?"
    r"|\d{1,4}[ \t]*(?:of|von|[ \t]/[ \t])[ \t]*\d{1,4}|[-–—][ \t]*\d{1,4}[ \t]*[-–—])[ \t]*[-–—|•\])]?[ \t]*",
    re.IGNORECASE,
)
# Cheaper than looking at each line: whether there may be anything to remove.
_HINT = re.compile(
    r"[Pp](?:(?:age|AGE|[gG])|[áaÁA]gina)\.?[ \t]*\d|[Ss]eite[ \t]*\d"
    r"|\n[ \t]*(?:\d{1,4}[ \t]*(?:of|von|/)|[-–—][ \t]*\d)"
)
_NUMBER = re.compile(r"[ \t]*\d{1,4}[ \t]*")
_DIGITS = re.compile(r"\d+")
_EDGE_LINES = 3  # lines at each end of a page that may be its header or footer
_LONGEST = 120  # columns of a header
_FEWEST_PAGES = 3  # pages that must repeat a line before it is a header
_ENDS = ".:;!?"


def furniture_edits(text: str) -> Iterator[Edit]:
    """Edits that delete page numbers, headers and footers, and join the text that they interrupt.

    Pages are known by form feeds, or by lines such as "Page 3 of 12". Without either nothing is deleted.
    """
    if "\f" not in text and not _HINT.search(text):
        return
    lines = text.replace("\f", "\n").split("\n")
    breaks = [i for i, character in enumerate(re.findall(r"[\n\f]", text), 1) if character == "\f"]
    dropped = _dropped(lines, breaks)
    yield from _cuts(lines, dropped, set(breaks))


def _dropped(lines: Sequence[str], breaks: Sequence[int]) -> set[int]:
    """Numbers of the lines that are furniture."""
    dropped = {i for i, line in enumerate(lines) if line.strip() and _NUMBERED.fullmatch(line)}
    edges = _edges(lines, breaks or sorted({0, *(i + 1 for i in dropped)}))
    counts = Counter(shape for page in edges for shape in {_shape(lines[i]) for edge in page for i in edge})
    repeated = {shape for shape, count in counts.items() if count >= min(_FEWEST_PAGES, max(2, len(edges)))}
    for page in edges:
        for edge in page:
            for i in edge:
                if not (i in dropped or _shape(lines[i]) in repeated or (breaks and _NUMBER.fullmatch(lines[i]))):
                    break
                dropped.add(i)
    return dropped


def _edges(lines: Sequence[str], breaks: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """For each page the numbers of its first lines that are not blank, and of its last, from the outside inwards."""
    pages = []
    for start, end in pairwise(sorted({0, *breaks, len(lines)})):
        filled = [i for i in range(start, end) if lines[i].strip() and len(lines[i]) <= _LONGEST]
        if filled:
            pages.append((filled[:_EDGE_LINES], filled[: -_EDGE_LINES - 1 : -1]))
    return pages


def _shape(line: str) -> str:
    return _DIGITS.sub("#", " ".join(line.split()))


def _cuts(lines: Sequence[str], dropped: set[int], breaks: set[int]) -> Iterator[Edit]:
    """Delete lines together with the blank lines around them."""
    places = [0]
    for line in lines:
        places.append(places[-1] + len(line) + 1)
    gap = [i in dropped or not line.strip() for i, line in enumerate(lines)]
    i = 0
    while i < len(lines):
        if not gap[i] and i not in breaks:
            i += 1
            continue
        start = i
        while i < len(lines) and gap[i]:
            i += 1
        if any(k in dropped for k in range(start, i)) or any(k in breaks for k in range(start, i + 1)):
            above = lines[start - 1].rstrip() if start else ""
            below = lines[i].lstrip() if i < len(lines) else ""
            yield Edit(max(places[start] - 1, 0), min(places[i], places[-1] - 1), _joint(above, below))
        i += not gap[i] if i < len(lines) else 0


def _joint(above: str, below: str) -> str:
    """What stands between the lines around a page's end: a line end within a sentence, else a blank line."""
    if not above or not below:
        return ""
    within = above[-1] not in _ENDS and (below[0].islower() or above[-1] in ",-" or below[0].isdecimal())
    return "\n" if within else "\n\n"
