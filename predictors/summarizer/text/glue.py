"""Sentences, numbered clauses and titles that stand together without a space, as copies of web pages have them."""

# ruff: noqa: RUF001  # the patterns hold apostrophes

import re
from collections.abc import Iterator

from predictors.summarizer.text.edits import Edit

_OPENERS = (
    r"You|Your|We|Our|The|This|These|That|If|When|Where|Unless|In|For|Any|All|No|Each|It|There|They|By|As|At|On|To"
    r"|Please"
)
# "month.You may", "euros).The", "$5.We"
_SENTENCE = re.compile(r"[.!?;:](?=[A-Z][a-z]{0,24}[ ,\n'’])(?<=[\w)\]%\"”’].)")
# "month.2. Term", "month.3.1 You"
_CLAUSE = re.compile(r"[.!?;](?=\d{1,2}(?:\.\d{1,2}){0,3}\.?[ \t]?[A-Z])(?<=[a-z)\]%].)")
# "Refund policyYou may"
_TITLE = re.compile(rf"(?:{_OPENERS})(?=[ \n][a-z])")
_CAMEL = re.compile(r"[A-Z](?<=[a-z]{3}.)")
# "… 1. Fees You pay": the words between a number and a sentence.
_RUN_IN = re.compile(
    rf"^[ \t]*\d{{1,2}}(?:\.\d{{1,2}}){{0,3}}\.?[ \t]{{1,4}}(?P<name>(?!(?:{_OPENERS})\b)[A-Z][\w’'-]{{1,24}}"
    rf"(?:[ ](?:and|or|of|for|to|&|[A-Z][\w’'-]{{1,24}})){{0,5}}?)(?P<title>[ ])(?=(?:{_OPENERS})[ ][a-z])",
    re.MULTILINE,
)
_ADDRESS = re.compile(r"[/@\\]|www\.|\.\w+\.\w", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:Com|Org|Net|Io|Uk|De|Eu|Js|Pdf|Html?|Docx?|Txt|Co|App|Ai|Gov|Edu)\b")
_TOKEN_CHARS = 80
# Unlike a usual space it ends no word where the width of a line's first word counts (`wrapping`).
_SPACE = "\u2009"


def glue_edits(text: str) -> Iterator[Edit]:
    """Edits that put a space between sentences, and a line end before clauses and after titles."""
    places = {match.end(): _SPACE for match in _SENTENCE.finditer(text) if _parts_sentences(text, match.end())}
    places |= {match.end(): "\n\n" for match in _CLAUSE.finditer(text)}
    places |= {match.start(): "\n" for match in _CAMEL.finditer(text) if _TITLE.match(text, match.start())}
    yield from (Edit(place, place, places[place]) for place in sorted(places))


def run_in_edits(text: str) -> Iterator[Edit]:
    """Edits that put the title of a numbered clause on a line of its own: "1. Fees You pay", once clauses are apart."""
    for match in _RUN_IN.finditer(text):
        yield Edit(*match.span("title"), "\n")


def _parts_sentences(text: str, place: int) -> bool:
    """Whether a full stop is the end of a sentence, and no part of an address, a name or an abbreviation."""
    before = re.split(r"\s", text[max(0, place - _TOKEN_CHARS) : place])[-1]
    if _SUFFIX.match(text, place) or _ADDRESS.search(before):
        return False
    word = before.rstrip(".!?;:")
    return len(word) > 1 and "." not in word.strip(".")
