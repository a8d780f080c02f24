"""The proof that a `TextClassifier` answers as the pipeline it was made of: both are asked, on many texts."""

import random
from typing import Any

from predictors.intent.conversion import from_sklearn
from predictors.intent.tfidf import Block, TextClassifier
from predictors.intent.utterances import utterances
from predictors.serving.model.training import check_agreement

_SEED = 20
_UTTERANCES = 400
_TEXTS_PER_BLOCK = 400
_MOST_TERMS = 12
# Characters that lower case, accents, white space and the borders of words are tried on.
_ODD = (
    "İstanbul", "ǅungla", "ß", "naïve", "\uff21\uff11", "ﬁ", "l'été", "a_b", "\u0301", "\u200b", "\x1c", "\u2028",
    "\u00a0", "🤖", "!?", "…", "''", "१२", "WHY", "I'm", "co-op", "x" * 50, "the", "and not",
)  # fmt: skip
_BETWEEN = (" ", " ", " ", "  ", "\t", "\n", "\r\n", "", ", ", ". ", "? ", "!")


def convert(model: Any) -> tuple[TextClassifier, list[str]]:
    """Convert a fitted pipeline, and compare the two on texts of its own vocabulary and others.

    Returns:
        The classifier, and the texts that it was tried on.

    Raises:
        ArtifactError: something about it is not understood, or the two do not give the same probabilities.
    """
    classifier = from_sklearn(model)
    classifier.validate()
    texts = trial_texts(classifier)
    check_agreement(classifier.predict_proba(texts), model.predict_proba(texts))
    return classifier, texts


def trial_texts(classifier: TextClassifier) -> list[str]:
    """Utterances, and texts that are put together from each vectorizer's terms, with odd characters among them."""
    chosen = random.Random(_SEED)  # noqa: S311  # the same texts each time
    texts = chosen.sample(utterances()[0], _UTTERANCES)
    for block in classifier.blocks:
        texts += [text for text in _texts_of(block, chosen) if text.strip()]
    return texts


def _texts_of(block: Block, chosen: random.Random) -> list[str]:
    terms = [*block.index]
    texts = []
    for _ in range(_TEXTS_PER_BLOCK):
        parts = chosen.choices(terms, k=chosen.randint(1, _MOST_TERMS)) if terms else []
        parts += chosen.choices(_ODD, k=chosen.choice((0, 0, 1, 3)))
        chosen.shuffle(parts)
        parts = [chosen.choice((part, part, part, part.upper(), part.title())) for part in parts]
        texts.append("".join(part + chosen.choice(_BETWEEN) for part in parts))
    return texts
