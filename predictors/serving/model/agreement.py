"""When two versions of a model agree: their answers to the same batch need not be equal in every digit."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from predictors.serving.model.types import Column, Outputs, TensorSpec


class Bounds(NamedTuple):
    """How equal two answers must be.

    Args:
        max_difference: of the two probabilities of any class.
        min_overlap: of the words of two texts, from 0 to 1.
    """

    max_difference: float = 0.05
    min_overlap: float = 0.5


def same_outputs(ours: Outputs, theirs: Outputs, specs: Iterable[TensorSpec]) -> bool:
    """Whether all these outputs are equal; numbers may differ by rounding."""
    return all(_same(ours[spec.name], theirs[spec.name]) for spec in specs)


def _same(ours: Column, theirs: Column) -> bool:
    if isinstance(ours, list) or isinstance(theirs, list):
        return ours is theirs or (type(ours) is type(theirs) and bool(ours == theirs))
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs))


def same_predictions(ours: Outputs, theirs: Outputs, label: str, bounds: Bounds) -> bool:
    """Whether two classifiers agree on every row: the same label, and nearly the same probabilities.

    Args:
        ours, theirs: hold labels ``[N]``, and the output ``predict_proba``, ``[N, C]``.
        label: the output that holds the labels.
        bounds: how far probabilities may be apart.
    """
    if list(ours[label]) != list(theirs[label]):
        return False
    mine, other = np.asarray(ours["predict_proba"]), np.asarray(theirs["predict_proba"])
    return mine.shape == other.shape and bool(np.abs(mine - other).max() <= bounds.max_difference)
