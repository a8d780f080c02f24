"""Estimators within estimators: the steps of a pipeline, the branches of a union, the model that a search found."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from predictors.serving.errors import ArtifactError

_VECTORIZERS = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
_IMPUTERS = ("SimpleImputer", "KNNImputer", "IterativeImputer")
_MODULES_OF_TREES = ("sklearn.tree.", "sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._iforest")


def unwrapped(model: Any) -> Any:
    """The model that a search found, without the search."""
    return getattr(model, "best_estimator_", model)


def no_estimator(model: Any) -> ArtifactError:
    """The error for what cannot predict."""
    return ArtifactError(f"a fitted scikit-learn estimator is expected, not {type(model).__name__}")


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


def flat_steps(model: Any) -> list[Any]:
    """The steps of a pipeline in order, with those of pipelines within it; or the model alone."""
    steps = getattr(model, "steps", None)
    if not isinstance(steps, list):
        return [model]
    return [each for _, step in steps if step not in ("passthrough", None) for each in flat_steps(step)]


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


def only_trees(model: Any) -> bool:
    """Whether a model is nothing but trees that round each feature to FP32, and so takes FP32 without a loss."""
    return type(model).__module__.startswith(_MODULES_OF_TREES)


def needs_names(model: Any) -> bool:
    """Whether a step asks for columns by name, be they the caller's or those that the step before it makes."""
    return any(
        type(each).__name__ == "ColumnTransformer"
        or getattr(each, "_sklearn_output_config", {}).get("transform") in ("pandas", "polars")
        for each in every(model)
    )


def steps_of_columns(model: Any, names: Sequence[str]) -> Iterator[tuple[Any, str, Any, list[str]]]:
    """Each step of a model's ColumnTransformers: the transformer, the step's name, the step, and its columns."""
    for transformer in column_transformers(model):
        own = own_names(transformer, names)
        for label, step, chosen in transformer.transformers_:
            yield transformer, label, step, chosen_names(chosen, own)


def numbers_columns(model: Any) -> bool:
    """Whether a model was fitted on an array whose columns differ, so that it knows them by number alone."""
    transformers = column_transformers(model)
    return bool(transformers) and not any(hasattr(each, "feature_names_in_") for each in transformers)


def own_names(transformer: Any, names: Sequence[str]) -> tuple[str, ...]:
    """The columns that a ColumnTransformer was fitted on: these, if it does not say."""
    return tuple(map(str, getattr(transformer, "feature_names_in_", names)))


def chosen_names(chosen: Any, names: tuple[str, ...]) -> list[str]:
    """The columns that a step of a ColumnTransformer gets: by name, number, mask, or slice."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):
        if isinstance(chosen.start, str) or isinstance(chosen.stop, str):
            first, last = names.index(chosen.start or names[0]), names.index(chosen.stop or names[-1])
            return list(names[first : last + 1])
        return list(names[chosen])
    array = np.asarray(chosen)
    if array.dtype.kind in "OU":
        return [str(each) for each in array.ravel()]
    return [str(each) for each in np.asarray(names, dtype=object)[array.ravel()]] if array.size else []
