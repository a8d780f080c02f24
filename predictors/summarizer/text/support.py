"""Which sentences of a document a summary's bullet comes from, and how far their words support it.

The measure is lexical. Both sides become sets of terms: stems, with small classes of synonyms, and numbers in one
spelling. The score is the share of the bullet's terms that the cited sentences hold, each weighted by its rarity in the
document, and cut where a number, a third party or a negation contradicts them. It is not entailment: it knows no
grammar and no world. "You pay us" and "we pay you" score the same, a true paraphrase in words of its own scores low,
and a condition that the bullet leaves out costs it nothing.

Two parts: what the rules read from a text; the index. Words and numbers are those of `words`.
"""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.summarizer.text.words import TIMES, Quantity, quantities, term_of, tokens, word_set

# What each broken rule leaves of the score: below one half even with every word matched.
CUT = 0.4
# A term that only the second or third sentence holds counts for this much, since three sentences from anywhere hold
# most common words between them; such a sentence must add the least gain to the score.
_FURTHER, _LEAST_GAIN, _MOST_CITED = 0.75, 0.06, 3
# The best sentence has the best score among those with this share of the largest overlap: what the closest sentence
# contradicts is not rescued by one that is about something else.
_NEAR = 0.75
# A sentence vouches for a number if it holds this share of the terms around it too, so many on either side: a "30"
# without its context is anywhere.
_LEAST_CONTEXT, _CONTEXT_TERMS = 0.3, 3
# Sentences that are scored in full: those with the most overlap.
_SHORTLIST = 16
# How far a negation reaches, content words.
_SCOPE = 4

_THIRD_PARTIES = frozenset(
    term_of(word)
    for word in word_set("advertiser employer government police partner affiliate researcher broker charity neighbour")
)
_OPPOSITES = (("minimum", "cap"), ("increase", "reduce"), ("accept", "reject"))
_NEGATIONS = word_set(
    """not no never without cannot non nor neither none waive waives waived forfeit forfeits forfeited lose loses fail
    fails failure refuse refuses prohibit prohibits prohibited forbid forbids banned exclude excludes excluded"""
)
_EXCEPTIONS = word_set("unless except excluding")
_TURNS = _NEGATIONS | _EXCEPTIONS | {"until"}
# Phrases for what a rule knows by one word; the last deny nothing, though they look like it.
_PHRASES = {
    re.compile(pattern, re.IGNORECASE): word
    for pattern, word in (
        (r"\b(?:giv(?:e|es|ing) up|signs? away)\b", "waive"),
        (r"\bmoney back\b", "refund"),
        (r"\b(?:no|not) (?:later|earlier|less|more|fewer|longer|greater) than\b|\bwhether or not\b", ""),
        (r"\bnot (?:limited to|only)\b|\bwithout limit(?:ation|ing)\b", ""),
    )
}
# A negation passes through these: in "we do not offer refunds" it is the refund that there is not.
_LIGHT = word_set("intend design direct appli offer entitl right able allow eligibl receiv accept includ possibl avail")
_BE = word_set("is are be was were been strictly")
_ENDS = word_set(". ; : ! ?")


