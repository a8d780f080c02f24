"""Points in the document's own words: whether they stand there in that order, and whether what is left out decides.

What may be left out: a whole sentence; an aside between commas, brackets or dashes; a word or two in the middle of a
part of the sentence; and phrases that say nothing ("you acknowledge and agree that", "from time to time"). Never a
negation, condition, exception, party, number, unit, modal verb, limit ("at least", "only") or reason.
"""

import re
from collections.abc import Iterator, Sequence

from tests.eval.language import normal, word_set
from tests.eval.numerals import SCALES, SMALL

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[$€£%]|[.,;:!?()–—]")
# "4.2 The School", "8 The vehicle", "(a) resell" and "§ 12.5": labels, not amounts.
_LINE_LABEL = re.compile(
    r"^\s*(?:[-*•◦▪–]\s+)?(?:§\s*)?(?:\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-z]{1,2}|[ivx]{1,5})[.)]{1,2}\s+|\d{1,2}(?:\.\d{1,2})*\s+(?=[A-Z“\"]))"
)
# '(the "Service")' and the like.
_DEFINITION = re.compile(r"\([^()]*[“\"][^“”\"()]+[”\"][^()]*\)")
_MARKS = frozenset(".,;:!?()–—")
_SENTENCE_ENDS = frozenset(".!?;")
_MOST_INSIDE = 3
_EMPTY_PHRASES = tuple(
    tuple(phrase.split())
    for phrase in """you acknowledge and agree that|you agree that|you acknowledge that|you understand that
        you understand and agree that|please note that|note that|please|for the avoidance of doubt|from time to time
        in our sole discretion|at our sole discretion|in our absolute discretion|at our discretion|in its sole discretion
        at its sole discretion|we would like to|as applicable|where applicable|as the case may be|hereby|in any way
        or otherwise|including but not limited to|without limitation|including without limitation|if any|and conditions
        in accordance with these terms|under these terms|pursuant to these terms|as described above|as set out above
        as described below|as set out below|for your information|in particular|in general|generally|also|therefore
        however|accordingly|as well|in order|then|the""".replace("\n", "|").split("|")
    if phrase.strip()
)
_DECIDING = word_set(
    """no not never none nor neither nothing nobody without cannot except excluding exclude excludes excluded only
    solely exclusively if unless until till when whenever where wherever provided once while before after within during
    by since because due may must shall will can could should might would required obliged entitled allowed permitted
    prohibited forbidden liable responsible least most maximum minimum up exceed exceeds exceeding more less fewer over
    under we us our ours you your yours he she they them company provider customer user member landlord tenant lender
    borrower insurer insured seller buyer partner partners advertiser advertisers affiliate affiliates police
    authorities government third parties party day days week weeks month months year years hour hours minute minutes
    daily weekly monthly yearly annual annually per each every percent half double twice immediately automatically
    waive lose forfeit refund refunds otherwise instead but"""
)
_MONEY = frozenset("$€£%")


def words(text: str) -> list[str]:
    """The words, numbers and marks of a text in lower case, without names in brackets and the labels of its lines."""
    lines = [_LINE_LABEL.sub("", line) for line in _DEFINITION.sub("", text).splitlines()]
    return [word.lower() for word in _WORD.findall(normal("\n".join(lines)))]


def stands_in(point: str, cited: str) -> bool:
    """Whether a point's words are words of the cited text, in its order."""
    rest = iter(_plain(words(cited)))
    return all(word in rest for word in _plain(words(point)))


def decides(point: str, cited: str) -> str:
    """What was left out of the cited text and decides; empty if nothing.

    Args:
        point: words of the cited text, in its order.
        cited: the cited text.
    """
    mine = _plain(words(point))
    faults = [fault for window in _windows(words(cited)) if (fault := _fault(mine, window)) is not None]
    return "" if "" in faults else min(faults, key=len, default="its words are not in one passage")


def _plain(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if token not in _MARKS]


def _windows(cited: Sequence[str]) -> Iterator[list[str]]:
    """Every run of whole sentences of the cited text, the shortest first."""
    ends = [place + 1 for place, token in enumerate(cited) if token in _SENTENCE_ENDS]
    starts = [0, *ends]
    borders = [*ends, len(cited)]
    for length in range(len(starts)):
        for first in range(len(starts) - length):
            yield list(cited[starts[first] : borders[first + length]])


def _fault(mine: Sequence[str], window: Sequence[str]) -> str | None:
    """What decides among the words of a window that a point leaves out; None if its words are not all there."""
    kept = _alignment(mine, window)
    if kept is None:
        return None
    for start, end in _runs(window, kept):
        run = window[start:end]
        if fault := _deciding(run, window, kept):
            return fault
        if not _stands_apart(window, start, end) and len(_plain(_without_phrases(run))) > _MOST_INSIDE:
            return f"“{' '.join(run)}” is left out"
    return ""


def _alignment(mine: Sequence[str], window: Sequence[str]) -> set[int] | None:
    """The places of a point's words in a window, chosen so that least is left out that decides; None if there are none.

    The cost of a place is 1 if its word decides and is skipped; ``best[i]`` is the least cost of the first ``i`` words.
    """
    infinite = len(window) + 1
    best: list[tuple[int, tuple[int, ...]]] = [(0, ()), *((infinite, ()) for _ in mine)]
    for place, token in enumerate(window):
        cost = _weight(token)
        for count in range(len(mine), -1, -1):
            skipped = (best[count][0] + cost, best[count][1])
            if (
                count
                and token == mine[count - 1]
                and best[count - 1][0] <= skipped[0]
                and best[count - 1][0] < infinite
            ):
                best[count] = (best[count - 1][0], (*best[count - 1][1], place))
            else:
                best[count] = skipped
    cost, places = best[len(mine)]
    return set(places) if cost < infinite and len(places) == len(mine) else None


def _weight(token: str) -> int:
    return int(token in _DECIDING or token[0].isdigit() or token in SMALL or token in SCALES or token in _MONEY)


def _runs(window: Sequence[str], kept: set[int]) -> Iterator[tuple[int, int]]:
    """The places [start, end) of each run of words that are left out."""
    start = None
    for place in range(len(window) + 1):
        out = place < len(window) and place not in kept
        if out and start is None:
            start = place
        elif not out and start is not None:
            if _plain(window[start:place]):
                yield start, place
            start = None


def _without_phrases(run: Sequence[str]) -> list[str]:
    rest = list(run)
    for phrase in sorted(_EMPTY_PHRASES, key=len, reverse=True):
        for place in range(len(rest) - len(phrase), -1, -1):
            if tuple(rest[place : place + len(phrase)]) == phrase:
                del rest[place : place + len(phrase)]
    return rest


def _deciding(run: Sequence[str], window: Sequence[str], kept: set[int]) -> str:
    """A word that decides among words that are left out; a number that is said twice may be said once."""
    said = {window[place] for place in kept}
    for token in _plain(_without_phrases(run)):
        if not _weight(token):
            continue
        in_words = {f"{SMALL[word]}" for word in said & SMALL.keys()}
        twice = token in in_words or (token in SMALL and f"{SMALL[token]}" in said)
        if not twice:
            return f"“{token}” is left out"
    return ""


def _stands_apart(window: Sequence[str], start: int, end: int) -> bool:
    """Whether marks or the ends of the sentence are on both sides of some words."""
    before = start == 0 or window[start] in _MARKS or window[start - 1] in _MARKS
    after = end == len(window) or window[end - 1] in _MARKS or window[end] in _MARKS
    return before and after
