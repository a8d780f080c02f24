"""The predictors by their kinds, each imported with the first that is asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from predictors.serving.model.predictor import Predictor


def predictor_class(kind: str) -> "Callable[..., Predictor[Any]]":
    """What makes predictors of a kind, from a name, a source, and settings of its own.

    Args:
        kind: one of `Kind`.
    """
    if kind == "iris":
        from predictors.iris.model import IrisPredictor

        return IrisPredictor
    if kind == "intent":
        from predictors.intent.model import IntentPredictor

        return IntentPredictor
    if kind == "sklearn":
        from predictors.sklearn.model import SklearnPredictor

        return SklearnPredictor
    from predictors.summarizer.model import SummarizerPredictor

    return SummarizerPredictor
