"""How much two summaries of one document say the same."""

from collections import Counter

from predictors.summarizer.text.words import content_words

# A text that goes on much longer is no summary, and comparing it would take long.
_COMPARED_CHARS = 20_000


def word_overlap(one: str, other: str) -> float:
    """F1 of the words that carry meaning, as stems, from 0 to 1; two texts without such words are equal.

    This is ROUGE-1 (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004) with the two texts in
    symmetric roles. Points in another order count as the same.
    """
    words, others = (Counter(content_words(text[:_COMPARED_CHARS])) for text in (one, other))
    total = words.total() + others.total()
    return 2 * (words & others).total() / total if total else 1.0
