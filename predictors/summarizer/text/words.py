"""Words as they are compared: in one spelling and by their stems, numbers by what they count, synonyms as one.

Made for English contracts between a company and a consumer.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_REMEMBERED_WORDS = 50_000


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written with white space between them."""
    return frozenset(text.split())


# Words for lengths of time, each with the unit that it is converted to and how many of that it is.
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
_CURRENCIES = {
    form: forms.split()[0]
    for forms in """$ us$ usa$ a$ au$ c$ ca$ nz$ hk$ s$ usd aud cad nzd sgd hkd dollar dollars|€ eur euro euros
        £ gbp pound pounds|¥ jpy yen cny rmb yuan|₹ inr rs rupee rupees|chf franc francs|₩ krw|zł pln zloty|₪ ils
        kr sek nok dkk krona kronor kroner|r$ brl reais|zar rand|₺|₽ rub rubles roubles|₱ mxn php peso pesos|₦ ngn naira
        cent cents|pence penny""".replace("\n", "|").split("|")
    for form in forms.split()
}
_MARKS = {"%": "%", "percent": "%", "st": "th", "nd": "th", "rd": "th", "th": "th"}
_STOP_WORDS = _CURRENCIES.keys() | word_set(
    """a about above again all also although am among an and any anyone anything are as at be because been before being
    after below between both but by can can't cannot come could did do does doing don't done down during each either
    else even ever every except for from further get gets getting going had has have having he her here hereby hereof
    his how however if in into is it it's its itself just least let like made make makes making many may me might more
    most much must my need needs neither never no non none nor not of off on once one only onto or other others
    otherwise our ours ourselves out over own per percent please put same set shall she should so some someone something
    still such take taken takes than that the their them then there thereof these they this those though through thus to
    too toward under unless until up upon us very via want was we were what when where whether which while who whom
    whose why will with within without won't would yet you you'll you're your yours yourself yourselves"""
)
_ONES = """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = dict(zip(_ONES.split(), range(1, 20), strict=True))
_SMALL |= dict(zip(_TENS.split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SPELLED = _SMALL.keys() | _SCALES.keys()
# Words that may stand between a number and its unit.
_FILLERS = word_set("calendar business working consecutive full clear additional")
# After these "one" is a number; elsewhere it is a pronoun.
_COUNTED = _SCALES.keys() | TIMES.keys() | _CURRENCIES.keys() | _FILLERS | {"percent"}
_TOKEN = re.compile(
    r"\d{1,3}(?:[ \u00a0\u202f']\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,]\d+)*"
    r"|(?:usa?|au?|ca?|nz|hk|[sr])?\$|[%€£¥₹₩₺₽₱₦₪]|[^\W\d_]+(?:'[^\W\d_]+)*|[.,;:!?]"
)
_MILLIONS = re.compile(r"([$€£] ?[\d.,]*\d) ?mn?\b")
# An ending and the least letters before it.
_ENDINGS = {"ment": 3, "able": 3, "ance": 4, "ence": 4, "ible": 4, "ion": 4, "al": 5, "er": 4, "or": 4}


class Quantity(NamedTuple):
    """A number and what it counts.

    Args:
        unit: ``minutes`` or ``months`` (to which longer units are converted), ``%``, ``th``, a currency, or empty.
        amount: in that unit.
        number: as written; 0 for a length of time without one ("a month"), whose amount is one of its unit.
    """

    unit: str
    amount: float
    number: float


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in order, repetitions included.

    They are in lower case, without stop words, and stemmed lightly (plurals, verb endings, common noun endings; a stem
    need not be a word). Numbers have one spelling: "thirty" and "30", "1,000" and "1000", "€4.99" and "4.99" are equal.
    """
    return [stemmed for word in tokens(text) if (stemmed := _content(word))]


def tokens(text: str) -> list[str]:
    """All words in lower case, numbers in one spelling, signs of currency and percent, and punctuation of clauses."""
    if not text.isupper():
        text = re.sub(r"\bUS\b", "USA", text)  # before it looks like "us"
    text = _MILLIONS.sub(r"\1 million", text.replace("\u2019", "'").lower().replace("per cent", "percent"))
    words = [_number(word) if word[0].isdecimal() else word.removesuffix("'s") for word in _TOKEN.findall(text)]
    return words if _SPELLED.isdisjoint(words) else list(_fold(words))


def quantities(words: Sequence[str]) -> dict[int, Quantity]:
    """The numbers among tokens, each with its unit, and the lengths of time that have none, by their places."""
    found = {}
    counted = False
    for place, word in enumerate(words):
        if word[0].isdecimal() and word.count(".") < 2:
            number = float(word)
            before = words[place - 1] if place else ""
            after = next((each for each in words[place + 1 : place + 4] if each not in _FILLERS), "")
            unit = _CURRENCIES.get(before) or _CURRENCIES.get(after) or _MARKS.get(after, "")
            counted = not unit and after in TIMES
            unit, count = TIMES[after] if counted else (unit, 1.0)
            found[place] = Quantity(unit, number * count, number)
        elif word in TIMES:
            if not counted:
                found[place] = Quantity(*TIMES[word], 0.0)
            counted = False
    return found


