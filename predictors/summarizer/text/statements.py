"""What a text states, as far as the rules of `support` need it: terms, quantities, and what negations apply to."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from predictors.summarizer.text.quantities import TIMES, Quantity, quantities
from predictors.summarizer.text.synonyms import term_of
from predictors.summarizer.text.word_lists import word_set
from predictors.summarizer.text.words import tokens

# A number's context: this many terms on each side.
_CONTEXT_TERMS = 3
# How many content words after a negation are in its scope.
_SCOPE = 4
# How many content words before a negation may be its subject.
_SUBJECT = 2

_NEGATIONS = word_set(
    """not no never without cannot non nor neither none waive waives waived forfeit forfeits forfeited lose loses fail
    fails failure refuse refuses prohibit prohibits prohibited forbid forbids banned exclude excludes excluded"""
)
_EXCEPTIONS = word_set("unless except excluding")
_TURNS = _NEGATIONS | _EXCEPTIONS | {"until"}
# Phrases that are replaced by one word, and phrases that look like negations but are none.
_PHRASES = {
    re.compile(pattern, re.IGNORECASE): word
    for pattern, word in (
        (r"\b(?:giv(?:e|es|ing) up|signs? away)\b", "waive"),
        (r"\bmoney back\b", "refund"),
        (r"\b(?:no|not) (?:later|earlier|less|more|fewer|longer|greater) than\b|\bwhether or not\b", ""),
        (r"\bnot (?:limited to|only)\b|\bwithout limit(?:ation|ing)\b", ""),
    )
}
# A negation applies to what follows these: in "we do not offer refunds", refunds are denied.
_LIGHT = frozenset(
    term_of(word)
    for word in word_set(
        """intended designed directed apply offer entitled right able allow eligible receive accept include possible
        available"""
    )
)
_BE = word_set("is are be was were been strictly")
_ENDS = frozenset(".;:!?")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text states.

    Args:
        sequence: the term of each token (see `term_of`); a whole duration is one term, and some tokens have none ("").
        terms: the distinct terms.
        quantities: its numbers and durations, by place in the sequence.
        denied: the terms that a negation applies to; empty if there is an exception, which can be told either way.
        scope: the terms in the scope of a negation or of "until".
        affirmed: the terms that occur somewhere without being denied.
    """

    sequence: list[str]
    terms: frozenset[str]
    quantities: dict[int, Quantity]
    denied: frozenset[str]
    scope: frozenset[str]
    affirmed: frozenset[str]

    def around(self, place: int) -> frozenset[str]:
        """The terms next to a place, without parties and numbers."""
        before = (term for term in reversed(self.sequence[:place]) if _is_plain(term))
        after = (term for term in self.sequence[place + 1 :] if _is_plain(term))
        return frozenset([*islice(before, _CONTEXT_TERMS), *islice(after, _CONTEXT_TERMS)])

    def counts(self, quantity: Quantity) -> bool:
        """Whether it has this number, with the same unit or with none on either side."""
        return any(
            quantity[:2] == own[:2] or (quantity.number == own.number and not (quantity.unit and own.unit))
            for own in self.quantities.values()
        )


def parse(text: str) -> Statement:
    """Find out what one or a few sentences state."""
    for pattern, word in _PHRASES.items():
        text = pattern.sub(word, text)
    words = tokens(text)
    found = quantities(words)
    terms = _terms(words, found)
    denied, scope = _negated(words, terms)
    return Statement(
        sequence=terms,
        terms=frozenset(terms) - {""},
        quantities=found,
        denied=frozenset(terms[place] for place in denied),
        scope=frozenset(terms[place] for place in scope),
        affirmed=frozenset(term for place, term in enumerate(terms) if place not in denied),
    )


def _terms(words: Sequence[str], found: dict[int, Quantity]) -> list[str]:
    terms = ["" if word in TIMES else term_of(word) for word in words]
    for place, quantity in found.items():
        if quantity.unit in ("minutes", "months"):
            terms[place] = f"{quantity.amount:.12g} {quantity.unit}"
    return terms


def _negated(words: Sequence[str], terms: Sequence[str]) -> tuple[set[int], set[int]]:
    """Places of the terms that are denied, and of those in the scope of a negation or of "until"."""
    denied: set[int] = set()
    scope: set[int] = set()
    turns = [place for place, word in enumerate(words) if word in _TURNS or word.endswith("n't")]
    for place in turns:
        about, reached = _reach(words, terms, place)
        scope.update(reached)
        if words[place] != "until":
            denied.update(about)
    # "Not …, except …": it can be told either way.
    negations = [words[place] in _EXCEPTIONS for place in turns if words[place] != "until"]
    return (set() if True in negations and False in negations else denied), scope


def _reach(words: Sequence[str], terms: Sequence[str], negation: int) -> tuple[list[int], list[int]]:
    """Places of the terms that a negation applies to, and of all terms in its scope."""
    forward = list(_after(words, terms, negation))
    subject = list(islice(_before(words, terms, negation), _SUBJECT))
    passive = negation > 0 and words[negation - 1] in _BE
    if passive and words[negation].endswith("ed"):  # "smoking is prohibited in the flat"
        return subject, subject + forward
    light = sum(1 for _ in takewhile(lambda place: terms[place] in _LIGHT, forward))
    if light == len(forward):  # nothing else follows: "pets are not allowed"
        return forward + subject, forward + subject
    return forward[: light + 1], forward + subject * passive  # "fees are not refunded"


def _after(words: Sequence[str], terms: Sequence[str], negation: int) -> Iterator[int]:
    """Places of the plain terms after a negation, in its part of the sentence."""
    found = 0
    for place in range(negation + 1, len(words)):
        if words[place] in _ENDS or (words[place] == "," and found) or found == _SCOPE:
            return
        if _is_plain(terms[place]):
            found += 1
            yield place


def _before(words: Sequence[str], terms: Sequence[str], negation: int) -> Iterator[int]:
    """Places of the plain terms before a negation in its sentence, the nearest first."""
    within = takewhile(lambda place: words[place] not in _ENDS, range(negation - 1, -1, -1))
    return (place for place in within if _is_plain(terms[place]))


def _is_plain(term: str) -> bool:
    """Whether a term is neither a party nor a number."""
    return term not in ("", "we", "you") and not term[0].isdecimal()
