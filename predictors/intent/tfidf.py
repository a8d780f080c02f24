"""A TF-IDF and logistic-regression text classifier as plain arrays, equal to scikit-learn's.

One block counts words, the other characters within words, each as scikit-learn's `TfidfVectorizer` does (lower case,
sublinear term frequency, each block normalized to length 1). A document has about two hundred of the tens of thousands
of features, so only those rows of the coefficients are read.

No library replaces it: scikit-learn takes 32 times as long per text, and converters to ONNX do not support n-grams of
characters within words (docs/benchmarks/backends.md).
"""

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.artifacts.npz import read_npz
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import FloatArray

WORD_PATTERN = r"(?u)\b\w+\b|[?!]"
_FIND_WORDS = re.compile(WORD_PATTERN).findall
# Separates the terms of a stored vocabulary; no analyzer makes a term that contains it.
_SEPARATOR = "\n"
_REMEMBERED_WORDS = 20_000
_LONGEST_REMEMBERED = 32
_ANALYZERS = ("word", "char_wb")


def word_ngrams(text: str, low: int, high: int) -> list[str]:
    """Runs of ``low`` to ``high`` words (or question and exclamation marks), in lower case."""
    words = _FIND_WORDS(text.lower())
    terms = list(words) if low == 1 else []
    for n in range(max(low, 2), high + 1):
        terms += [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
    return terms


def char_ngrams(word: str, low: int, high: int) -> list[str]:
    """Runs of ``low`` to ``high`` characters of a word, padded with a space on either side."""
    padded = f" {word} "
    terms = []
    for n in range(low, high + 1):
        terms += [padded[i : i + n] for i in range(max(1, len(padded) - n + 1))]
        if len(padded) <= n:  # a short word counts once
            break
    return terms


@dataclass(frozen=True)
class Block:
    """One vectorizer and its part of the coefficients.

    Args:
        analyzer: ``word`` or ``char_wb``.
        low, high: shortest and longest run that is counted.
        index: term → position among the block's ``V`` features.
        idf: float64 ``[V]``, inverse document frequencies.
        coefficients: float64 ``[V, K]``, for ``K`` classes.
    """

    analyzer: str
    low: int
    high: int
    index: dict[str, int]
    idf: FloatArray
    coefficients: FloatArray
    _remembered: Callable[[str], list[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Few words make up most of what people type, and a word's runs are the same wherever it appears.
        object.__setattr__(self, "_remembered", lru_cache(maxsize=_REMEMBERED_WORDS)(self._word_places))

    def scores(self, text: str) -> FloatArray | float:
        """This block's part of the logits, float64 ``[K]``; 0 if no term is known."""
        counts = Counter(self._places(text))
        if not counts:
            return 0.0
        places = np.fromiter(counts, dtype=np.int64, count=len(counts))
        frequency = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        weights = (np.log(frequency) + 1.0) * self.idf.take(places)
        scores: FloatArray = weights @ self.coefficients.take(places, axis=0)
        scores /= math.sqrt(weights @ weights)
        return scores

    def _places(self, text: str) -> list[int]:
        """The positions of a text's known terms, one entry per occurrence."""
        if self.analyzer == "word":
            return self._known(word_ngrams(text, self.low, self.high))
        places: list[int] = []
        for word in text.lower().split():
            places += self._remembered(word) if len(word) <= _LONGEST_REMEMBERED else self._word_places(word)
        return places

    def _word_places(self, word: str) -> list[int]:
        return self._known(char_ngrams(word, self.low, self.high))

    def _known(self, terms: list[str]) -> list[int]:
        return [place for place in map(self.index.get, terms) if place is not None]


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """Blocks of features under one softmax.

    Args:
        blocks: the vectorizers.
        intercept: float64 ``[K]``.
        classes: the ``K`` class names, in the order of the coefficients.
    """

    blocks: tuple[Block, ...]
    intercept: FloatArray
    classes: tuple[str, ...]

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Class probabilities, float64 ``[N, K]``."""
        logits = np.empty((len(texts), len(self.classes)))
        for i, text in enumerate(texts):
            row = self.intercept
            for block in self.blocks:
                row = row + block.scores(text)
            logits[i] = row
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits

    def to_bytes(self) -> bytes:
        """Serialize as a compressed ``npz`` archive of numbers and UTF-8 text."""
        arrays: dict[str, NDArray[Any]] = {
            "intercept": self.intercept,
            "classes": _pack(self.classes),
            "analyzers": _pack([block.analyzer for block in self.blocks]),
            "ranges": np.array([[block.low, block.high] for block in self.blocks], dtype=np.int64),
        }
        for i, block in enumerate(self.blocks):
            arrays[f"terms_{i}"] = _pack(sorted(block.index, key=block.index.__getitem__))
            arrays[f"idf_{i}"] = block.idf
            arrays[f"coefficients_{i}"] = block.coefficients
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "TextClassifier":
        """Read what `to_bytes` wrote.

        Raises:
            ArtifactError: it is something else, or its parts do not fit together.
        """
        arrays = read_npz(raw, "a text classifier")
        try:
            blocks = tuple(
                _block(arrays, i, analyzer, *arrays["ranges"][i].tolist())
                for i, analyzer in enumerate(_unpack(arrays["analyzers"]))
            )
            model = cls(blocks, arrays["intercept"], _unpack(arrays["classes"]))
        except (ValueError, KeyError, IndexError, TypeError):
            raise ArtifactError("the text classifier's npz archive lacks some of its parts") from None
        model.validate()
        return model

    def validate(self) -> None:
        """Check types and shapes.

        Raises:
            ArtifactError: something does not fit.
        """
        classes = len(self.classes)
        fits = self.intercept.shape == (classes,) and self.intercept.dtype == np.float64
        for block in self.blocks:
            terms = len(block.index)
            fits = fits and block.analyzer in _ANALYZERS and 1 <= block.low <= block.high
            fits = fits and block.idf.shape == (terms,) and block.coefficients.shape == (terms, classes)
            fits = fits and block.idf.dtype == block.coefficients.dtype == np.float64
        if not fits or not self.blocks:
            raise ArtifactError("the text classifier's vocabulary and coefficients do not fit together")


def _block(arrays: dict[str, NDArray[Any]], i: int, analyzer: str, low: int, high: int) -> Block:
    index = {term: place for place, term in enumerate(_unpack(arrays[f"terms_{i}"]))}
    return Block(analyzer, low, high, index, arrays[f"idf_{i}"], arrays[f"coefficients_{i}"])


def _pack(terms: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer(_SEPARATOR.join(terms).encode(), dtype=np.uint8)


def _unpack(packed: NDArray[Any]) -> tuple[str, ...]:
    return tuple(packed.tobytes().decode().split(_SEPARATOR))


def from_sklearn(pipeline: Any) -> TextClassifier:
    """Convert a fitted pipeline of a `FeatureUnion` of `TfidfVectorizer`s and a `LogisticRegression`.

    Raises:
        ArtifactError: it is another kind of model, or vectorizes differently from `Block`.
    """
    try:
        (_, union), (_, classifier) = pipeline.steps
        vectorizers = [vectorizer for _, vectorizer in union.transformer_list]
        coefficients, intercept = classifier.coef_.T, classifier.intercept_
        if not type(classifier).__name__.startswith("LogisticRegression"):
            raise TypeError
    except (AttributeError, TypeError, ValueError):
        raise ArtifactError(
            "a pipeline of a FeatureUnion of TfidfVectorizers and a LogisticRegression is expected"
        ) from None
    if coefficients.shape[1] < 3:
        raise ArtifactError("the classifier has fewer than 3 classes")
    blocks, start = [], 0
    for vectorizer in vectorizers:
        _check_vectorizer(vectorizer)
        index = {term: int(place) for term, place in vectorizer.vocabulary_.items()}
        low, high = vectorizer.ngram_range
        end = start + len(index)
        block = Block(vectorizer.analyzer, low, high, index, vectorizer.idf_, coefficients[start:end].copy())
        blocks.append(block)
        start = end
    return TextClassifier(tuple(blocks), intercept, tuple(str(name) for name in classifier.classes_))


def _check_vectorizer(vectorizer: Any) -> None:
    if not hasattr(vectorizer, "vocabulary_"):
        raise ArtifactError("a fitted TfidfVectorizer is expected")
    expected = {"lowercase": True, "strip_accents": None, "norm": "l2", "sublinear_tf": True, "binary": False}
    expected |= {"use_idf": True, "preprocessor": None, "tokenizer": None}
    if vectorizer.analyzer == "word":
        expected |= {"token_pattern": WORD_PATTERN, "stop_words": None}
    for name, value in expected.items():
        if getattr(vectorizer, name, None) != value:
            raise ArtifactError(f"a TfidfVectorizer with {name}={value!r} is expected")
    if vectorizer.analyzer not in _ANALYZERS:
        raise ArtifactError('a TfidfVectorizer with analyzer="word" or "char_wb" is expected')
