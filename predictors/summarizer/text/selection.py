"""The most valuable sentences that fit a token budget."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from predictors.summarizer.text.words import content_words

# A sentence's value is divided by its cost to this power: 0 favours long sentences, 1 short ones.
_COST_POWER = 0.5


def select(scores: Sequence[float], counts: Sequence[int], sentences: Sequence[str], budget: int) -> list[int]:
    """Choose the sentences worth reading within a budget.

    Greedy: the sentence with the highest value among those that still fit is chosen, until none fits, where ``value =
    score * (1 - r ** 2) / sqrt(count)`` and ``r`` is the largest share of its content words that a single chosen
    sentence has. This is maximal marginal relevance (Carbonell & Goldstein, "The use of MMR, diversity-based reranking
    for reordering documents and producing summaries", SIGIR 1998), with a product instead of their difference, because
    scores have no fixed scale, and with a square, because sharing a few words is no fault. The root of the cost is from
    Lin & Bilmes, "Multi-document summarization via budgeted maximization of submodular functions", NAACL 2010.

    Args:
        scores: scores of the sentences, at least 0.
        counts: tokens of each sentence.
        sentences: their texts.
        budget: most tokens in total.

    Returns:
        Indices in the order of the document; empty only if no sentence fits.
    """
    if sum(counts) <= budget:
        return list(range(len(counts)))
    overlap = Overlap(sentences)
    cost = np.array(counts)
    worth = np.array(scores) / np.maximum(cost, 1) ** _COST_POWER
    chosen: list[int] = []
    is_open = cost <= budget
    while is_open.any():
        best = int(np.argmax(np.where(is_open, worth * (1 - overlap.shares**2), -1.0)))
        chosen.append(best)
        budget -= counts[best]
        is_open &= cost <= budget
        is_open[best] = False
        overlap.add(best)
    return sorted(chosen)


class Overlap:
    """How much of each sentence the chosen ones say already.

    Args:
        sentences: all sentences.

    Attributes:
        shares: for each sentence, the largest share of its content words that a single chosen sentence has, float64
            ``[N]``.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        self._words = [set(content_words(sentence)) for sentence in sentences]
        holders = defaultdict(list)
        for place, words in enumerate(self._words):
            for word in words:
                holders[word].append(place)
        self._holders = {word: np.array(places) for word, places in holders.items()}
        self._sizes = np.array([max(len(words), 1) for words in self._words])
        self.shares: NDArray[np.float64] = np.zeros(len(self._words))

    def add(self, chosen: int) -> None:
        """Record that a sentence was chosen."""
        if not self._words[chosen]:
            return
        holders = np.concatenate([self._holders[word] for word in self._words[chosen]])
        shared = np.bincount(holders, minlength=len(self._words))
        np.maximum(self.shares, shared / self._sizes, out=self.shares)
