"""A document as the summarizer sees it: clauses, their tokens, and how much each matters."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from predictors.serving.errors import TooLarge
from predictors.summarizer.text.clauses import Clause, split_clauses
from predictors.summarizer.text.salience import salience
from predictors.summarizer.text.support import SourceIndex

# A clause's label: "12.3", "(a)", "iv)", "Article 7", "§ 4", "-", "•".
_LABEL = re.compile(
    r"\A\s*(?:(?:(?:Article|Section|Clause|Art\.|Sec\.|§+)\s*)?"
    r"(?:\(?(?:\d{1,3}(?:\.\d{1,3}){0,4}|[a-z]|[ivxl]{1,6})[.):]+|\d{1,3}(?:\.\d{1,3}){1,4}(?=\s+(?-i:[^a-z\s]))|§+\s*\d+)|[-*•\u2013\u2014>]+)\s+",
    re.IGNORECASE,
)


# Two million characters of ordinary terms have 19,000 clauses; each costs memory and time.
_MOST_CLAUSES = 25_000


class Document:
    """A text, split.

    Args:
        text: the whole of it.
        tokenize: gives a text's tokens.
        longest: most tokens of one clause; longer ones are cut.

    Raises:
        TooLarge: too many clauses.
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
        """Finds the clauses that a sentence comes from."""
        return SourceIndex(self.sentences)

    @cached_property
    def body(self) -> list[int]:
        """Numbers of the clauses that say something: no headings, nothing blank."""
        return [
            i
            for i, clause in enumerate(self.clauses)
            if not clause.heading and any(map(str.isalnum, self.sentences[i]))
        ]

    def span(self, i: int) -> tuple[int, int]:
        """Where a clause stands in the text, without the white space around it: [start, end) in characters."""
        clause = self.clauses[i]
        whole = self.text[clause.start : clause.end]
        start = clause.start + len(whole) - len(whole.lstrip())
        return start, start + len(whole.strip())

    def spans(self, clauses: Sequence[int]) -> list[tuple[int, int]]:
        """Where some clauses stand; those that follow each other become one."""
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
    return " ".join(_LABEL.sub("", text, count=1).split())
