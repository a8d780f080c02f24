"""Estimators within estimators: the steps of a pipeline, the branches of a union, the model that a search found."""

from collections.abc import Iterator
from typing import Any

import numpy as np

_VECTORIZERS = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
_IMPUTERS = ("SimpleImputer", "KNNImputer", "IterativeImputer")


def unwrapped(model: Any) -> Any:
    """The model that a search found, without the search."""
    return getattr(model, "best_estimator_", model)


def every(model: Any) -> list[Any]:
    """A model and all estimators within it, each once."""
    found: dict[int, Any] = {}
    waiting = [model]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple)):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, np.ndarray) and value.dtype.kind == "O":
            waiting += value.ravel().tolist()
        elif hasattr(value, "get_params") and not isinstance(value, type) and id(value) not in found:
            found[id(value)] = value
            waiting += vars(value).values()
    return list(found.values())


def first_steps(model: Any) -> Iterator[Any]:
    """What sees the input first: where a pipeline or union begins, down to the innermost step."""
    if isinstance(steps := getattr(model, "steps", None), list):
        for _, step in steps:
            if step not in ("passthrough", None):
                yield from first_steps(step)
                return
    elif isinstance(branches := getattr(model, "transformer_list", None), list):
        for _, branch in branches:
            yield from first_steps(branch)
    else:
        yield model
        for inner in _wrapped(model):
            yield from first_steps(inner)


def _wrapped(model: Any) -> list[Any]:
    """The first model that an ensemble or a calibration of whole models holds."""
    name = type(model).__name__
    if name in ("VotingClassifier", "VotingRegressor", "StackingClassifier", "StackingRegressor"):
        return list(model.estimators_)
    if name in ("OneVsRestClassifier", "OneVsOneClassifier", "MultiOutputClassifier", "MultiOutputRegressor"):
        return list(model.estimators_[:1])
    if name == "CalibratedClassifierCV":
        return [each.estimator for each in model.calibrated_classifiers_[:1]]
    return [model.regressor_] if name == "TransformedTargetRegressor" else []


def takes_text(model: Any) -> bool:
    """Whether a model's first step reads whole texts."""
    return any(type(step).__name__ in _VECTORIZERS for step in first_steps(model))


def column_transformers(model: Any) -> list[Any]:
    """Those first steps that treat columns differently, so that the model needs a table with named columns."""
    steps = [getattr(step, "_preprocessor", None) or step for step in first_steps(model)]
    return [step for step in steps if type(step).__name__ == "ColumnTransformer"]


def splits_on_gaps(model: Any) -> bool:
    """Whether a tree of a model separates values that are missing from all others: by a threshold that is infinite."""
    trees = [each.tree_ for each in every(model) if hasattr(each, "tree_")]
    return any(not np.isfinite(tree.threshold[tree.children_left >= 0]).all() for tree in trees)


def fills_gaps(model: Any) -> bool:
    """Whether a model has a step that fills in values that are missing."""
    return any(type(each).__name__ in _IMPUTERS for each in every(model))
