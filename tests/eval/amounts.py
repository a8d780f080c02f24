"""Numbers with their units and what they measure, in a point and in the words that it cites."""

from collections.abc import Iterator, Sequence

from tests.eval.language import stem, word_set
from tests.eval.numerals import in_other_units
from tests.eval.statements import is_content
from tests.eval.terms import LIGHT, term

_UNITS = word_set("year month week day hour minute fortnight")
_MONEY = {"dollar": "$", "usd": "$", "euro": "€", "eur": "€", "pound": "£", "gbp": "£", "percent": "%"}
# How many content words on either side are next to a number, and around it.
_NEAR, _WIDE = 2, 5


def misquoted(mine: Sequence[str], theirs: Sequence[str]) -> str:
    """A number with another unit or about something else, or one that is left out."""
    own, source = list(_quantities(mine)), list(_quantities(theirs))
    for value, unit, near, _ in own:
        same = [each for each in source if _equal((value, unit), each[:2])]
        if not same:
            return f"no {value:g} {unit}".rstrip() + " in the cited words"
        if near and not any(near & wide for *_, wide in same):
            return f"{value:g} is about something else"
    if len(source) > 1 and (swapped := _swapped(mine, theirs) or _introduced_otherwise(mine, theirs)):
        return f"{swapped} is about something else"
    for value, unit, *_ in source:
        if not any(_equal((value, unit), each[:2]) for each in own):
            return f"{value:g} {unit} is left out"
    return ""


def _swapped(mine: Sequence[str], theirs: Sequence[str]) -> str:
    """A number whose neighbours stand next to other numbers in the source."""
    places = [place for place, word in enumerate(theirs) if word[0].isdigit()]
    nearest: dict[str, set[str]] = {}
    for place, word in enumerate(theirs):
        if _measured(word):
            beside = (
                max((each for each in places if each < place), default=place),
                min((each for each in places if each > place), default=place),
            )
            nearest.setdefault(term(word), set()).update(theirs[each] for each in beside if each != place)
    for place, word in enumerate(mine):
        if word[0].isdigit() and word in theirs:
            known = [nearest[each] for each in _around(mine, place, 1) if each in nearest]
            if known and not any(word in numbers for numbers in known):
                return word
    return ""


def _introduced_otherwise(mine: Sequence[str], theirs: Sequence[str]) -> str:
    """A number after words that in the source come before another number only."""
    before = dict(_before_numbers(theirs))
    for number, terms in _before_numbers(mine):
        own = before.get(number, set())
        others = set().union(*(each for other, each in before.items() if other != number))
        if own - others and terms & (others - own) and not terms & (own - others):
            return number
    return ""


def _before_numbers(words: Sequence[str]) -> Iterator[tuple[str, set[str]]]:
    """Each number with the content words since the number before it."""
    terms: set[str] = set()
    for word in words:
        if word[0].isdigit():
            yield word, terms
            terms = set()
        elif _measured(word):
            terms.add(term(word))


def _quantities(words: Sequence[str]) -> Iterator[tuple[float, str, set[str], set[str]]]:
    """Numbers with their units, the content words next to them, and those farther around."""
    for place, word in enumerate(words):
        if not word[0].isdigit():
            continue
        before = words[place - 1] if place else ""
        after = [each.removesuffix("s") for each in words[place + 1 : place + 4]]
        unit = before if before in "$€£" and before else next((each for each in after if is_unit(each)), "")
        yield (
            float(word.replace(",", "")),
            _MONEY.get(unit, unit),
            _around(words, place, _NEAR),
            _around(words, place, _WIDE),
        )


def is_unit(word: str) -> bool:
    """Whether a word is a unit of time, a currency or a percentage."""
    return word.removesuffix("s") in _UNITS | _MONEY.keys() | set(_MONEY.values())


def _around(words: Sequence[str], place: int, count: int) -> set[str]:
    """The content words on both sides of a place, without units."""
    before = [term(word) for word in words[:place] if _measured(word)][-count:]
    after = [term(word) for word in words[place + 1 :] if _measured(word)][:count]
    return {*before, *after}


def _measured(word: str) -> bool:
    return is_content(word) and word.removesuffix("s") not in _UNITS and word not in _MONEY and stem(word) not in LIGHT


def _equal(one: tuple[float, str], other: tuple[float, str]) -> bool:
    if one[1] and other[1] and one[1] != other[1]:
        return bool(
            one[1] in _UNITS and other[1] in _UNITS and in_other_units(*one) & in_other_units(*other) - {one[0]}
        ) and (other[0] in in_other_units(*one) or one[0] in in_other_units(*other))
    return one[0] == other[0]
