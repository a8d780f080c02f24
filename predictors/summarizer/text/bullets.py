"""What the model wrote → bullets that their source supports."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from predictors.summarizer.text.document import Document, plain
from predictors.summarizer.text.quantities import quantities
from predictors.summarizer.text.synonyms import PARTIES, term_of
from predictors.summarizer.text.words import content_words, tokens

Unsupported = Literal["quote", "drop", "mark"]
# Below this score a bullet counts as unsupported (see `support`).
LEAST_SUPPORT = 0.5
_QUOTED_WORDS = 60
# At most this share of a bullet's terms may be missing from its clause.
_MOST_ADDED = 0.15
# At most this share of a clause's terms may be missing from its bullet.
_MOST_OMITTED = 0.5
# Words that negate or limit a sentence.
_CONDITIONS = {
    word: group
    for group, words in {
        "not": "no not never none nor neither nothing nobody cannot can't won't don't doesn't isn't aren't without",
        "unless": "unless except",
        "if": "if when where provided",
        "until": "until before within",
        "only": "only solely exclusively",
        "may": "may can could might",
    }.items()
    for word in words.split()
}
_NOTHING = re.compile(r"\W*(?:nothing|none|n/?a)\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bullet:
    """One point of a summary.

    Args:
        text: one line.
        clauses: numbers of the clauses that it comes from.
        support: how far their words support it, from 0 to 1.
        written: whether the words are the model's; otherwise they are the source's own.
    """

    text: str
    clauses: tuple[int, ...]
    support: float
    written: bool

    def as_json(self, document: Document) -> dict[str, Any]:
        """The bullet as it appears in responses; citations are character offsets in the request's text."""
        spans = document.spans(self.clauses)
        return {
            "text": self.text,
            "citations": [{"start": start, "end": end} for start, end in spans],
            "support": round(self.support, 3),
            "quoted": not self.written,
        }


def lines(answer: str) -> list[str]:
    """The points of an answer: its distinct lines without their marks, except those that say nothing."""
    texts = map(plain, answer.splitlines())
    return [text for text in dict.fromkeys(texts) if text and not _NOTHING.fullmatch(text)]


def check_clause(document: Document, clause: int, answer: str, unsupported: Unsupported) -> Bullet | None:
    """Make a bullet of one clause, in the model's words or in its own.

    The model's words are used only if they say neither less nor more than the clause: they must have the same numbers,
    conditions and negations, mention the same party first, and add hardly a word.

    Args:
        document: the document.
        clause: the clause's number.
        answer: what the model wrote; empty if it is of no use.
        unsupported: what happens to an answer that cannot be used.

    Returns:
        None if there is nothing to show.
    """
    source = document.sentences[clause]
    text = next(iter(lines(answer)), "")
    citation = document.index.cite(text, [clause]) if text else None
    if citation and citation.score >= LEAST_SUPPORT and _is_faithful(text, source):
        return Bullet(text, (clause,), citation.score, written=text != source)
    if unsupported == "quote":
        return _quote(document, (clause,))
    if unsupported == "mark" and citation:
        return Bullet(text, (clause,), min(citation.score, LEAST_SUPPORT / 2), written=True)
    return None


def check_chunk(document: Document, clauses: Sequence[int], answer: str, unsupported: Unsupported) -> list[Bullet]:
    """Make bullets of what the model wrote about a passage.

    Args:
        document: the document.
        clauses: numbers of the passage's clauses.
        answer: what the model wrote, a point per line.
        unsupported: what happens to a point that the passage does not support.
    """
    bullets = []
    for text in lines(answer):
        citation = document.index.cite(text, clauses)
        cited = tuple(citation.sentences)
        if citation.score >= LEAST_SUPPORT or (unsupported == "mark" and cited):
            bullets.append(Bullet(text, cited, citation.score, written=True))
        elif unsupported == "quote" and cited:
            bullets.append(_quote(document, cited[:1]))
    return bullets


def _quote(document: Document, clauses: tuple[int, ...]) -> Bullet:
    words = document.sentences[clauses[0]].split()
    text = " ".join(words[:_QUOTED_WORDS]) + (" …" if len(words) > _QUOTED_WORDS else "")
    return Bullet(text, clauses, 1.0, written=False)


def _is_faithful(text: str, source: str) -> bool:
    own, theirs = tokens(text), tokens(source)
    terms, known = ({term_of(word) for word in content_words(each)} for each in (text, source))
    return (
        _numbers(own) == _numbers(theirs)
        and _conditions(own) == _conditions(theirs)
        and _first_party(own) == _first_party(theirs)
        and len(terms - known) <= _MOST_ADDED * len(terms)
        and len(known - terms) <= _MOST_OMITTED * len(known)
    )


def _numbers(words: Sequence[str]) -> set[tuple[str, float]]:
    return {(found.unit, found.amount) for found in quantities(words).values() if found.number}


def _conditions(words: Sequence[str]) -> set[str]:
    return {_CONDITIONS[word] for word in words if word in _CONDITIONS}


def _first_party(words: Sequence[str]) -> str:
    return next((PARTIES[word] for word in words if word in PARTIES), "")
