"""A document as the summarizer sees it: clauses, their tokens, and how much each matters."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from predictors.serving.errors import TooLarge
from predictors.summarizer.text.clauses import Clause, split_clauses
from predictors.summarizer.text.cleaning import Cleaned, clean
from predictors.summarizer.text.labels import without_label
from predictors.summarizer.text.language import language
from predictors.summarizer.text.parties import company_names, customer_speaks
from predictors.summarizer.text.salience import salience
from predictors.summarizer.text.support import SourceIndex

ENGLISH = "en"
# Two million characters of ordinary terms have 19,000 clauses. Each takes memory and time.
_MOST_CLAUSES = 25_000
_BLANK = re.compile(r"\n[ \t\r]{0,20}\n")
# Where a text without blank lines is cut, the best first: after a sentence and a line, a sentence, a line, a word.
_SEAMS = tuple(map(re.compile, (r"(?<=[.!?])[ \t\r]{0,20}\n", r"(?<=[.!?])\s|[\u3002\uff01\uff1f]", r"\n", r"\s")))
# Characters that are read between two looks at the clock: some hundredths of a second.
_SLAB_CHARS = 50_000


class _Part(NamedTuple):
    """A part of a document that was read at once.

    Args:
        start: where it starts in the text as it is read.
        place: where it starts in the text that was sent.
        cleaned: its text.
    """

    start: int
    place: int
    cleaned: Cleaned


class Document:
    """A text, split into clauses.

    Its `text` is the text as it is read (see `cleaning`); `span` and `spans` are places in the text that was sent.

    Args:
        text: the whole text, as it was sent.
        tokenize: turns text into tokens.
        longest: most tokens of a clause; longer clauses are cut in two.
        goes_on: asked now and then; once it says no, the rest of the text is not read.

    Raises:
        TooLarge: there are too many clauses.
    """

    def __init__(
        self,
        text: str,
        tokenize: Callable[[str], list[int]],
        longest: int,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self.text = ""
        self._parts: list[_Part] = []
        self._tokenize = tokenize
        self.clauses: list[Clause] = []
        self.sentences: list[str] = []
        """The clauses' texts, without their labels."""
        self.salience: list[float] = []
        """How much each clause matters to a consumer."""
        self.company: frozenset[str] = frozenset()
        """Names of the company that wrote it, in lower case."""
        self.customer_speaks = False
        """Whether "I" is the customer and "you" the company."""
        self.unread = len(text)
        """Characters at the end of what was sent that were not read."""
        for start, end in _slabs(text):
            if start and not goes_on():
                break
            self._add_part(text[start:end], start, longest)
            self.unread = len(text) - end

    def whole(self, i: int) -> str:
        """A clause's text with that of the clauses that continue it, without its label."""
        last = i
        while last + 1 < len(self.clauses) and self.clauses[last + 1].continues:
            last += 1
        return self.sentences[i] if last == i else plain(self.text[self.clauses[i].start : self.clauses[last].end])

    @property
    def size(self) -> int:
        """Characters that were read."""
        return len(self.text)

    def characters(self, clauses: Sequence[int]) -> int:
        """Characters of some clauses."""
        return sum(self.clauses[i].end - self.clauses[i].start for i in clauses)

    def _add_part(self, sent: str, place: int, longest: int) -> None:
        """Read a part of the text.

        Args:
            sent: the part as it was sent.
            place: where it starts in what was sent.
            longest: most tokens of a clause.
        """
        part = _Part(len(self.text), place, clean(sent))
        self._parts.append(part)
        self.text += part.cleaned.text
        if not part.start:
            self.company = company_names(self.text)
            self.customer_speaks = customer_speaks(self.text)
        self._add_all(part.start, longest)

    def _add_all(self, start: int, longest: int) -> None:
        """Split the text from some place on."""
        first = len(self.clauses)
        section = self.clauses[-1].section if first else ""
        found = split_clauses(self.text[start:])
        if first + len(found) > _MOST_CLAUSES:
            raise TooLarge(f"the document has more than {_MOST_CLAUSES} sentences")
        pieces: list[range] = []
        for clause in found:
            section = section if not clause.section and first else clause.section
            moved = replace(clause, start=clause.start + start, end=clause.end + start, section=section)
            pieces.append(range(len(self.clauses), len(self.clauses) + self._add(moved, longest)))
        self._renumber(pieces)
        added = self.clauses[first:]
        self.sentences += [plain(self.text[clause.start : clause.end]) for clause in added]
        sections = [clause.section for clause in added]
        leads = [" ".join(self.sentences[i] for i in clause.lead_in[-1:]) for clause in added]
        self.salience += salience(self.sentences[first:], sections, leads, self.company)

    def _add(self, clause: Clause, longest: int) -> int:
        """Add a clause, cut in two if it is too long; returns how many pieces there are."""
        chars = clause.end - clause.start  # a token has at least one
        if chars > max(longest, 1) and len(self._tokens(clause)) > longest:
            middle = (clause.start + clause.end) // 2
            second = replace(clause, start=middle, continues=True)
            return self._add(replace(clause, end=middle), longest) + self._add(second, longest)
        self.clauses.append(clause)
        return 1

    def _renumber(self, pieces: Sequence[range]) -> None:
        """Let a part's clauses refer to others by their numbers in the document."""

        def renumbered(clauses: Sequence[int]) -> tuple[int, ...]:
            return tuple(number for i in clauses for number in pieces[i])

        for i in range(pieces[0].start, pieces[-1].stop) if pieces else ():
            clause = self.clauses[i]
            if clause.lead_in or clause.closing:
                lead_in, closing = renumbered(clause.lead_in), renumbered(clause.closing)
                self.clauses[i] = replace(clause, lead_in=lead_in, closing=closing)

    def _tokens(self, clause: Clause) -> list[int]:
        return self._tokenize(self.text[clause.start : clause.end].strip())

    @cached_property
    def tokens(self) -> list[list[int]]:
        """The clauses' tokens."""
        return [self._tokens(clause) for clause in self.clauses]

    @cached_property
    def index(self) -> SourceIndex:
        """Finds the clauses that support a point."""
        return SourceIndex(self.sentences)

    @cached_property
    def language(self) -> str:
        """The language that it is in, as a code of ISO 639-1; English if that cannot be told."""
        return language(self.text) or ENGLISH

    @cached_property
    def body(self) -> list[int]:
        """Numbers of the clauses that are neither headings nor blank."""
        return [
            i
            for i, clause in enumerate(self.clauses)
            if not clause.heading and any(map(str.isalnum, self.sentences[i]))
        ]

    def span(self, i: int) -> tuple[int, int]:
        """A clause's place in the text that was sent, without the white space around it: characters [start, end)."""
        clause = self.clauses[i]
        whole = self.text[clause.start : clause.end]
        start = clause.start + len(whole) - len(whole.lstrip())
        part = self._parts[bisect_right(self._parts, start, key=attrgetter("start")) - 1]
        begin, end = part.cleaned.original(start - part.start, start - part.start + len(whole.strip()))
        return begin + part.place, end + part.place

    def spans(self, clauses: Sequence[int]) -> list[tuple[int, int]]:
        """Places of clauses in the text that was sent; adjacent clauses are merged."""
        merged: list[tuple[int, int]] = []
        last = -2
        for i in sorted(clauses):
            start, end = self.span(i)
            if i == last + 1:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
            last = i
        return merged


def _slabs(text: str) -> Iterator[tuple[int, int]]:
    """Parts of a text that can be read one by one: each ends with a blank line, unless there is none for long."""
    start = 0
    while start < len(text):
        end = _slab_end(text, start + _SLAB_CHARS)
        yield start, end
        start = end


def _slab_end(text: str, least: int) -> int:
    """Where a part of at least so many characters ends: where it cuts the least, and never within a word."""
    most = min(least + _SLAB_CHARS, len(text))
    blank = _BLANK.search(text, least, most)
    if blank:
        return blank.end()
    if most == len(text):
        return most
    for seam in _SEAMS:
        places = [match.end() for match in seam.finditer(text, least, most)]
        if places:
            return places[-1]
    return most


def plain(text: str) -> str:
    """A clause's text on one line, without its label."""
    return " ".join(without_label(text).split())
