"""Which sentences of a document a summary's bullet comes from, and how far their words support it.

The measure is lexical. Both sides become sets of terms: stems with small classes of synonyms, and numbers in one
spelling. The score is the share of the bullet's terms that the cited sentences contain, each term weighted by its
rarity in the document, and is cut if a number, a third party or a negation contradicts them. It is not entailment: it
knows neither grammar nor the world. "You pay us" and "we pay you" score the same, a true paraphrase in different words
scores low, and a bullet loses nothing by leaving a condition out.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.summarizer.text.statements import Statement, parse
from predictors.summarizer.text.synonyms import term_of
from predictors.summarizer.text.word_lists import word_set

# The score is multiplied by this for each broken rule, so it falls below one half even if every word matches.
CUT = 0.4
# A term that only the second or third sentence contains counts this much, since any three sentences contain most common
# words between them. Such a sentence must raise the score by at least the gain.
_FURTHER, _LEAST_GAIN, _MOST_CITED = 0.75, 0.06, 3
# Only sentences with this share of the largest overlap are candidates, so that a bullet that the closest sentence
# contradicts is not saved by one about something else.
_NEAR = 0.75
# A sentence supports a number only if it also contains this share of the terms around it: a "30" alone is everywhere.
_LEAST_CONTEXT = 0.3
# How many sentences are scored, those with the largest overlap.
_SHORTLIST = 16

_THIRD_PARTIES = frozenset(
    term_of(word)
    for word in word_set("advertiser employer government police partner affiliate researcher broker charity neighbour")
)
_OPPOSITES = tuple(
    (term_of(one), term_of(other))
    for one, other in (("minimum", "maximum"), ("increase", "reduce"), ("accept", "reject"))
)


class Citation(NamedTuple):
    """Where a bullet comes from.

    Args:
        sentences: ascending indices of one to three sentences; empty if none shares a word with the bullet.
        score: from 0 (no word in common) to 1 (every word, number and negation is in the sentences).
    """

    sentences: tuple[int, ...]
    score: float


class SourceIndex:
    """The sentences of a document, indexed so that they can be cited.

    Args:
        sentences: the document's sentences, in order.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        self._statements = [parse(sentence) for sentence in sentences]
        holders: dict[str, list[int]] = {}
        for place, statement in enumerate(self._statements):
            for term in statement.terms:
                holders.setdefault(term, []).append(place)
        self._holders = {term: np.array(places, dtype=np.intp) for term, places in holders.items()}

    def cite(self, bullet: str, candidates: Collection[int] | None = None) -> Citation:
        """The sentences that support a bullet best, and how well they do.

        The score is ``sum(weight(t) * found(t)) / sum(weight(t))`` over the bullet's distinct terms ``t``. ``weight``
        is the smoothed inverse document frequency ``1 + ln((1 + N) / (1 + n(t)))``, where ``n(t)`` of ``N`` sentences
        contain the term, so a word that is nowhere in the document weighs most. ``found`` is 1 for a term in the best
        sentence, 0.75 for one in another cited sentence only, else 0. The score is multiplied by `CUT` for each broken
        rule:

        - Every number, amount, percentage and duration is in a cited sentence that also contains some of the terms
          around it in the bullet. Units must agree unless one side has none; a week is 7 days, a day 24 hours, a year
          12 months, and nothing else is converted. "A month", "monthly" and the like need that unit.
        - Every third party of a short list (advertisers, the police, …) is in a cited sentence.
        - No cited sentence contradicts: what a negation ("not", "never", "without", "waive", "unless", …) applies to
          on one side is not affirmed on the other, and opposites ("minimum", "maximum") do not meet. One denial in
          common is enough, and a negation with an exception ("not …, except …") can be told either way.

        Args:
            bullet: one or a few sentences, without a list mark.
            candidates: indices of the sentences that may be cited; all by default. They do not affect the weights.
        """
        statement = parse(bullet)
        weights = {term: self._weight(term) for term in statement.terms}
        allowed = None if candidates is None else np.array(sorted(candidates), dtype=np.intp)
        chosen: list[int] = []
        score, missing = 0.0, set(weights)
        while len(chosen) < _MOST_CITED:
            tried = [
                (self._score(statement, weights, [*chosen, place]), -place)
                for place in self._likely(weights, missing, allowed)
                # A further sentence with a single word in common is about something else.
                if not chosen or len((self._statements[place].terms & statement.terms) - {"we", "you"}) > 1
            ]
            best, place = max(tried, default=(0.0, 0))
            if best < score + _LEAST_GAIN * bool(chosen) or not best:
                break
            score = best
            chosen.append(-place)
            missing -= self._statements[-place].terms
        return Citation(tuple(sorted(chosen)), min(score, 1.0))

    def _weight(self, term: str) -> float:
        return 1 + math.log((1 + len(self._statements)) / (1 + len(self._holders.get(term, ()))))

    def _likely(self, weights: dict[str, float], missing: set[str], allowed: NDArray[np.intp] | None) -> list[int]:
        """The sentences that contain most of the missing terms, best first."""
        overlap = np.zeros(len(self._statements))
        for term in sorted(missing & self._holders.keys()):
            overlap[self._holders[term]] += weights[term]
        places = np.flatnonzero(overlap) if allowed is None else allowed[overlap[allowed] > 0]
        order = places[np.argsort(-overlap[places], kind="stable")[:_SHORTLIST]]
        likely: list[int] = order[overlap[order] >= _NEAR * overlap[order[:1]]].tolist()
        return likely

    def _score(self, bullet: Statement, weights: dict[str, float], cited: Sequence[int]) -> float:
        first, *others = sources = [self._statements[place] for place in cited]
        further = frozenset().union(*(other.terms for other in others)) - first.terms
        held = _share(weights, bullet.terms, first.terms) + _FURTHER * _share(weights, bullet.terms, further)
        broken = (
            not all(_has_number(bullet, place, sources, weights) for place in bullet.quantities),
            not (bullet.terms & _THIRD_PARTIES) <= first.terms | further,
            any(_contradict(bullet, source) for source in sources),
        )
        return held * CUT ** sum(broken)


def _has_number(bullet: Statement, place: int, sources: Sequence[Statement], weights: dict[str, float]) -> bool:
    """Whether a source supports the number at a place of the bullet."""
    context = bullet.around(place)
    return any(
        source.counts(bullet.quantities[place]) and _share(weights, context, source.terms) >= _LEAST_CONTEXT
        for source in sources
    )


def _share(weights: dict[str, float], terms: frozenset[str], source: frozenset[str]) -> float:
    """The weighted share of terms that a source contains; 1 if there are no terms."""
    return _total(weights, terms & source) / _total(weights, terms) if terms else 1.0


def _total(weights: dict[str, float], terms: Iterable[str]) -> float:
    # fsum is exact: the result does not depend on the order of the set, which differs between processes.
    return math.fsum(weights[term] for term in terms)


def _contradict(bullet: Statement, source: Statement) -> bool:
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
