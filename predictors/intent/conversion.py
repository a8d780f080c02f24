"""From scikit-learn's pipelines of TF-IDF and a linear classifier to a `TextClassifier`.

What is understood is listed here, step by step and setting by setting; whatever else could change an answer is refused,
all of it in one error. The proof that the two forms agree is in `proof.py`.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

from predictors.intent.analysis import Accents, Analysis
from predictors.intent.linear import Linear, linear_classifier
from predictors.intent.tfidf import Block, Norm, TextClassifier, Weighting
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import called, found_by_search, other_kind

_SERVED = (
    "intent serves a pipeline of TfidfVectorizer (or CountVectorizer, also with TfidfTransformer, or a FeatureUnion of "
    "these) and a linear classifier with probabilities"
)
_LONGEST_SHOWN = 60
# Settings for fitting, and for reading files and bytes: a fitted vectorizer does not need them to read texts.
_WITHOUT_EFFECT = frozenset(
    {"decode_error", "encoding", "max_df", "max_features", "min_df", "smooth_idf", "vocabulary"}
)
# Settings that are carried over, whatever they are.
_CARRIED = frozenset({"binary", "lowercase", "ngram_range", "sublinear_tf", "use_idf"})
_UNDERSTOOD: dict[str, tuple[Any, ...]] = {
    "analyzer": ("word", "char", "char_wb"),
    "input": ("content",),
    "norm": (None, "l1", "l2"),
    "preprocessor": (None,),
    "strip_accents": (None, "ascii", "unicode"),
    "tokenizer": (None,),
}
_NUMBERS = {CountVectorizer: ("int64", "float64"), TfidfVectorizer: ("float64",)}
_ACCENTS: dict[str | None, Accents] = {None: "keep", "ascii": "ascii", "unicode": "unicode"}
_NORMS: dict[str | None, Norm] = {None: "none", "l1": "l1", "l2": "l2"}


class _Source(NamedTuple):
    """One vectorizer of a pipeline.

    Args:
        name: of its step.
        vectorizer: counts terms.
        transformer: weighs the counts; the vectorizer itself, or None.
        weight: what a union multiplies its features by.
    """

    name: str
    vectorizer: Any
    transformer: Any
    weight: float


def from_sklearn(model: Any) -> TextClassifier:
    """Convert a fitted pipeline.

    Raises:
        ArtifactError: with everything about it that is not understood.
    """
    model = found_by_search(model)
    if type(model) is not Pipeline:
        raise ArtifactError(f"{_SERVED}, not {called(model)}{other_kind(model)}")
    reasons: list[str] = []
    steps = [(name, step) for name, step in model.steps if step not in (None, "passthrough")]
    sources = _sources(steps[:-1], reasons)
    linear = linear_classifier(*steps[-1], reasons) if steps else None
    for source in sources:
        reasons += _refused_settings(source)
    if reasons or linear is None or not sources:
        reasons = reasons or ["it has no vectorizer"]
        raise ArtifactError(f"{_SERVED}; {'; '.join(reasons)}{other_kind(model)}")
    blocks, start = [], 0
    for source in sources:
        end = start + len(source.vectorizer.vocabulary_)
        blocks.append(_block(source, linear.coefficients[start:end]))
        start = end
    if start != len(linear.coefficients):
        raise ArtifactError(f"the classifier takes {len(linear.coefficients)} features, the vectorizers make {start}")
    return TextClassifier(tuple(blocks), linear.intercept, _class_names(linear), linear.link)


def _class_names(linear: Linear) -> tuple[str, ...]:
    names = tuple(str(int(label) if _is_whole(label) else label) for label in linear.classes.tolist())
    if not all(name.strip() and name.encode(errors="ignore").decode() == name for name in names):
        raise ArtifactError("a class of the classifier has an empty name, or one that is not Unicode text")
    return names


def _is_whole(label: Any) -> bool:
    return isinstance(label, float) and label.is_integer()


def _sources(steps: Sequence[tuple[str, Any]], reasons: list[str]) -> list[_Source]:
    """The vectorizers among the steps before the classifier."""
    if not steps:
        return []
    first, rest = steps[0][1], steps[1:]
    if type(first) is FeatureUnion:
        sources = _sources_of_union(first, reasons)
    else:
        sources, rest = _chain(steps, 1.0, reasons)
    reasons += [f"the step {name} is {called(step)}, which it does not know" for name, step in rest]
    return sources


def _sources_of_union(union: FeatureUnion, reasons: list[str]) -> list[_Source]:
    weights = union.transformer_weights or {}
    sources: list[_Source] = []
    for name, transformer in union.transformer_list:
        if transformer == "drop":
            continue
        steps = [(name, transformer)]
        if type(transformer) is Pipeline:
            steps = [(f"{name}.{inner}", step) for inner, step in transformer.steps]
        found, rest = _chain(steps, float(weights.get(name, 1.0)), reasons)
        sources += found
        reasons += [f"the step {name} is {called(step)}, which it does not know" for name, step in rest]
    return sources


def _chain(
    steps: Sequence[tuple[str, Any]], weight: float, reasons: list[str]
) -> tuple[list[_Source], Sequence[tuple[str, Any]]]:
    """A vectorizer, and a transformer behind it if there is one; returns what comes after them too."""
    (name, vectorizer), rest = steps[0], steps[1:]
    if type(vectorizer) not in (CountVectorizer, TfidfVectorizer):
        base = next((cls.__name__ for cls in type(vectorizer).__mro__ if cls in _NUMBERS), "")
        of_its_own = f", a {base} with code of its own" if base else ", which it does not know"
        reasons.append(f"the step {name} is {called(vectorizer)}{of_its_own}")
        return [], rest
    transformer = vectorizer if type(vectorizer) is TfidfVectorizer else None
    if transformer is None and rest and type(rest[0][1]) is TfidfTransformer:
        transformer, rest = rest[0][1], rest[1:]
    return [_Source(name, vectorizer, transformer, weight)], rest


def _refused_settings(source: _Source) -> list[str]:
    """Everything about a vectorizer, and its transformer, that would come out otherwise or is not known."""
    settings = source.vectorizer.get_params(deep=False)
    if source.transformer not in (None, source.vectorizer):
        settings |= source.transformer.get_params(deep=False)
    faults = [f"{name}={_shown(value)}" for name, value in settings.items() if not _understood(source, name, value)]
    reasons = [f"{source.name} has {', '.join(faults)}, which it does not understand"] if faults else []
    fitted = hasattr(source.vectorizer, "vocabulary_") and (
        source.transformer is None or not source.transformer.use_idf or hasattr(source.transformer, "idf_")
    )
    return reasons if fitted else [*reasons, f"{source.name} is not fitted"]


def _understood(source: _Source, name: str, value: Any) -> bool:
    if name in _WITHOUT_EFFECT or name in _CARRIED:
        return True
    if name == "dtype":
        return np.dtype(value).name in _NUMBERS[type(source.vectorizer)]
    if name in ("stop_words", "token_pattern") and source.vectorizer.analyzer != "word":
        return True
    if name == "stop_words":
        return value is None or value == "english" or isinstance(value, (list, tuple, set, frozenset))
    if name == "token_pattern":
        return isinstance(value, str) and re.compile(value).groups <= 1
    return any(
        value is allowed or (isinstance(value, str) and value == allowed) for allowed in _UNDERSTOOD.get(name, ())
    )


def _shown(value: Any) -> str:
    text = repr(value) if not callable(value) else getattr(value, "__name__", type(value).__name__)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _block(source: _Source, coefficients: NDArray[np.float64]) -> Block:
    vectorizer, transformer = source.vectorizer, source.transformer
    low, high = vectorizer.ngram_range
    words = vectorizer.analyzer == "word"
    analysis = Analysis(
        analyzer=vectorizer.analyzer,
        low=int(low),
        high=int(high),
        lowercase=bool(vectorizer.lowercase),
        accents=_ACCENTS[vectorizer.strip_accents],
        pattern=vectorizer.token_pattern if words else "",
        stop_words=frozenset(vectorizer.get_stop_words() or ()) if words else frozenset(),
    )
    weighting = Weighting(
        binary=bool(vectorizer.binary),
        sublinear=bool(transformer is not None and transformer.sublinear_tf),
        norm="none" if transformer is None else _NORMS[transformer.norm],
    )
    index = {term: int(place) for term, place in vectorizer.vocabulary_.items()}
    weighs = transformer is not None and transformer.use_idf
    idf = np.asarray(transformer.idf_, dtype=np.float64) if weighs else np.ones(len(index))
    return Block(analysis, weighting, index, idf, coefficients * source.weight)
