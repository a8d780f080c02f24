"""Which clauses of a document are worth saying, and how many of them a summary has room for."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from predictors.summarizer.text.document import ENGLISH, Document
from predictors.summarizer.text.drafts import Draft, draft
from predictors.summarizer.text.passages import Passage, Passages, is_question, merged
from predictors.summarizer.text.selection import Overlap

Mode = Literal["full", "fast"]

# The least salience of a clause that is said. ``full`` says what ``fast`` leaves to the reader.
_LEAST = {"fast": 2.0, "full": 1.6}
# Of a document of a few sentences each may be worth saying: the least salience there, and per token that it is longer.
_SHORT_LEAST, _RISE = 0.8, 0.001
# Clauses that are quoted of a document in another language, if none seems to matter.
_FOREIGN_CLAUSES = 5
# A summary says at most this share of its document's tokens, but may always say some.
_LARGEST_SHARE, _ALWAYS_ALLOWED = 0.65, 120
# Of a long document it says these tokens, and this share, but no more than people read.
_ROOM = {"fast": (2000, 0.08), "full": (4000, 0.16)}
_MOST_ROOM = {"fast": 6000, "full": 15_000}
# A point has at most about this many words if it joins several passages.
_MOST_WORDS = 55
# A sentence of this salience is worth next to nothing; what it has more is what it is worth.
_DULLEST, _LEAST_WORTH = 1.0, 0.1
# A passage's value is divided by its cost to this power: 0 favours long passages, 1 short ones.
_COST_POWER = 0.5
# How far a sentence loses value by repeating the words of another, with numbers of its own and without.
_NUMBERED, _PLAIN = 0.3, 0.9
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|sixty|ninety|half|third|quarter|twice"
    r"|double)\b",
    re.IGNORECASE,
)
# English contracts have about this many characters a token; close enough to choose by.
CHARS_PER_TOKEN = 4.5


class Digest(NamedTuple):
    """What a summary will say.

    Args:
        drafts: the points, in document order.
        left_out: whether something worth saying is left out because of the limit.
    """

    drafts: list[Draft]
    left_out: bool


def digest(document: Document, mode: Mode, limit: int | None, count: Callable[[str], int]) -> Digest:
    """Choose what to say of a document: much of a short one, and less and less of longer ones.

    Args:
        document: the document.
        mode: how much to say.
        limit: most tokens of all points together, if the caller sets one; it may be more than there would be.
        count: counts the tokens of a text.
    """
    tokens = round(document.size / CHARS_PER_TOKEN)
    largest = max(_ALWAYS_ALLOWED, round(_LARGEST_SHARE * tokens))
    budget = room(tokens, mode) if limit is None else min(limit, largest)
    least = min(_LEAST[mode], _SHORT_LEAST + _RISE * tokens)
    worthy = [i for i in document.body if document.salience[i] >= least and not is_question(document.sentences[i])]
    if not worthy and document.language != ENGLISH:  # what matters is known of English alone
        worthy = sorted(sorted(document.body, key=document.salience.__getitem__, reverse=True)[:_FOREIGN_CLAUSES])
    passages = Passages(document)
    around = [passages.around(i) for i in worthy]
    chosen = _choose(document, worthy, around, budget)
    if not chosen and worthy and limit is None:  # a document of one long sentence
        chosen = [max(range(len(worthy)), key=lambda place: document.salience[worthy[place]])]
    words = [len(sentence.split()) for sentence in document.sentences]
    drafts = [draft(document, each) for each in merged([around[place] for place in chosen], _MOST_WORDS, words)]
    if limit is None:
        return Digest(drafts, left_out=False)
    return _fit(document, drafts, limit, count, left_out=limit < largest and len(chosen) < len(worthy))


def room(tokens: int, mode: Mode) -> int:
    """How many tokens of a document a summary may say.

    Args:
        tokens: of the document.
        mode: how much to say.
    """
    least, share = _ROOM[mode]
    return max(_ALWAYS_ALLOWED, round(min(_LARGEST_SHARE * tokens, least + share * tokens, _MOST_ROOM[mode])))


def _choose(document: Document, worthy: Sequence[int], around: Sequence[Passage], budget: int) -> list[int]:
    """Places of the passages worth saying within a budget.

    Greedy, as in `select`; but what several passages share is paid for once, and repeating words is less of a fault in
    a sentence with numbers of its own.
    """
    sizes = {i: _size(document, i) for passage in around for i in passage.clauses}
    holders = defaultdict(list)
    for place, passage in enumerate(around):
        for i in passage.clauses:
            holders[i].append(place)
    overlap = Overlap([document.sentences[i] for i in worthy])
    scores = np.maximum([document.salience[i] - _DULLEST for i in worthy], _LEAST_WORTH)
    penalty = np.array([_NUMBERED if _NUMBER.search(document.sentences[i]) else _PLAIN for i in worthy])
    cost = np.array([sum(sizes[i] for i in passage.clauses) for passage in around], float)
    is_open = np.ones(len(worthy), bool)
    chosen: list[int] = []
    while (fitting := is_open & (cost <= budget)).any():
        worth = scores * (1 - penalty * overlap.shares**2) / np.maximum(cost, 1) ** _COST_POWER
        best = int(np.argmax(np.where(fitting, worth, -1.0)))
        budget -= int(cost[best])
        chosen.append(best)
        is_open[best] = False
        overlap.add(best)
        for i in around[best].clauses:
            cost[holders.pop(i, [])] -= sizes[i]
    return sorted(chosen)


def _fit(document: Document, drafts: list[Draft], budget: int, count: Callable[[str], int], left_out: bool) -> Digest:
    """Drop what matters least until the rest fits."""
    counts = [count(each.whole.text) for each in drafts]
    total = sum(counts)
    worth = [max(document.salience[i] for i in each.passage.clauses) for each in drafts]
    dropped: set[int] = set()
    for place in sorted(range(len(drafts)), key=worth.__getitem__):
        if total <= budget:
            break
        total -= counts[place]
        dropped.add(place)
    return Digest([each for place, each in enumerate(drafts) if place not in dropped], left_out or bool(dropped))


def _size(document: Document, i: int) -> int:
    return max(1, round(len(document.sentences[i]) / CHARS_PER_TOKEN))
