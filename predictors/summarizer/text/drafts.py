"""Drafts of points: a passage's own words, from which fillers and chosen asides are left out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.compression import Sentence, analyse
from predictors.summarizer.text.document import ENGLISH, Document
from predictors.summarizer.text.passages import Passage

_AND = re.compile(r"[;,]\s(?:and|or)\Z", re.IGNORECASE)
_OPEN = "(,;:"
# Texts that end with these have no mark of their own between them and the next.
_BARE = re.compile(r"[^\W_](?<!\band)(?<!\bor)\Z|[)%\"]\Z")


@dataclass(frozen=True, slots=True)
class Draft:
    """A point that is not shortened yet.

    Args:
        passage: the clauses.
        sentences: what can be left out of each.
    """

    passage: Passage
    sentences: tuple[Sentence, ...]

    @property
    def question(self) -> str:
        """The sentences of which a model may leave something out; empty if there are none."""
        return " ".join(sentence.without() for sentence in self.sentences if sentence.optional)

    @property
    def whole(self) -> Bullet:
        """The point with all that a model might leave out."""
        return self.shortened("")

    def shortened(self, answer: str) -> Bullet:
        """The point without what a model's answer to the `question` leaves out."""
        texts = [sentence.without(sentence.choice(answer)) for sentence in self.sentences]
        text, ended = _joined(texts)
        full = not ended and texts == [sentence.text for sentence in self.sentences]
        return Bullet(text, self.passage.clauses, 1.0, written=False, whole=full)


def draft(document: Document, passage: Passage) -> Draft:
    """Make the draft of a passage."""
    analysed = analyse if document.language == ENGLISH else _unabridged
    return Draft(
        passage,
        tuple(
            analysed(_title(document, i, passage) if document.clauses[i].heading else document.whole(i))
            for i in passage.clauses
            if not document.clauses[i].continues
        ),
    )


def _title(document: Document, i: int, passage: Passage) -> str:
    """A heading's words, with a colon if others follow."""
    title = document.clauses[i].section
    return title if i == passage.clauses[-1] or title[-1:] in "?!" else title.rstrip(" .:") + ":"


def _unabridged(text: str) -> Sentence:
    """A sentence of which nothing may be left out."""
    return Sentence(text, (), ())


def _joined(texts: Sequence[str]) -> tuple[str, bool]:
    """The texts on one line, and whether a last "and" or "or" was left out."""
    text = " ".join([*(f"{each};" if _BARE.search(each) else each for each in texts[:-1]), texts[-1]])
    shorter = _AND.sub("", text)
    ended = shorter != text
    return (shorter.rstrip(_OPEN + " ") + "." if shorter[-1:] in ",;" or ended else shorter), ended
