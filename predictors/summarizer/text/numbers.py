"""Numbers in one spelling: "1,000" and "one thousand" become "1000", "€4,99" becomes "4.99"."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from predictors.summarizer.text.quantities import CURRENCIES, FILLERS, TIMES

_ONES = """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = dict(zip(_ONES.split(), range(1, 20), strict=True))
_SMALL |= dict(zip(_TENS.split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SPELLED = _SMALL.keys() | _SCALES.keys()
# Before these words "one" is a number; elsewhere it is a pronoun.
_COUNTED = _SCALES.keys() | TIMES.keys() | CURRENCIES.keys() | FILLERS | {"percent"}
_REMEMBERED_NUMBERS = 10_000


@lru_cache(maxsize=_REMEMBERED_NUMBERS)
def normal_digits(written: str) -> str:
    """A number in digits without thousands separators and redundant zeros.

    Args:
        written: digits with points, commas, spaces or apostrophes between them.
    """
    written = re.sub("[ \u00a0\u202f']", "", written)
    if "," in written and "." in written:
        thousands, point = sorted(",.", key=written.rindex)
        written = written.replace(thousands, "").replace(point, ".")
    elif re.fullmatch(r"[1-9]\d{0,2}([.,])\d{3}(\1\d{3})*", written):
        written = re.sub("[.,]", "", written)
    else:
        written = written.replace(",", ".")
    if written.count(".") > 1:  # "12.3.1", a clause
        return written
    whole, _, fraction = written.partition(".")
    return f"{whole.lstrip('0') or '0'}.{fraction.rstrip('0')}".rstrip(".")


def fold_numbers(words: Sequence[str]) -> list[str]:
    """Replace numbers in words by digits; a number that is given twice, as in "thirty (30)", is kept once."""
    return list(words) if _SPELLED.isdisjoint(words) else list(_folded(words))


def _folded(words: Sequence[str]) -> Iterator[str]:
    place, last = 0, ""
    while place < len(words):
        value, end = _spelled(words, place)
        word = words[place] if end == place else f"{value:.12g}"
        if word != last or not word[0].isdecimal():
            yield word
        place, last = max(end, place + 1), word


def _spelled(words: Sequence[str], start: int) -> tuple[float, int]:
    """The number that starts at a word, and where it ends: where it starts if there is none."""
    total = current = 0.0
    place = start
    while place < len(words):
        word = words[place]
        addend = _addend(words, place, start)
        if addend is not None:
            current += addend
        elif word == "hundred":
            current = max(current, 1.0) * 100
        elif word in _SCALES:
            total, current = total + max(current, 1.0) * _SCALES[word], 0.0
        elif place == start or not _joins(words, place):
            break
        place += 1
    return total + current, place


def _addend(words: Sequence[str], place: int, start: int) -> float | None:
    """What a word adds to the number that starts at ``start``: "two" adds 2, "1.5" before "million" adds 1.5."""
    word, after = words[place], _after(words, place)
    if word == "one":
        return 1.0 if place > start or after in _COUNTED or after[:1].isdecimal() else None
    if word[0].isdecimal() and place == start and after in _SCALES and word.count(".") < 2:
        return float(word)
    return _SMALL.get(word)


def _joins(words: Sequence[str], place: int) -> bool:
    """Whether it is the "and" of "two hundred and five"."""
    return words[place] == "and" and words[place - 1] in _SCALES and _after(words, place) in _SMALL


def _after(words: Sequence[str], place: int) -> str:
    return words[place + 1] if place + 1 < len(words) else ""