class Citation(NamedTuple):
    """Where a bullet comes from.

    Args:
        sentences: their indices, ascending: one to three, or none if no sentence shares a word with the bullet.
        score: from 0 (no shared word) to 1 (each word, number and negation is in them).
    """

    sentences: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the rules need to know of a text.

    Args:
        sequence: what each of its tokens counts as: a stem, the word of its class of synonyms, "we" or "you", a length
            of time as a whole, or nothing.
        terms: the same as a set, without nothing.
        quantities: its numbers and lengths of time, by their places in the sequence.
        denied: the terms that a negation is about; empty where an exception lets it be told either way.
        scope: the terms in reach of a negation or of "until".
        affirmed: the terms that stand somewhere without being denied.
    """

    sequence: list[str]
    terms: frozenset[str]
    quantities: dict[int, Quantity]
    denied: frozenset[str]
    scope: frozenset[str]
    affirmed: frozenset[str]

    def around(self, place: int) -> frozenset[str]:
        """The terms next to a place, as far as they are neither parties nor numbers."""
        before = (term for term in reversed(self.sequence[:place]) if _is_plain(term))
        after = (term for term in self.sequence[place + 1 :] if _is_plain(term))
        return frozenset([*islice(before, _CONTEXT_TERMS), *islice(after, _CONTEXT_TERMS)])

    def counts(self, quantity: Quantity) -> bool:
        """Whether it has this number, of this unit or of an unknown one."""
        return any(
            quantity[:2] == own[:2] or (quantity.number == own.number and not (quantity.unit and own.unit))
            for own in self.quantities.values()
        )


def _read(text: str) -> _Reading:
    for pattern, word in _PHRASES.items():
        text = pattern.sub(word, text)
    words = tokens(text)
    found = quantities(words)
    terms = [term_of(word) if word not in TIMES else "" for word in words]
    for place, quantity in found.items():
        if quantity.unit in ("minutes", "months"):
            terms[place] = f"{quantity.amount:.12g} {quantity.unit}"
    denied: set[int] = set()
    scope: set[int] = set()
    turns = [place for place, word in enumerate(words) if word in _TURNS or word.endswith("n't")]
    for place in turns:
        about, reached = _reach(words, terms, place)
        scope.update(reached)
        denied.update(about if words[place] != "until" else ())
    if {words[place] in _EXCEPTIONS for place in turns if words[place] != "until"} == {True, False}:
        denied.clear()
    return _Reading(
        sequence=terms,
        terms=frozenset(terms) - {""},
        quantities=found,
        denied=frozenset(terms[place] for place in denied),
        scope=frozenset(terms[place] for place in scope),
        affirmed=frozenset(term for place, term in enumerate(terms) if place not in denied),
    )


def _is_plain(term: str) -> bool:
    """Whether it is neither a party nor a number."""
    return term not in ("", "we", "you") and not term[0].isdecimal()


def _reach(words: list[str], terms: list[str], negation: int) -> tuple[list[int], list[int]]:
    """Where the terms stand that a negation is about, and all in its reach."""
    forward: list[int] = []
    for place in range(negation + 1, len(words)):
        if words[place] in _ENDS or (words[place] == "," and forward) or len(forward) == _SCOPE:
            break
        if _is_plain(terms[place]):
            forward.append(place)
    before = takewhile(lambda place: words[place] not in _ENDS, range(negation - 1, -1, -1))
    subject = list(islice((place for place in before if _is_plain(terms[place])), 2))
    passive = negation > 0 and words[negation - 1] in _BE
    if passive and words[negation].endswith("ed"):  # "smoking is prohibited in the flat"
        return subject, subject + forward
    light = sum(1 for _ in takewhile(lambda place: terms[place] in _LIGHT, forward))
    if light == len(forward):  # nothing else follows: "pets are not allowed"
        return forward + subject, forward + subject
    return forward[: light + 1], forward + subject * passive  # "fees are not refunded"


def _contradict(bullet: _Reading, source: _Reading) -> bool:
    if bullet.denied & source.scope or source.denied & bullet.scope:
        return False
    only_bullet, only_source = bullet.terms - source.terms, source.terms - bullet.terms
    return (
        not (bullet.denied & source.affirmed).issubset(source.scope)
        or not (source.denied & bullet.affirmed).issubset(source.affirmed)
        or any(
            (one in only_bullet and other in only_source) or (other in only_bullet and one in only_source)
            for one, other in _OPPOSITES
        )
    )


class SourceIndex:
    """The sentences of a document, ready to be cited.

    Args:
        sentences: of the document, in order.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        self._readings = [_read(sentence) for sentence in sentences]
        holders: dict[str, list[int]] = {}
        for place, reading in enumerate(self._readings):
            for term in reading.terms:
                holders.setdefault(term, []).append(place)
        self._holders = {term: np.array(places, dtype=np.intp) for term, places in holders.items()}

    def cite(self, bullet: str, candidates: Collection[int] | None = None) -> Citation:
        """The sentences that support a bullet best, and how well.

        The score is ``sum(weight(t) * held(t)) / sum(weight(t))`` over the bullet's distinct terms ``t``. ``weight`` is
        the smoothed inverse document frequency ``1 + ln((1 + N) / (1 + n(t)))`` of ``N`` sentences of which ``n(t)``
        hold the term, so a word that is nowhere in the document weighs the most, and counts in full. ``held`` is 1 for
        a term in the best sentence, 0.75 for one in another cited sentence only, else 0. The score is multiplied by
        `CUT` for each of these rules that is broken:

        - Each number, amount, percentage and length of time is in a cited sentence that also holds some of the terms
          around it in the bullet. Units must agree unless one side has none; 7 days are a week, 24 hours a day,
          12 months a year, and nothing else is converted. "A month", "monthly" and the like need that unit.
        - Each third party of a short list (advertisers, the police, …) is in a cited sentence.
        - No cited sentence contradicts: what a negation is about on one side ("not", "never", "without", "waive",
          "unless", …) is not affirmed on the other, and opposites ("minimum", "maximum") do not meet. One denial in
          common settles it, and a negation with an exception ("not …, except …") can be told either way.

        Args:
            bullet: a sentence or a few, without the mark of its list.
            candidates: indices of the sentences that may be cited; all by default. Weights stay the document's.
        """
        reading = _read(bullet)
        size = len(self._readings)
        weights = {t: 1 + math.log((1 + size) / (1 + len(self._holders.get(t, ())))) for t in reading.terms}
        allowed = None if candidates is None else np.array(sorted(candidates), dtype=np.intp)
        chosen: list[int] = []
        score, missing = 0.0, set(weights)
        while len(chosen) < _MOST_CITED:
            tried = [
                (self._score(reading, weights, [*chosen, place]), -place)
                for place in self._likely(weights, missing, allowed)
                # A further sentence that has one word in common says something else.
                if not chosen or len((self._readings[place].terms & reading.terms) - {"we", "you"}) > 1
            ]
            best, place = max(tried, default=(0.0, 0))
            if best < score + _LEAST_GAIN * bool(chosen) or not best:
                break
            score = best
            chosen.append(-place)
            missing -= self._readings[-place].terms
        return Citation(tuple(sorted(chosen)), min(score, 1.0))

    def _likely(self, weights: dict[str, float], missing: set[str], allowed: NDArray[np.intp] | None) -> list[int]:
        """The sentences that hold most of the missing terms, best first."""
        overlap = np.zeros(len(self._readings))
        for term in missing & self._holders.keys():
            overlap[self._holders[term]] += weights[term]
        places = np.flatnonzero(overlap) if allowed is None else allowed[overlap[allowed] > 0]
        order = places[np.argsort(-overlap[places], kind="stable")[:_SHORTLIST]]
        likely: list[int] = order[overlap[order] >= _NEAR * overlap[order[:1]]].tolist()
        return likely

    def _score(self, bullet: _Reading, weights: dict[str, float], cited: list[int]) -> float:
        first, *others = sources = [self._readings[place] for place in cited]
        further = frozenset().union(*(other.terms for other in others)) - first.terms
        held = _share(weights, bullet.terms, first.terms) + _FURTHER * _share(weights, bullet.terms, further)
        broken = (
            not all(
                any(
                    r.counts(each) and _share(weights, bullet.around(place), r.terms) >= _LEAST_CONTEXT for r in sources
                )
                for place, each in bullet.quantities.items()
            ),
            not (bullet.terms & _THIRD_PARTIES) <= first.terms | further,
            any(_contradict(bullet, r) for r in sources),
        )
        return held * CUT ** sum(broken)


def _share(weights: dict[str, float], terms: frozenset[str], source: frozenset[str]) -> float:
    """The weighted share of terms that a source holds; 1 if there are none."""
    held = sum(weights[term] for term in terms & source)
    return held / sum(weights[term] for term in terms) if terms else 1.0
