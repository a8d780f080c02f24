"""A text classifier as plain arrays, equal to scikit-learn's: blocks of TF-IDF features under a linear classifier.

A block counts the terms of a text, weighs them, and scales the text's weights to length 1, each as its vectorizer was
set. A document has about two hundred of the tens of thousands of features, so only those rows of the coefficients are
read.

No library replaces it: scikit-learn takes 32 times as long per text, and converters to ONNX do not support n-grams of
characters within words (docs/benchmarks/backends.md).
"""

import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from predictors.intent.analysis import Analysis
from predictors.serving.artifacts.npz import read_npz
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import FloatArray

Norm: TypeAlias = Literal["none", "l1", "l2"]
Link: TypeAlias = Literal["softmax", "one_vs_rest", "one_vs_rest_or_none"]

_REMEMBERED_WORDS = 20_000
_LONGEST_REMEMBERED = 32


@dataclass(frozen=True)
class Weighting:
    """How counts of terms become weights.

    Args:
        binary: whether a term counts once, however often it is there.
        sublinear: whether the weight is 1 + log(count) rather than the count.
        norm: what the weights of a text are divided by: nothing, their sum, or their length.
    """

    binary: bool = False
    sublinear: bool = False
    norm: Norm = "l2"


@dataclass(frozen=True)
class Block:
    """One vectorizer and its part of the coefficients.

    Args:
        analysis: how it reads a text.
        weighting: how it weighs counts.
        index: term → position among the block's ``V`` features.
        idf: float64 ``[V]``, inverse document frequencies.
        coefficients: float64 ``[V, K]``, for ``K`` classes.
    """

    analysis: Analysis
    weighting: Weighting
    index: dict[str, int]
    idf: FloatArray
    coefficients: FloatArray
    _remembered: Callable[[str], list[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Few words make up most of what people type, and a word's runs are the same wherever it appears.
        # A method would lead back to the block: a cycle, by which a model that is unloaded would stay in memory.
        find = partial(_places_within, self.analysis, self.index)
        object.__setattr__(self, "_remembered", lru_cache(maxsize=_REMEMBERED_WORDS)(find))

    def scores(self, text: str) -> FloatArray | float:
        """This block's part of the logits, float64 ``[K]``; 0 if no term is known."""
        counts = Counter(self._places(self.analysis.prepared(text)))
        if not counts:
            return 0.0
        places = np.fromiter(counts, dtype=np.int64, count=len(counts))
        weights = self.idf.take(places)
        if not self.weighting.binary:
            frequency = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
            weights *= np.log(frequency) + 1.0 if self.weighting.sublinear else frequency
        scores: FloatArray = weights @ self.coefficients.take(places, axis=0)
        scores /= self._length(weights)
        return scores

    def _length(self, weights: FloatArray) -> float:
        if self.weighting.norm == "l2":
            return math.sqrt(weights @ weights) or 1.0
        return float(np.abs(weights).sum()) or 1.0 if self.weighting.norm == "l1" else 1.0

    def unknown_share(self, text: str) -> float:
        """The share of a text's words that are no features; NaN if it has no word. For a block of single words."""
        words = self.analysis.words(self.analysis.prepared(text))
        return sum(word not in self.index for word in words) / len(words) if words else math.nan

    def _places(self, text: str) -> list[int]:
        """The positions of a prepared text's known terms, one entry per occurrence."""
        if self.analysis.analyzer == "word":
            return _known(self.index, self.analysis.word_terms(text))
        if self.analysis.analyzer == "char":
            return _known(self.index, self.analysis.character_terms(text))
        places: list[int] = []
        for word in text.split():
            short = len(word) <= _LONGEST_REMEMBERED
            places += self._remembered(word) if short else _places_within(self.analysis, self.index, word)
        return places


def _places_within(analysis: Analysis, index: Mapping[str, int], word: str) -> list[int]:
    return _known(index, analysis.terms_within(word))


def _known(index: Mapping[str, int], terms: list[str]) -> list[int]:
    return [place for place in map(index.get, terms) if place is not None]


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """Blocks of features under one linear classifier.

    Args:
        blocks: the vectorizers.
        intercept: float64 ``[K]``.
        classes: the ``K`` class names, in the order of the coefficients.
        link: how logits become probabilities: together, or each class against the rest and then scaled to a sum of 1.
            Where each of these is 0, they stay so, or else are equal; scikit-learn's classifiers differ in that.
    """

    blocks: tuple[Block, ...]
    intercept: FloatArray
    classes: tuple[str, ...]
    link: Link = "softmax"

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Class probabilities, float64 ``[N, K]``."""
        logits = np.empty((len(texts), len(self.classes)))
        for i, text in enumerate(texts):
            row = self.intercept
            for block in self.blocks:
                row = row + block.scores(text)
            logits[i] = row
        if self.link == "softmax":
            return _softmax(logits)
        return _one_vs_rest(logits, 0.0 if self.link == "one_vs_rest_or_none" else 1 / len(self.classes))

    @property
    def word_block(self) -> Block | None:
        """The first block whose features are single words, perhaps besides runs of them."""
        analyses = ((block, block.analysis) for block in self.blocks)
        return next((block for block, each in analyses if each.analyzer == "word" and each.low == 1), None)

    def to_bytes(self) -> bytes:
        """Serialize as a compressed ``npz`` archive of arrays and, in UTF-8, one JSON document."""
        arrays: dict[str, NDArray[Any]] = {"intercept": self.intercept}
        blocks = []
        for i, block in enumerate(self.blocks):
            analysis = asdict(block.analysis) | {"stop_words": sorted(block.analysis.stop_words)}
            terms = sorted(block.index, key=block.index.__getitem__)
            blocks.append({"analysis": analysis, "weighting": asdict(block.weighting), "terms": terms})
            arrays[f"idf_{i}"] = block.idf
            arrays[f"coefficients_{i}"] = block.coefficients
        document = {"classes": self.classes, "link": self.link, "blocks": blocks}
        arrays["document"] = np.frombuffer(json.dumps(document, ensure_ascii=False).encode(), dtype=np.uint8)
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
            document = json.loads(arrays["document"].tobytes())
            blocks = tuple(_block(arrays, i, block) for i, block in enumerate(document["blocks"]))
            model = cls(blocks, arrays["intercept"], tuple(document["classes"]), document["link"])
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise ArtifactError(
                "the text classifier's npz archive lacks some of its parts; it may be of an older version: "
                "train or pack the model again"
            ) from None
        model.validate()
        return model

    def validate(self) -> None:
        """Check types, shapes and settings.

        Raises:
            ArtifactError: something does not fit.
        """
        classes = len(self.classes)
        fits = self.intercept.shape == (classes,) and self.intercept.dtype == np.float64
        fits = fits and self.link in get_args(Link) and len(set(self.classes)) == classes > 0
        fits = fits and all(isinstance(name, str) for name in self.classes)
        if not fits or not self.blocks or not all(_is_sound(block, classes) for block in self.blocks):
            raise ArtifactError("the text classifier's vocabulary and coefficients do not fit together")


def _softmax(logits: FloatArray) -> FloatArray:
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _one_vs_rest(logits: FloatArray, hopeless: float) -> FloatArray:
    """Each class's own probability, scaled to a sum of 1; ``hopeless`` where all of them are 0."""
    with np.errstate(over="ignore"):  # what overflows is a probability of 0, as it is to scikit-learn
        probabilities: FloatArray = 1 / (1 + np.exp(-logits))
    total = probabilities.sum(axis=1, keepdims=True)
    return np.where(total == 0, hopeless, probabilities / np.where(total == 0, 1.0, total))


def _is_sound(block: Block, classes: int) -> bool:
    analysis, terms = block.analysis, len(block.index)
    try:
        re.compile(analysis.pattern)
    except (re.error, TypeError):
        return False
    return (
        analysis.analyzer in ("word", "char", "char_wb")
        and analysis.accents in ("keep", "ascii", "unicode")
        and block.weighting.norm in ("none", "l1", "l2")
        and 1 <= analysis.low <= analysis.high
        and block.idf.shape == (terms,)
        and block.coefficients.shape == (terms, classes)
        and block.idf.dtype == block.coefficients.dtype == np.float64
    )


def _block(arrays: dict[str, NDArray[Any]], i: int, document: dict[str, Any]) -> Block:
    analysis = document["analysis"] | {"stop_words": frozenset(document["analysis"]["stop_words"])}
    index = {term: place for place, term in enumerate(document["terms"])}
    return Block(
        Analysis(**analysis), Weighting(**document["weighting"]), index, arrays[f"idf_{i}"], arrays[f"coefficients_{i}"]
    )
