"""What a model wrote about a passage in its own words → bullets that the passage supports.

A point is kept if the clauses that it comes from say the same (`entailment`), and has their words beside it. Otherwise
those clauses are quoted, with what they need in order to be understood.
"""

from collections.abc import Sequence

from predictors.summarizer.text.answers import points_of
from predictors.summarizer.text.bullets import LEAST_SUPPORT, Bullet, Unsupported
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.drafts import draft
from predictors.summarizer.text.entailment import says_the_same
from predictors.summarizer.text.passages import Passage, Passages


def check_chunk(
    document: Document, clauses: Sequence[int], answer: str, unsupported: Unsupported, *, cut: bool = False
) -> list[Bullet]:
    """Make bullets of what the model wrote about a passage.

    Args:
        document: the document.
        clauses: numbers of the passage's clauses.
        answer: what the model wrote.
        unsupported: what happens to a point that the passage does not support.
        cut: whether the answer was cut at its maximum length.
    """
    passages = Passages(document)
    found = [_check(document, passages, clauses, text, unsupported) for text in points_of(answer, cut)]
    return list({bullet.text: bullet for bullet in found if bullet}.values())


def _check(
    document: Document, passages: Passages, clauses: Sequence[int], text: str, unsupported: Unsupported
) -> Bullet | None:
    citation = document.index.cite(text, clauses)
    if not citation.sentences:
        return None
    cited = sorted({each for i in citation.sentences for each in passages.around(i).clauses})
    quote = " ".join(document.sentences[i] for i in cited)
    if text == quote:
        return Bullet(text, tuple(cited), 1.0, written=False)
    if says_the_same(text, quote):
        return Bullet(text, tuple(cited), max(citation.score, LEAST_SUPPORT), written=True, quote=quote)
    if unsupported == "mark":
        return Bullet(text, tuple(cited), min(citation.score, LEAST_SUPPORT / 2), written=True, quote=quote)
    if unsupported == "drop":
        return None
    return _quotation(document, passages, citation.sentences, text)


def _quotation(document: Document, passages: Passages, cited: Sequence[int], text: str) -> Bullet:
    """Of the clauses that a point comes from, the one that it is closest to, in its own words."""
    scores = {i: document.index.cite(text, [i]).score for i in cited}
    passage: Passage = passages.around(max(scores, key=scores.__getitem__))
    return draft(document, passage).whole
