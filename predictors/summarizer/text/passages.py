"""Passages: a clause with the clauses that it needs in order to be understood.

An item of a list needs what introduces the list, and what ends its sentence after the last item. "It costs 9 euros"
needs the sentence before it or, at the start of a section, the heading.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from predictors.summarizer.text.antecedents import needs_antecedent
from predictors.summarizer.text.document import Document

# Sentences that may lead up to one that refers to the one before.
_MOST_BEFORE = 2
# Below such an introduction, a list is a whole: without its other items, one of them would be false.
_WHOLE = re.compile(
    r"\b(?:all|each|both|every one) of (?:the following|these|them)\b|\bfollowing (?:conditions|requirements)\b"
    r"|\b(?:unless|until|except|only (?:if|where|when)|provided(?: that)?|on condition that"
    r"|so long as|as long as)\W{0,3}\Z",
    re.IGNORECASE,
)
# Below such an introduction it is a whole if its items add up to one condition.
_CONDITION = re.compile(r"\b(?:if|where|when|once|in which|that)\W{0,3}\Z", re.IGNORECASE)
_AND = re.compile(r"\band\W{0,3}\Z", re.IGNORECASE)
_MOST_ITEMS = 12
# A sentence that takes back part of the one before it: "That is not so for students.", "Faulty goods are exempt."
_EXCEPTS = re.compile(
    r"\W{0,3}(?:(?:this|that|these|the same|it|they|the (?:\w{1,20} )?(?:fee|charge|limit|cap|rule|right|ban)s?)\b"
    r"[^.;]{0,30}\b(?:does|do|is|are|will|shall)(?: not|n['\u2019]t)\b[^.;]{0,30}"
    r"\b(?:apply|so|true|the case|charged|waived)|(?:the )?(?:only )?exceptions?\b"
    r"|(?:but|however|except|unless|otherwise|save)\b|[^.;]{0,40}\b(?:is|are) (?:exempt|waived)\b)",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[?\uff1f][\"'\u201d\u2019)*_]{0,3}\s{0,3}\Z")
_ANSWER_WORDS = 5  # a sentence of at most so many words below a question needs it


class Passage(NamedTuple):
    """Clauses that make a point together.

    Args:
        clauses: their numbers, in order.
        heading: whether the first is the heading that names what the others are about.
    """

    clauses: tuple[int, ...]
    heading: bool = False


class Passages:
    """Finds what each clause of a document needs.

    Args:
        document: the document.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._headings: list[int] = []
        last = -1
        for i, clause in enumerate(document.clauses):
            last = i if clause.heading else last
            self._headings.append(last)

    def around(self, i: int) -> Passage:
        """The passage of one clause."""
        clauses = self._document.clauses
        while clauses[i].continues:
            i -= 1
        if clauses[i].lead_in or clauses[i].closing:
            return Passage(self._with_pieces(self._of_list(i)))
        before, after = self._before(i), self._exception(i)
        first = before[0] if before else i
        heading = self._headings[first]
        if heading >= 0 and self._is_dependent(first):
            return Passage(self._with_pieces((heading, *before, i, *after)), heading=True)
        return Passage(self._with_pieces((*before, i, *after)))

    def _exception(self, i: int) -> list[int]:
        """The next sentence if it takes back part of this one."""
        clauses = self._document.clauses
        after = i + 1
        while after < len(clauses) and clauses[after].continues:
            after += 1
        if after == len(clauses) or clauses[after].heading or clauses[after].lead_in:
            return []
        same = clauses[after].section == clauses[i].section
        return [after] if same and _EXCEPTS.match(self._document.sentences[after]) else []

    def _with_pieces(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Clauses with the pieces of those that were cut."""
        clauses, found = self._document.clauses, set()
        for i in numbers:
            found.add(i)
            while i + 1 < len(clauses) and clauses[i + 1].continues:
                i += 1
                found.add(i)
        return tuple(sorted(found))

    def _of_list(self, i: int) -> set[int]:
        """An item with its introduction, or the whole list if its items only hold together."""
        clause = self._document.clauses[i]
        lead = [self._document.sentences[each] for each in clause.lead_in]
        needed = {*clause.lead_in, i, *clause.closing}
        if lead and (_WHOLE.search(lead[-1]) or (_CONDITION.search(lead[-1]) and self._add_up(i))):
            needed.update(self._siblings(i))
        first = min(needed)
        before = self._before(first) if first in clause.lead_in else []
        return needed.union(before)

    def _add_up(self, i: int) -> bool:
        return any(_AND.search(self._document.sentences[each]) for each in self._siblings(i))

    def _siblings(self, i: int) -> list[int]:
        """The items of a clause's list."""
        clauses = self._document.clauses
        lead = clauses[i].lead_in
        found, last = [], lead[-1]
        for place in range(last + 1, min(last + 1 + 2 * _MOST_ITEMS, len(clauses))):
            if clauses[place].heading or lead[-1] not in clauses[place].lead_in:
                break
            found.append(place)
        return found if len(found) <= _MOST_ITEMS else [i]

    def _before(self, i: int) -> list[int]:
        """The sentences that a sentence goes back to."""
        found: list[int] = []
        while len(found) < _MOST_BEFORE and self._follows(i) and (self._is_dependent(i) or self._answers(i)):
            i -= 1
            found.insert(0, i)
        return found

    def _answers(self, i: int) -> bool:
        """Whether a sentence is a short answer to the question above."""
        short = len(self._document.sentences[i].split()) <= _ANSWER_WORDS
        return short and is_question(self._document.sentences[i - 1])

    def _is_dependent(self, i: int) -> bool:
        return needs_antecedent(self._document.sentences[i])

    def _follows(self, i: int) -> bool:
        """Whether the clause above belongs to the same text."""
        clauses = self._document.clauses
        before = clauses[i - 1] if i > 0 else clauses[i]
        return i > 0 and not before.heading and not before.lead_in and before.section == clauses[i].section


def is_question(sentence: str) -> bool:
    """Whether a sentence asks something, and so says nothing alone."""
    return _QUESTION.search(sentence) is not None


def merged(passages: Iterable[Passage], most_words: int, words: Sequence[int]) -> list[Passage]:
    """Passages with those that overlap joined, unless they become too long.

    Args:
        passages: in the order of their last clauses.
        most_words: words of a joined passage.
        words: of each clause.
    """
    joined: list[Passage] = []
    for passage in passages:
        last = joined[-1] if joined else None
        if last is not None and set(passage.clauses) & set(last.clauses):
            together = tuple(sorted({*last.clauses, *passage.clauses}))
            if set(passage.clauses) <= set(last.clauses):
                continue
            if set(last.clauses) <= set(passage.clauses) or sum(words[i] for i in together) <= most_words:
                joined[-1] = Passage(together, last.heading or passage.heading)
                continue
        joined.append(passage)
    return joined
