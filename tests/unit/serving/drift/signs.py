"""A model that says whether the first of two numbers is positive, and how surely; and a reference for it."""

from pathlib import Path
from typing import Any

import numpy as np

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.reference import Reference
from predictors.serving.drift.columns import Columns
from predictors.serving.drift.reference import make_reference
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import FeatureBatch, FeatureInput, Job, Limits, Outputs, TensorSpec
from predictors.serving.settings import Source

ROWS = np.random.default_rng(0).normal(size=(400, 2))


def answer(features: Any) -> Outputs:
    """Whether the first is positive, and how surely."""
    sure = 1 / (1 + np.exp(-np.abs(features[:, 0])))
    return {
        "predict": ["yes" if x > 0 else "no" for x in features[:, 0]],
        "predict_proba": np.stack([sure, 1 - sure], 1),
    }


def reference_of(features: Any) -> Reference:
    outputs = answer(features)
    columns: Columns = {
        ("input", "a"): features[:, 0],
        ("input", "b"): features[:, 1],
        ("output", "prediction"): [*outputs["predict"]],
        ("output", "confidence"): np.max(outputs["predict_proba"], axis=1),
    }
    return make_reference(columns, "test", ("yes", "no"))


class Signs(Predictor[FeatureBatch]):
    kind = platform = "signs"
    input = FeatureInput(("a", "b"))
    outputs = (TensorSpec("predict", "BYTES", (-1,)), TensorSpec("predict_proba", "FP64", (-1, 2)))
    label_output = "predict"
    v1_fields = {"predictions": "predict"}  # noqa: RUF012
    limits = Limits(max_rows=10_000)
    max_queue = 8

    def load_artifact(self, artifact: Artifact) -> None:
        raise NotImplementedError

    def infer(self, batch: FeatureBatch, job: Job) -> Outputs:
        return answer(batch.features)


def new_signs() -> Signs:
    """The model, loaded."""
    signs = Signs("signs", Source(Path()))
    signs.version, signs.reference = "1", reference_of(ROWS)
    return signs
