"""scikit-learn's linear classifiers as coefficients: one column and one intercept for each class."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB

from predictors.intent.tfidf import Link
from predictors.serving.model.training import called
from predictors.serving.model.types import FloatArray

_LOGISTIC = (LogisticRegression, LogisticRegressionCV)
_KNOWN = (
    "LogisticRegression, LogisticRegressionCV, SGDClassifier with loss='log_loss', OneVsRestClassifier of one of "
    "these, and MultinomialNB"
)


class Linear(NamedTuple):
    """A linear classifier.

    Args:
        coefficients: float64 ``[V, K]``.
        intercept: float64 ``[K]``.
        classes: the ``K`` class labels.
        link: how logits become probabilities.
    """

    coefficients: FloatArray
    intercept: FloatArray
    classes: NDArray[Any]
    link: Link


def linear_classifier(name: str, model: Any, reasons: list[str]) -> Linear | None:
    """Read a fitted classifier.

    Args:
        name: of its step in the pipeline.
        model: the classifier.
        reasons: gets what is not understood about it.
    """
    fault = _fault(model)
    if fault:
        reasons.append(f"{name} is {called(model)}{fault}")
        return None
    if type(model) is OneVsRestClassifier:
        estimators = model.estimators_
        coefficients = np.vstack([_dense(estimator.coef_) for estimator in estimators])
        intercept = np.hstack([estimator.intercept_ for estimator in estimators])
    elif type(model) is MultinomialNB:
        coefficients, intercept = model.feature_log_prob_, model.class_log_prior_
    else:
        coefficients = _dense(model.coef_)
        intercept = np.broadcast_to(model.intercept_, len(coefficients))
    together = len(model.classes_) <= 2 or type(model) is MultinomialNB or _is_multinomial(model)
    if len(coefficients) == 1 < len(model.classes_):  # the logits of the second class; the first one's are 0
        coefficients, intercept = np.vstack([0 * coefficients, coefficients]), np.hstack([0.0, intercept])
    return Linear(
        np.ascontiguousarray(coefficients.T, dtype=np.float64),
        np.array(intercept, dtype=np.float64),
        np.asarray(model.classes_),
        "softmax" if together else "one_vs_rest_or_none" if type(model) is OneVsRestClassifier else "one_vs_rest",
    )


def _dense(coefficients: Any) -> FloatArray:
    """Coefficients as an array; `sparsify` makes a sparse matrix of them."""
    return np.asarray(coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients)


def _is_multinomial(model: Any) -> bool:
    """Whether a logistic regression of three or more classes has one softmax; older versions could do otherwise."""
    return type(model) in _LOGISTIC and getattr(model, "multi_class", "") != "ovr" and model.solver != "liblinear"


def _fault(model: Any) -> str:
    """Why a classifier is not understood, as the end of a sentence; empty if it is."""
    if type(model) is OneVsRestClassifier:
        inner = getattr(model, "estimators_", [model.estimator])
        if getattr(model, "multilabel_", False):
            return " that gives a text several classes at once"
        faults = {called(each): _fault(each) for each in inner if type(each) is MultinomialNB or _fault(each)}
        if faults:
            kind, fault = next(iter(faults.items()))
            return f" of {kind}{fault or ', which it knows only by itself'}"
    elif type(model) is SGDClassifier:
        if model.loss != "log_loss":
            return f" with loss={model.loss!r}, which gives no probabilities that it knows; loss='log_loss' does"
    elif type(model) not in (*_LOGISTIC, MultinomialNB):
        if not hasattr(model, "predict_proba"):
            return f", which gives no probabilities; it knows {_KNOWN}"
        return f", which it does not know; it knows {_KNOWN}"
    return "" if hasattr(model, "classes_") else " that is not fitted"
