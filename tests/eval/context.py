"""Where words stand in a document: its sentences, and what introduces an item of a list."""

import re
from functools import lru_cache

from tests.eval.language import is_deciding, tokens
from tests.eval.statements import is_content

_SENTENCE_END = re.compile(
    r"(?:(?<=[.!?])|(?<=[.!?][\"'”’)\]]))\s+(?=[\"'“‘(\[]?[A-Z0-9€£$])|(?<=[A-Za-z]{2}[.!?])(?=[A-Z][a-z])|\n+"
)
_STOP = re.compile(r"[.!?][\"'”’)\]]?\s|\n\s*\n")
_ITEM = re.compile(r"\s*(?:[-*•◦▪–]\s|\(?(?:[a-z]{1,2}|[ivx]{1,5}|\d{1,2})[.)]\s|\([A-Za-z0-9]{1,4}\)|\d+(?:\.\d+)+\s)")
_OPENS, _CLOSES = (":", "—", "–"), (".", "!", "?", ";")
MOST_SENTENCES = 3
_LEAST_OF_INTRODUCTION = 1 / 3
_LEAST_WORDS = 4  # of a line that is the beginning of a sentence, and no heading


def sentences(text: str) -> list[str]:
    """The sentences and headings of a text, glued ones too; an abbreviation before a capital letter ends a sentence."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def place(quote: str, document: str) -> tuple[int, int]:
    """Where a document has a quotation, characters [start, end); lines may be broken elsewhere.

    Raises:
        ValueError: nowhere.
    """
    found = re.search(r"\s+".join(map(re.escape, quote.split())), document)
    if found is None:
        raise ValueError(f"the document does not say: {quote}")
    return found.span()


@lru_cache(maxsize=8)
def passages(document: str) -> tuple[str, ...]:
    """Every run of one to three sentences of a document."""
    each = sentences(document)
    return tuple(
        " ".join(each[start : start + length])
        for length in range(1, MOST_SENTENCES + 1)
        for start in range(len(each) - length + 1)
    )


def lead_in(document: str, start: int) -> str:
    """What a list's item goes on with: "You must not:"; empty if there is nothing, or nothing that it needs.

    An item needs what decides, and what its sentence begins with.

    Args:
        document: the whole text.
        start: where the item, or words of it, begin.
    """
    found = _inline(document, start) or _above(document, start)
    return found if any(map(is_deciding, tokens(found))) or _goes_on(document, start) else ""


def _goes_on(document: str, start: int) -> bool:
    """Whether the words at a place go on with a sentence: without a label, they begin with a small letter."""
    label = _ITEM.match(document, start)
    rest = document[label.end() if label else start :].lstrip()
    return rest[:1].islower() or rest.startswith("I ")


def _inline(document: str, start: int) -> str:
    """The sentence up to the colon that a list follows on the same line: "You must not: (a) …; (b) …"."""
    line = document[document.rfind("\n", 0, start) + 1 : start]
    begin = max((match.end() for match in _STOP.finditer(line)), default=0)
    before, colon, after = line[begin:].rpartition(":")
    return before + colon if colon and _ITEM.match(f"{after}{document[start : start + 8]}") else ""


def _above(document: str, start: int) -> str:
    """The last sentence above a list whose item is on a line of its own; items of one list have labels of one kind."""
    begin = document.rfind("\n", 0, start) + 1
    label = _ITEM.match(document, begin)
    if not label or label.end() < start:
        return ""
    for line in reversed(document[:begin].splitlines()):
        other = _ITEM.match(line)
        if (other and _kind(other[0]) == _kind(label[0])) or not line.strip():
            continue
        begins = not line.isupper() and not line.rstrip().endswith(_CLOSES) and len(line.split()) >= _LEAST_WORDS
        if line.rstrip().endswith(_OPENS) or (_goes_on(document, start) and begins):
            return sentences(line)[-1]
        if other or not line.startswith((" ", "\t")):  # an indented line goes on with the item above it
            return ""
    return ""


def _kind(label: str) -> str:
    """A label with its letters and digits made equal: "(a) " is of another kind than "5.1 "."""
    return re.sub(r"[a-z]+", "a", re.sub(r"\d+", "1", label.strip()))


def holds(point: str, introduction: str) -> bool:
    """Whether a point has the words that decide of what introduces it, and some of the others."""
    mine, theirs = tokens(point), tokens(introduction)
    content = {word for word in theirs if is_content(word)}
    decides = all(word in mine for word in theirs if is_deciding(word))
    return decides and len(content & {*mine}) >= _LEAST_OF_INTRODUCTION * len(content)
