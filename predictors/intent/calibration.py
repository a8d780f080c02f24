"""How sure a classifier may be, and when it says "unknown": both are chosen, and measured, on out-of-fold answers."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from predictors.intent.intents import BACKGROUND, Intents
from predictors.serving.model.types import FloatArray

_TEMPERATURES = np.arange(50, 201) / 100
_THRESHOLDS = np.arange(30, 81) / 100
# How much more calibration error a sharper temperature may have: folds tell no smaller difference.
_SLACK = 0.005


def choose_temperature(logits: FloatArray, labels: NDArray[np.str_], intents: Intents) -> float:
    """The sharpest temperature whose calibration error is, within `_SLACK`, the least.

    Out-of-fold answers are less sure, and less often right, than those of the final model: a fold's model has seen
    fewer utterances, and none like those that it is asked. So of temperatures that are as good, the sharpest is taken.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2, for the temperature.

    Args:
        logits: float64 ``[N, K]``, out of fold.
        labels: ``[N]``.
        intents: the classes of an answer.
    """
    errors = np.array([calibration_error(answers(logits, t, intents), labels, intents) for t in _TEMPERATURES])
    return float(_TEMPERATURES[np.argmax(errors <= errors.min() + _SLACK)])


def choose_threshold(probabilities: FloatArray, labels: NDArray[np.str_], intents: Intents) -> float:
    """The confidence threshold with most right answers, "unknown" being the right one for the background class."""
    shares = [right_share(probabilities, labels, intents, threshold) for threshold in _THRESHOLDS]
    return float(_THRESHOLDS[np.argmax(shares)])


def answers(logits: FloatArray, temperature: float, intents: Intents) -> FloatArray:
    """What is answered, float64 ``[N, C]``, for logits ``[N, K]`` at a temperature."""
    return intents.fold(softmax(logits / temperature, axis=1))


def right_share(probabilities: FloatArray, labels: NDArray[np.str_], intents: Intents, threshold: float) -> float:
    """Share of right answers, "unknown" being the right one for the background class."""
    right, unsure = _right(probabilities, labels, intents), probabilities.max(axis=1) < threshold
    return float(np.where(unsure, labels == BACKGROUND, right).mean())


def calibration_error(probabilities: FloatArray, labels: NDArray[np.str_], intents: Intents) -> float:
    """Expected calibration error of the best intent, over texts that have one."""
    known = labels != BACKGROUND
    return expected_calibration_error(probabilities.max(axis=1)[known], _right(probabilities, labels, intents)[known])


def evaluate(
    probabilities: FloatArray, labels: NDArray[np.str_], intents: Intents, threshold: float
) -> dict[str, float]:
    """Accuracy on held-out probabilities ``[N, C]``, with and without the threshold, and calibration."""
    known, sure = labels != BACKGROUND, probabilities.max(axis=1) >= threshold
    right = _right(probabilities, labels, intents)
    return {
        "heldout_accuracy": float(right[known].mean()),
        "heldout_accuracy_with_unknown": float((right & sure)[known].mean()),
        "heldout_unknown_recall": float(1 - sure[~known].mean()),
        "heldout_calibration_error": calibration_error(probabilities, labels, intents),
    }


def expected_calibration_error(confidence: FloatArray, right: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance between confidence and accuracy over equal-width bins, weighted by size (Guo et al. 2017)."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (places == i).mean() * abs(confidence[places == i].mean() - right[places == i].mean())
        for i in np.unique(places)
    ]
    return float(sum(gaps))


def _right(probabilities: FloatArray, labels: NDArray[np.str_], intents: Intents) -> NDArray[np.bool_]:
    return np.asarray(np.array(intents.names)[probabilities.argmax(axis=1)] == labels)
