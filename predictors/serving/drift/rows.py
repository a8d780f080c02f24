"""A reference of rows that somebody gives, and of what a loaded model answers to them."""

import time
from collections.abc import Sequence
from typing import Any

from predictors.serving.artifacts.reference import Reference
from predictors.serving.drift.columns import input_columns, output_columns
from predictors.serving.drift.reference import make_reference
from predictors.serving.errors import ArtifactError, ServingError
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import Job, Limits
from predictors.serving.model.validation import batch_from_instances

# The time limit of the model's answer.
_SECONDS = 600.0


def reference_of_rows(predictor: Predictor[Any], rows: Sequence[Any], made_of: str) -> Reference:
    """Have a model answer rows, and count both.

    Args:
        predictor: the model, loaded.
        rows: V1's instances. A model answers more surely to rows that it was fitted on, so these should be others.
        made_of: what to call them.

    Raises:
        ArtifactError: they are too few, or one does not fit the model.
    """
    limits = Limits(max(1, len(rows)), predictor.limits.max_text_chars)
    try:
        batch = batch_from_instances(list(rows), predictor.input, limits, {})
        outputs = predictor.infer(batch, Job(time.monotonic() + _SECONDS))
    except ServingError as error:
        raise ArtifactError(f"the model does not take the reference's rows: {error}") from None
    columns = input_columns(predictor, batch) | output_columns(predictor, outputs)
    return make_reference(columns, made_of, predictor.labels)