@lru_cache(maxsize=_REMEMBERED_WORDS)
def _number(written: str) -> str:
    """A number without separators of thousands and without zeros that say nothing."""
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


def _fold(words: Sequence[str]) -> Iterator[str]:
    """Numbers that are spelled out become digits; one that is said twice, as in "thirty (30)", stays once."""
    place, last = 0, ""
    while place < len(words):
        value, end = _spelled(words, place)
        word = words[place] if end == place else f"{value:.12g}"
        if word != last or not word[0].isdecimal():
            yield word
        place, last = max(end, place + 1), word


def _spelled(words: Sequence[str], start: int) -> tuple[float, int]:
    """The number that begins at a word, and where it ends: at its start if there is none."""
    total = current = 0.0
    place = start
    for place in range(start, len(words) + 1):
        word, after = (*words[place : place + 2], "", "")[:2]
        if word in _SMALL and (word != "one" or place > start or after in _COUNTED or after[:1].isdecimal()):
            current += _SMALL[word]
        elif word[:1].isdecimal() and place == start and after in _SCALES and word.count(".") < 2:
            current = float(word)
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _SCALES:
            total, current = total + max(current, 1) * _SCALES[word], 0.0
        elif word != "and" or place == start or words[place - 1] not in _SCALES or after not in _SMALL:
            break
    return total + current, place


@lru_cache(maxsize=_REMEMBERED_WORDS)
def stem(word: str) -> str:
    """A word in lower case without its common endings."""
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ly") and len(word) > 6:
        word = word[: -4 if word.endswith("ically") else -2]
    if word.endswith("ability"):
        word = word[:-5] + "le"
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) > 2 and not word.endswith("eed"):
            word = _undouble(word.removesuffix(ending))
    for _ in range(2):  # "consideration"
        for ending, least in _ENDINGS.items():
            if word.endswith(ending) and len(word) - len(ending) >= least:
                word = word.removesuffix(ending)
    if len(word) > 3:
        word = word.removesuffix("e")
    if len(word) > 5:
        word = word.removesuffix("at")  # "terminat", from terminate and from termination
    if len(word) > 3 and word.endswith("y") and word[-2] not in "aeou":
        word = word[:-1] + "i"
    return _undouble(word)


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou" else word


@lru_cache(maxsize=_REMEMBERED_WORDS)
def _content(word: str) -> str:
    """The stem of a word, empty for a stop word or punctuation."""
    if word[0].isdecimal():
        return word
    return "" if word in _STOP_WORDS or len(word) == 1 else stem(word)


# Words for the two sides of a contract, each with the side: "we" or "you".
PARTIES = {
    form: party
    for party, words in (
        ("we", "we us our company provider landlord carrier supplier vendor merchant operator seller insurer lender"),
        ("you", "you your customer user member subscriber tenant renter hirer guest passenger consumer buyer client"),
    )
    for word in words.split()
    for form in (word, word + "s")
}
# Words that plain English puts for one another. A month is not 30 days, and neither is here.
_SYNONYMS = """
    allow permit permission; ask request; begin start commence; breach break broken violate; buy bought purchase; cancel
    terminate end ended ending close; cap limit maximum; change modify amend update revise alter vary adjust; child
    children minor kid underage; collect gather obtain; content material upload post; court lawsuit sue sued litigate;
    damage harm loss losses; data information details info; defect fault faulty; delete erase erasure remove destroy;
    discretion decide decision choose; dispute claim disagreement; email mail; give gave given share disclose provide
    pass supply; goods item product; government authorities; home flat apartment premises property; increase raise rise;
    insurance insure cover coverage; keep kept retain retention store hold held; late overdue; law legislation statute
    legal lawful; liable responsible; license licence; location gps; luggage baggage bag; marketing advertiser ad ads;
    neighbour neighbor; notice notify notification inform tell told warn; pay paid charge fee price cost bill debit
    invoice owe; penalty fine; reduce decrease lower; refund reimburse repay; register sign join enrol enroll; renew
    extend extension; rent rental hire lease; repair fix; sell sold sale resell; service platform website site app;
    subscription subscribe membership plan; suspend suspension block; trip journey travel; use used using usage; vehicle
    car; warranty guarantee"""
_CLASSES = {
    form: words.split()[0] for words in _SYNONYMS.split(";") for word in words.split() for form in (stem(word), word)
}


@lru_cache(maxsize=_REMEMBERED_WORDS)
def term_of(word: str) -> str:
    """What a word counts as.

    Args:
        word: from `tokens`.

    Returns:
        "we" or "you" for a party, else the first of its synonyms, else its stem; empty for a stop word or punctuation.
    """
    return PARTIES.get(word) or _CLASSES.get(word) or _CLASSES.get(_content(word), _content(word))
