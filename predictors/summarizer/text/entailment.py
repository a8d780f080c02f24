"""Whether a sentence in other words says what its source says, neither less nor more. If in doubt, it does not.

Source and sentence are divided into statements, and these into parts: the main clause, and each condition, exception,
deadline and reason. A statement holds if each of its parts has a part of the source of the same kind with the same
signs in the same order (see `signs`): the parties with their roles, what they may or must do, negations, limits,
numbers with units, and terms. Parts may change places. A term may be missing where it only describes another
(`sensitive`), but not next to a number, which it may tell the meaning of, nor at the end of a part. No part of a
statement may be missing.

An adverbial may go from the end of a part to its beginning or back, and what "we" do may be told in the passive.

So "you may cancel within 14 days" is said by "within 14 days, you can cancel", but not by "you may cancel", "you must
cancel within 14 days" or "we may cancel within 14 days". Freer paraphrases are refused even if they are true.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from predictors.summarizer.text.sensitive import decides
from predictors.summarizer.text.signs import CONDITIONS, Sign, parties, side, signs

_VERBS = "may|must|will|can|shall|is|are|cannot|do|does|has|have"
_SEPARATE = re.compile(rf"(?<=[.!?;])\s+|,\s+(?=and\s(?:(?:we|you)\b|(?:\S+\s){{1,4}}(?:{_VERBS})\b))", re.IGNORECASE)
_PARTICIPLE = re.compile(
    r"(?:ed|en)\Z|\A(?:paid|kept|sent|made|held|told|sold|lost|put|set|borne|bought|shown|built|left)\Z"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A main clause, or a condition of a statement.

    Args:
        kind: what it begins with (see `signs.CONDITIONS`); empty for a main clause.
        signs: without punctuation.
    """

    kind: str
    signs: tuple[Sign, ...]


def says_the_same(text: str, source: str) -> bool:
    """Whether every sentence of a text is said by its source, with all that belongs to it.

    Args:
        text: one or a few sentences.
        source: one or a few sentences.
    """
    named = parties(source)
    # With two nouns for the customer, "you" could be either.
    nouns = len({side(noun) for noun in named}) == len(named)
    theirs = [_parts(each, nouns) for each in _statements(source)]
    mine = [_parts(each, nouns) for each in _statements(text)]
    return bool(mine) and all(any(_same(each, other) for other in theirs) for each in mine)


def _statements(text: str) -> list[str]:
    """The sentences, and the clauses after ";" and ", and we"; a condition in front holds for all of its sentence."""
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        clauses = [each for each in _SEPARATE.split(sentence) if each.strip()]
        condition = _front(clauses[0]) if clauses else ""
        found += [clauses[0]] if clauses else []
        found += [f"{condition} {clause}" if condition and not _front(clause) else clause for clause in clauses[1:]]
    return found


def _front(clause: str) -> str:
    """The condition that a clause begins with, up to its comma."""
    first = next(iter(signs(clause, nouns=False)), None)
    before, comma, _ = clause.partition(",")
    return before + comma if comma and first is not None and first.value in CONDITIONS else ""


def _parts(statement: str, nouns: bool) -> list[Part]:
    """The main clause of a statement, which conditions may interrupt, and its conditions."""
    main: list[Sign] = []
    conditions: list[tuple[str, list[Sign]]] = []
    current = main
    for sign in signs(statement, nouns):
        if sign.kind == "decides" and sign.value in CONDITIONS:
            conditions.append((str(sign.value), []))
            current = conditions[-1][1]
        elif sign.kind == "party" and sign.word in ("we", "you") and current and not main and current is not main:
            main.append(sign)  # "Within 14 days you may …"
            current = main
        elif sign.kind != "mark":
            current.append(sign)
        elif sign.value == "," and (current is not main and not main):  # "If you cancel, we …"
            current = main
    return [Part("", tuple(main)), *(Part(kind, tuple(found)) for kind, found in conditions)]


def _same(mine: Sequence[Part], theirs: Sequence[Part]) -> bool:
    """Whether each part has exactly one counterpart."""
    left = list(theirs)
    for part in mine:
        found = next((other for other in left if other.kind == part.kind and _fits(part.signs, other.signs)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _fits(mine: Sequence[Sign], theirs: Sequence[Sign]) -> bool:
    """Whether signs are those of the source, in an order that says the same, without some that only describe."""
    own = _bare(mine)
    return any(_follows(own, _bare(order)) for order in _moved(theirs)) or (
        any(_is_passive(mine, verb) and _follows(own, order) for verb, order in _passives(_bare(theirs)))
    )


def _bare(found: Sequence[Sign]) -> list[Sign]:
    return [sign for sign in found if sign.kind not in ("be", "direction")]


def _moved(theirs: Sequence[Sign]) -> Iterator[Sequence[Sign]]:
    """The signs as they stand, with their last adverbial at the beginning, and with their first one at the end."""
    yield theirs
    for place, sign in enumerate(theirs):
        if place and sign.kind == "direction":
            yield [*theirs[place:], *theirs[:place]]
        if place and sign.kind == "party" and sign.word in ("we", "you") and theirs[0].kind == "direction":
            yield [*theirs[place:], *theirs[:place]]


def _passives(theirs: Sequence[Sign]) -> Iterator[tuple[Sign, list[Sign]]]:
    """The verb and the signs of the passive: "we may share your data with …" as "your data may be shared with …"."""
    if not theirs or theirs[0].value != ("", "we"):
        return
    modals = 1
    while modals < len(theirs) and theirs[modals].kind == "decides":
        modals += 1
    rest = theirs[modals + 1 :]
    if modals >= len(theirs) or theirs[modals].kind != "term":
        return
    how, verb = theirs[1:modals], theirs[modals]
    for length in range(1, len(rest) + 1):
        yield verb, [*rest[:length], *how, verb, *rest[length:]]


def _is_passive(mine: Sequence[Sign], verb: Sign) -> bool:
    """Whether a verb is a participle after a form of "be"."""
    for place, sign in enumerate(mine):
        before = [each.kind for each in mine[max(place - 2, 0) : place]]
        if (sign.kind, sign.value) == (verb.kind, verb.value) and _PARTICIPLE.search(sign.word) and "be" in before:
            return True
    return False


def _follows(mine: Sequence[Sign], theirs: Sequence[Sign]) -> bool:
    """Whether signs are others in their order, without some that only describe."""
    if not mine or not theirs:
        return not mine and not theirs
    rest = iter(mine)
    expected = next(rest, None)
    for place, sign in enumerate(theirs):
        if expected is not None and (sign.kind, sign.value) == (expected.kind, expected.value):
            expected = next(rest, None)
        elif not _describes(theirs, place):
            return False
    return expected is None


def _describes(theirs: Sequence[Sign], place: int) -> bool:
    """Whether a term may be left out: it decides nothing, is not next to a number, and another term follows."""
    around = theirs[max(place - 1, 0) : place + 2]
    sign = theirs[place]
    if sign.kind != "term" or decides(sign.word) or any(each.kind == "quantity" for each in around):
        return False
    return place + 1 < len(theirs) and theirs[place + 1].kind == "term"
