"""How much each sentence of a contract matters to a consumer, by the lexicon, its numbers and its grammar."""

import calendar
import math
import re
from collections.abc import Sequence

from predictors.summarizer.text.lexicon import DULL, FORCE, LEXICON, pieces_of
from predictors.summarizer.text.quantities import quantities
from predictors.summarizer.text.word_lists import word_set
from predictors.summarizer.text.words import tokens

# What a point of each category of the lexicon is worth. Who gets to know, and what they collect, is said in few words;
# that something is paid, in nearly every sentence.
_WEIGHTS = {
    "shared": 1.0, "collected": 1.0, "renewed": 0.8, "minors": 0.7, "ended": 0.5, "waived": 0.6, "refund": 0.5,
    "excluded": 0.5, "penalty": 0.5, "arbitrated": 0.6, "charged": 0.3, "deposit": 0.3, "kept": 0.5, "licensed": 0.5,
    "changed": 0.4, "duties": 0.25, FORCE: 0.3,
}  # fmt: skip
_DULL = 0.6
# A heading tells about the sentences below it, but less than their own words.
_HEADING = 0.2
# Points for an amount of money, a percentage, a duration, a date, and for each further quantity.
_MONEY, _PERCENT, _TIME, _DATE, _FURTHER = 1.5, 1.3, 1.3, 0.3, 0.3
_MOST_FURTHER = 3
_MONTHS = frozenset(name.lower() for name in calendar.month_name if name)
# Words for an amount without a number, or for a unit that `quantities` does not know.
_FRACTIONS = word_set("half third quarter double doubled twice treble triple percentage p pence")
# Points for a sentence that says so or not so, alone or always, and for one that speaks of you, or of you and us.
_NEGATED, _EXACT, _YOU, _YOUR, _BOTH = 0.2, 0.4, 0.6, 0.4, 0.3
_NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "nobody",
        "nothing",
        "neither",
        "nor",
        "cannot",
        "without",
        "can't",
        "don't",
        "won't",
        "doesn't",
        "isn't",
    ]
)
# Points for what takes something away for good: "cannot be retracted", "gives no right", "even if you leave early".
_ABSOLUTE = 0.7
_ABSOLUTES = re.compile(
    r"\b(?:can(?:not| not|'t)|(?:may|must|shall|need|do|does|will) not|may neither|(?:do|does|wo)n't|never"
    r"|(?:no|not an?|nor any|without any) (?:\w+ )?(?:right|claim|option|part|refund|reduction|obligation|duty"
    r"|compensation|effect|difference|value)"
    r"|nothing|nobody|none of (?:which|this|these|it)|as (?:is|it stands|they stand|it is|they are)|whether or not"
    r"|even (?:if|though|when|where|against)|regardless|whatever|worthless|no longer|remains? (?:payable|due|liable))\b"
)
_EXACTLY = word_set("only even every always whatever regardless whether except unless until")
# Long sentences say more: points for each doubling of the usual length, in words, and the most and the least of them.
_LENGTH, _USUAL_WORDS, _MOST_STRETCH, _LEAST_STRETCH = 0.6, 20, 1.2, -0.6
# What every sentence has, so that none has less than nothing unless it is dull.
_BASE = 1.0
_SHORT_WORDS, _SHORT_FACTOR = 5, 0.3
_FEWEST_WORDS = 3  # of a sentence, rather than a fragment such as "No refunds."


def salience(
    sentences: Sequence[str], sections: Sequence[str], leads: Sequence[str] = (), ours: frozenset[str] = frozenset()
) -> list[float]:
    """How much each sentence matters to a consumer.

    A sentence gets points for the categories that it belongs to, for words of force ("automatically", "at our sole
    discretion"), for amounts, percentages, durations and dates, for negations, conditions and modal verbs, for what it
    takes away for good, for naming the parties, and for its heading. It loses points as boilerplate, an address or a
    greeting, and as a definition that says nothing else. Fragments keep a fraction of their points.

    Args:
        sentences: the sentences of a document, in order.
        sections: the heading above each sentence, empty if there is none.
        leads: what introduces each sentence as an item of a list, empty if nothing does; by default no sentence is.
        ours: names of the company in lower case, which count as "we".

    Returns:
        A score for each sentence, at least 0 and rarely above 10. It ranks sentences of one document; it is not a
        probability.
    """
    headings = {section: max(_points(_pieces(tokens(section), ours)), 0.0) for section in set(sections)}
    return [
        _score(f"{lead} {sentence}" if lead else sentence, headings[section] * _HEADING, ours)
        for sentence, section, lead in zip(sentences, sections, leads or [""] * len(sentences), strict=True)
    ]


def _pieces(words: Sequence[str], ours: frozenset[str]) -> list[str]:
    if ours.isdisjoint(words):
        return pieces_of(words)
    return pieces_of(["we" if word in ours else word for word in words])


def _score(sentence: str, heading: float, ours: frozenset[str]) -> float:
    words = tokens(sentence)
    pieces = _pieces(words, ours)
    numbers = _numbers(words)
    length = sum(1 for word in words if word[0].isalnum())
    own = _points(pieces, says_more=numbers > 0)
    points = heading + own + numbers + _grammar(words, pieces)
    points += _ABSOLUTE * (_ABSOLUTES.search(sentence.lower()) is not None)
    says_something = own > 0 and length >= _FEWEST_WORDS and sentence.rstrip().endswith(".")  # "No refunds are given."
    if length < _SHORT_WORDS and not numbers and not says_something:
        return max(points, 0.0) * _SHORT_FACTOR
    stretch = _LENGTH * math.log2(max(length, 1) / _USUAL_WORDS)
    return max(points + _BASE + min(max(stretch, _LEAST_STRETCH), _MOST_STRETCH), 0.0)


def _points(pieces: list[str], says_more: bool = False) -> float:
    """Points for categories and force, minus those for dullness unless the sentence says more."""
    best: dict[str, float] = {}
    for place, piece in enumerate(pieces):
        for phrase in LEXICON.get(piece, ()):
            worth_more = phrase.points > best.get(phrase.category, 0.0)
            if worth_more and pieces[place : place + len(phrase.pieces)] == phrase.pieces:
                best[phrase.category] = phrase.points
    dull = 0.0 if says_more else _DULL * best.get(DULL, 0.0)
    return sum(_WEIGHTS.get(category, 0.0) * points for category, points in best.items()) - dull


def _numbers(words: Sequence[str]) -> float:
    """Points for amounts, percentages, durations and dates."""
    found = quantities(words)
    units = [quantity.unit for quantity in found.values() if quantity.number]
    money = any(unit not in ("", "%", "th", "minutes", "months") for unit in units)
    timed = "minutes" in units or "months" in units
    fraction = not _FRACTIONS.isdisjoint(words)
    dated = any(not _MONTHS.isdisjoint(words[max(place - 1, 0) : place + 2]) for place in found)
    best = max(_MONEY * money, _PERCENT * ("%" in units or fraction), _TIME * timed, _DATE * dated)
    further = min(max(sum(map(bool, units)) - 1, 0), _MOST_FURTHER)
    return best + _FURTHER * further if best else 0.0


def _grammar(words: Sequence[str], pieces: Sequence[str]) -> float:
    you, your = "you" in pieces, "your" in pieces
    points = _YOU * you + _YOUR * your + _BOTH * ((you or your) and "we" in pieces)
    return points + _NEGATED * (not _NEGATIONS.isdisjoint(words)) + _EXACT * (not _EXACTLY.isdisjoint(words))
