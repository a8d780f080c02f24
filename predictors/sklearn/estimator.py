"""Predicting with scikit-learn itself."""

from typing import Any, Protocol

from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import ColumnInput, FeatureBatch, Outputs
from predictors.sklearn import nesting
from predictors.sklearn.answers import Answers
from predictors.sklearn.frames import Rows, columns_of_none, pandas, rows_of
from predictors.sklearn.signature import Signature
from predictors.sklearn.threads import limit_jobs, limit_threads

_LONGEST_REASON = 300


class Runner(Protocol):
    """Whatever computes a batch."""

    def run(self, batch: Rows) -> Outputs:
        """Compute the outputs of a batch."""


class EstimatorRunner:
    """A fitted estimator. Rows may come from several requests: the fixed cost of a call is most of its time.

    Args:
        model: the estimator; it is changed to start no threads, and to ask for no names of features.
        signature: what it takes and gives.

    Raises:
        PackageMissing: it takes named columns, and pandas is not installed.
    """

    def __init__(self, model: Any, signature: Signature) -> None:
        self._before, self._last = _divided(model)
        self._answers = Answers(signature)
        self._methods = [spec.name for spec in signature.outputs if spec.name != "label"]
        inner = nesting.every(model)
        limit_jobs(inner)
        self._nones: frozenset[str] = frozenset()
        if isinstance(signature.input, ColumnInput):
            pandas()  # what is not installed is to be said when the model is loaded
            self._nones = columns_of_none(model, signature.input.names)
        self._by_number = nesting.numbers_columns(model)
        self._names: tuple[str, ...] = ()
        if nesting.needs_names(model):
            self._names = tuple(map(str, getattr(model, "feature_names_in_", ())))
        else:
            for estimator in inner:
                vars(estimator).pop("feature_names_in_", None)  # rows come as arrays, of which scikit-learn would warn

    def run(self, batch: Rows) -> Outputs:
        """Compute the outputs of a batch.

        Raises:
            InvalidInput: the model refuses a value, such as a category that it does not know.
        """
        limit_threads()
        rows = rows_of(batch, self._nones)
        if self._by_number and not isinstance(batch, FeatureBatch):
            rows = rows.to_numpy(dtype=object)
        if self._names and isinstance(batch, FeatureBatch):
            rows = pandas().DataFrame(rows, columns=self._names)
        try:
            prepared = rows if self._before is None else self._before.transform(rows)
            return self._answers.arrange({name: getattr(self._last, name)(prepared) for name in self._methods})
        except ValueError as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            raise InvalidInput(f"the model refuses the input: {reason}") from error


def _divided(model: Any) -> tuple[Any, Any]:
    """A pipeline's transformations, None if there are none, and its last step: each batch is transformed only once."""
    if type(model).__name__ != "Pipeline" or len(model.steps) < 2:
        return None, model
    return model[:-1], model[-1]
