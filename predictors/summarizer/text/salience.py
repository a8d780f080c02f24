"""How much each sentence of a contract matters to a consumer, by the lexicon and by its numbers."""

import calendar
from collections.abc import Sequence

from predictors.summarizer.text.lexicon import DULL, FORCE, LEXICON, pieces_of
from predictors.summarizer.text.quantities import quantities
from predictors.summarizer.text.stems import stem
from predictors.summarizer.text.words import tokens

# Each further category of a sentence counts this fraction of the one before: long sentences mention everything.
_DECAY = 0.5
# A heading tells about the sentences below it, but less than their own words.
_HEADING = 0.5
# Points for an amount of money, a percentage, a duration, a date.
_MONEY, _PERCENT, _TIME, _DATE = 1.2, 0.8, 0.8, 0.4
_SHORT_WORDS, _SHORT_FACTOR = 5, 0.3
_LONG_WORDS, _LONG_COMMAS, _LONG_FACTOR = 90, 12, 0.6
_MONTHS = frozenset(stem(name.lower()) for name in calendar.month_name if name)


def salience(sentences: Sequence[str], sections: Sequence[str]) -> list[float]:
    """How much each sentence matters to a consumer.

    A sentence gets points for the categories that it belongs to, for words of force ("automatically", "at our sole
    discretion"), for amounts, percentages, durations and dates, and for its heading. It loses points as a definition,
    boilerplate, an address or a greeting. Fragments and very long enumerations keep a fraction of their points.

    Args:
        sentences: the sentences of a document, in order.
        sections: the heading above each sentence, empty if there is none.

    Returns:
        A score for each sentence, at least 0 and rarely above 10. It ranks sentences of one document; it is not a
        probability.
    """
    headings = {section: _points(pieces_of(tokens(section))) for section in set(sections)}
    return [
        _score(sentence, headings[section] * _HEADING) for sentence, section in zip(sentences, sections, strict=True)
    ]


def _score(sentence: str, heading: float) -> float:
    words = tokens(sentence)
    pieces = pieces_of(words)
    points = heading + _points(pieces) + _numbers(words, pieces)
    length = sum(1 for word in words if word[0].isalnum())
    if length < _SHORT_WORDS:
        points *= _SHORT_FACTOR
    elif length > _LONG_WORDS or words.count(",") > _LONG_COMMAS:
        points *= _LONG_FACTOR
    return max(points, 0.0)


def _points(pieces: list[str]) -> float:
    """Points for categories and force, minus those for dullness."""
    best: dict[str, float] = {}
    for place, piece in enumerate(pieces):
        for phrase in LEXICON.get(piece, ()):
            worth_more = phrase.points > best.get(phrase.category, 0.0)
            if worth_more and pieces[place : place + len(phrase.pieces)] == phrase.pieces:
                best[phrase.category] = phrase.points
    dull, force = best.pop(DULL, 0.0), best.pop(FORCE, 0.0)
    ranked = sorted(best.values(), reverse=True)
    return force - dull + sum(points * _DECAY**rank for rank, points in enumerate(ranked))


def _numbers(words: Sequence[str], pieces: Sequence[str]) -> float:
    """Points for amounts, percentages, durations and dates."""
    found = quantities(words)
    units = {quantity.unit for quantity in found.values() if quantity.number}
    dated = any(not _MONTHS.isdisjoint(pieces[max(place - 1, 0) : place + 2]) for place in found)
    money = bool(units - {"", "%", "th", "minutes", "months"})
    timed = not units.isdisjoint(("minutes", "months"))
    return _MONEY * money + _PERCENT * ("%" in units) + _TIME * timed + _DATE * dated
