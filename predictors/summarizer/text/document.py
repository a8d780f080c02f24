"""A document as the summarizer sees it: clauses, their tokens, and how much each matters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from predictors.serving.errors import TooLarge
from predictors.summarizer.text.clauses import Clause, split_clauses
from predictors.summarizer.text.labels import without_label
from predictors.summarizer.text.salience import salience
from predictors.summarizer.text.support import SourceIndex

# Two million characters of ordinary terms have 19,000 clauses. Each takes memory and time.
_MOST_CLAUSES = 25_000


class Document:
    """A text, split into clauses.

    Args:
        text: the whole text.
        tokenize: turns text into tokens.
        longest: most tokens of a clause; longer clauses are cut in two.

    Raises:
        TooLarge: there are too many clauses.
    """

    def __init__(self, text: str, tokenize: Callable[[str], list[int]], longest: int) -> None:
        self.text = text
        self.clauses: list[Clause] = []
        self.tokens: list[list[int]] = []
        clauses = split_clauses(text)
        if len(clauses) > _MOST_CLAUSES:
            raise TooLarge(f"the document has {len(clauses)} sentences; at most {_MOST_CLAUSES} are allowed")
        for clause in clauses:
            self._add(clause, tokenize, longest)

    def _add(self, clause: Clause, tokenize: Callable[[str], list[int]], longest: int) -> None:
        tokens = tokenize(self.text[clause.start : clause.end].strip())
        if len(tokens) > longest and clause.end - clause.start > 1:
            middle = (clause.start + clause.end) // 2
            self._add(replace(clause, end=middle), tokenize, longest)
            self._add(replace(clause, start=middle), tokenize, longest)
            return
        self.clauses.append(clause)
        self.tokens.append(tokens[:longest])

    @cached_property
    def sentences(self) -> list[str]:
        """The clauses' texts, without their labels."""
        return [plain(self.text[clause.start : clause.end]) for clause in self.clauses]

    @cached_property
    def salience(self) -> list[float]:
        """How much each clause matters to a consumer."""
        return salience(self.sentences, [clause.section for clause in self.clauses])

    @cached_property
    def index(self) -> SourceIndex:
        """Finds the clauses that support a point."""
        return SourceIndex(self.sentences)

    @cached_property
    def body(self) -> list[int]:
        """Numbers of the clauses that are neither headings nor blank."""
        return [
            i
            for i, clause in enumerate(self.clauses)
            if not clause.heading and any(map(str.isalnum, self.sentences[i]))
        ]

    def span(self, i: int) -> tuple[int, int]:
        """A clause's place in the text without the white space around it: characters [start, end)."""
        clause = self.clauses[i]
        whole = self.text[clause.start : clause.end]
        start = clause.start + len(whole) - len(whole.lstrip())
        return start, start + len(whole.strip())

    def spans(self, clauses: Sequence[int]) -> list[tuple[int, int]]:
        """Places of clauses in the text; adjacent clauses are merged."""
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


def plain(text: str) -> str:
    """A clause's text on one line, without its label."""
    return " ".join(without_label(text).split())
