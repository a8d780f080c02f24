"""From what an estimator or an ONNX graph returns to the outputs that the manifest names."""

from typing import Any

import numpy as np

from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import NUMPY_TYPES, Column, Outputs, TensorSpec
from predictors.sklearn.signature import Label, Signature


class Answers:
    """Arranges raw results by a signature.

    Args:
        signature: what the model gives.
    """

    def __init__(self, signature: Signature) -> None:
        self._specs = {spec.name: spec for spec in signature.outputs}
        self._names: dict[Label, str] = dict(zip(signature.classes, signature.labels, strict=True))

    def arrange(self, raw: dict[str, Any]) -> Outputs:
        """Give each output its datatype and shape.

        Args:
            raw: `predict`, and what else the model computed, by output.
        """
        outputs = {name: column(self._specs[name], value) for name, value in raw.items() if name in self._specs}
        if "label" in self._specs:
            outputs["label"] = self.labels(outputs["predict"])
        return outputs

    def labels(self, predicted: Column) -> list[str]:
        """What the predicted classes are called, ``[N]``."""
        values = predicted if isinstance(predicted, list) else predicted.tolist()
        return [self._names.get(value, str(value)) for value in values]


def column(spec: TensorSpec, value: Any) -> Column:
    """A result as an output of this datatype and shape.

    Raises:
        ArtifactError: the model gives another shape than the manifest says.
    """
    array = np.asarray(value)
    shape = (len(array), *spec.shape[1:])
    if array.size != np.prod(shape):
        raise ArtifactError(
            f'the output "{spec.name}" has the shape {list(array.shape)}, but the manifest says {shape}'
        )
    array = array.reshape(shape)
    if spec.datatype == "BYTES":
        return [str(each) for each in array.tolist()]
    return np.ascontiguousarray(array, dtype=NUMPY_TYPES[spec.datatype])  # as JSON's encoder wants it
