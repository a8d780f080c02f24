"""Numbers in a text, in digits and in words, as the judge reads them."""

import re
from collections.abc import Iterator, Sequence

# "4.1 ", "14. " and "3) " where a line begins, and "clause 4.1" anywhere: labels, not amounts.
LABEL = re.compile(r"^\s*\d+(?:[.)]|(?:\.\d+)+)\s|\b(?:article|clause|part|section)s?\s+\d+(?:\.\d+)*", re.I | re.M)
DIGITS = r"(?<![^\W\d_])(?<!\d)\d+(?:[,\u00a0\u2009\u202f]\d{3})*(?:[.,]\d+)?"
_NUMBER_OR_WORD = re.compile(rf"{DIGITS}|[^\W\d_]+")
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL = {word: i for i, word in enumerate(_UNITS.split())} | {word: 10 * i for i, word in enumerate(_TENS.split(), 2)}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
ORDINALS = (
    {f"{word}th": word for word in _UNITS.split()}
    | {f"{word[:-1]}ieth": word for word in _TENS.split()}
    | {"third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine", "twelfth": "twelve"}
)
# One of the first unit is this many of the second.
_CONVERSIONS = (
    ("year", "month", 12),
    ("year", "day", 365),
    ("fortnight", "week", 2),
    ("fortnight", "day", 14),
    ("week", "day", 7),
    ("day", "hour", 24),
)


def numbers(text: str) -> set[float]:
    """The numbers in a text, without 0 and 1, which have too many other names ("no", "the")."""
    return {value for value, _ in quantities(text)} - {0, 1}


def in_other_units(value: float, unit: str) -> set[float]:
    """A number, and what it is in units that its own converts to.

    Args:
        value: the number.
        unit: its unit, in the singular.
    """
    found = {value}
    for longer, shorter, count in _CONVERSIONS:
        if unit == longer:
            found.add(value * count)
        elif unit == shorter:
            found.add(value / count)
    return found


def quantities(text: str) -> Iterator[tuple[float, str]]:
    """Numbers, each with the word after it, in the singular."""
    tokens = [token.lower() for token in _NUMBER_OR_WORD.findall(LABEL.sub(" ", text))] + [""]
    place = 0
    while place < len(tokens):
        value, end = number_at(tokens, place)
        if end > place:
            yield value, tokens[end].removesuffix("s")
        place = max(end, place + 1)


def number_at(tokens: Sequence[str], start: int) -> tuple[float, int]:
    """The number that starts at a token, and where it ends: where it starts if there is none.

    Args:
        tokens: in lower case; the last is empty.
        start: a place among them.
    """
    total = part = 0.0
    place = start
    while True:
        token = tokens[place]
        addend = _addend(tokens, place, start, part)
        if addend is not None:
            part += addend
        elif token == "hundred":
            part = max(part, 1) * 100
        elif token in SCALES:
            total, part = total + max(part, 1) * SCALES[token], 0
        elif place == start or not _joins(tokens, place):
            return total + part, place
        place += 1


def _addend(tokens: Sequence[str], place: int, start: int, part: float) -> float | None:
    """What a token adds to the number that starts at ``start``: digits or the "a" of "a hundred", then words."""
    token = tokens[place]
    if place == start and token[:1].isdigit():
        return _digits(token)
    if place == start and token in ("a", "an"):
        return 1.0
    after_digits = place > start and tokens[place - 1][:1].isdigit()
    return SMALL[token] if token in SMALL and not after_digits and _goes_on(part, SMALL[token]) else None


def _joins(tokens: Sequence[str], place: int) -> bool:
    """Whether it is the "and" of "two hundred and five"."""
    return tokens[place] == "and" and tokens[place - 1] in SCALES and tokens[place + 1] in SMALL


def _goes_on(part: float, small: int) -> bool:
    """Whether "five" goes on after "twenty" or "two hundred", as it does not after "three"."""
    return part % 100 == 0 or (part % 100 >= 20 and part % 10 == 0 and 0 < small < 10)


def _digits(token: str) -> float:
    """ "1,000" is 1000; "4,99" is 4.99, as "4.99" is."""
    return float(re.sub(r"[,\u00a0\u2009\u202f](?=\d{3})", "", token).replace(",", "."))
