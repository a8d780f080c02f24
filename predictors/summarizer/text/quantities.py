"""Quantities: numbers with their units, which are currencies, percent, durations and ordinals."""

from collections.abc import Sequence
from typing import NamedTuple

from predictors.summarizer.text.word_lists import word_set

# Words for durations, each with the unit that it is converted to, and how many of those it is. A month is not 30 days.
TIMES = {
    form: (unit, float(count))
    for unit, count, forms in (
        ("minutes", 1, "minute minutes"),
        ("minutes", 60, "hour hours hourly"),
        ("minutes", 1440, "day days daily"),
        ("minutes", 10080, "week weeks weekly"),
        ("months", 1, "month months monthly"),
        ("months", 12, "year years yearly annual annually annum"),
    )
    for form in forms.split()
}
# Signs, codes and names of currencies, each with the sign or code that stands for the currency.
CURRENCIES = {
    form: forms.split()[0]
    for forms in """$ us$ usa$ a$ au$ c$ ca$ nz$ hk$ s$ usd aud cad nzd sgd hkd dollar dollars|€ eur euro euros
        £ gbp pound pounds|¥ jpy yen cny rmb yuan|₹ inr rs rupee rupees|chf franc francs|₩ krw|zł pln zloty|₪ ils
        kr sek nok dkk krona kronor kroner|r$ brl reais|zar rand|₺|₽ rub rubles roubles|₱ mxn php peso pesos|₦ ngn naira
        cent cents|pence penny""".replace("\n", "|").split("|")
    for form in forms.split()
}
# Words that may stand between a number and its unit.
FILLERS = word_set("calendar business working consecutive full clear additional")
_FURTHEST_UNIT = 3  # words after a number
_SUFFIXES = {"%": "%", "percent": "%", "st": "th", "nd": "th", "rd": "th", "th": "th"}


class Quantity(NamedTuple):
    """A number and its unit.

    Args:
        unit: ``minutes`` or ``months`` (other units of time are converted), ``%``, ``th``, a currency, or empty.
        amount: the number converted to the unit.
        number: the number as written; 0 for a duration without one ("a month"), whose amount is one of its unit.
    """

    unit: str
    amount: float
    number: float


def quantities(words: Sequence[str]) -> dict[int, Quantity]:
    """The numbers with their units, and the durations without a number, by place.

    Args:
        words: from `tokens`.
    """
    found: dict[int, Quantity] = {}
    counted = False  # whether the next duration is the unit of the last number
    for place, word in enumerate(words):
        if _is_number(word):
            found[place], counted = _quantity(words, place)
        elif word in TIMES:
            if not counted:
                found[place] = Quantity(*TIMES[word], 0.0)
            counted = False
    return found


def _is_number(word: str) -> bool:
    return word[0].isdecimal() and word.count(".") < 2  # "12.3.1" is a clause


def _quantity(words: Sequence[str], place: int) -> tuple[Quantity, bool]:
    """The number at a place with its unit, and whether the unit is one of time."""
    number = float(words[place])
    before = words[place - 1] if place else ""
    nearby = words[place + 1 : place + 1 + _FURTHEST_UNIT]
    after = next((word for word in nearby if word not in FILLERS), "")
    unit = CURRENCIES.get(before) or CURRENCIES.get(after) or _SUFFIXES.get(after, "")
    if unit or after not in TIMES:
        return Quantity(unit, number, number), False
    unit, count = TIMES[after]
    return Quantity(unit, number * count, number), True
