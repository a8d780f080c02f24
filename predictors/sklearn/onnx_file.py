"""Models as ONNX graphs, computed by ONNX Runtime: no scikit-learn, no code of anyone's."""

import tempfile
from typing import Any

import numpy as np

from predictors.serving.errors import ArtifactError, InvalidInput, PackageMissing
from predictors.serving.model.types import ColumnInput, FeatureBatch, Outputs, TextBatch
from predictors.sklearn.answers import Answers
from predictors.sklearn.frames import Rows
from predictors.sklearn.signature import Signature

FEATURES = "features"
_TYPES = {
    "tensor(double)": np.dtype(np.float64),
    "tensor(float)": np.dtype(np.float32),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(bool)": np.dtype(np.bool_),
    "tensor(string)": np.dtype(object),
}
_UNKNOWN = "Unknown Category"  # in what ONNX Runtime says
_SILENT = 4  # of ONNX Runtime's levels: errors reach the caller as exceptions


class OnnxRunner:
    """An ONNX graph.

    Args:
        raw: the model file.
        signature: what it takes and gives; the graph's own outputs are in its order.

    Raises:
        ArtifactError: ONNX Runtime is not installed, or refuses the file, or the graph does not fit the signature.
    """

    def __init__(self, raw: bytes, signature: Signature) -> None:
        self._session = _open(raw)
        self._answers = Answers(signature)
        self._outputs = [spec for spec in signature.outputs if spec.name != "label"]
        given = self._session.get_outputs()
        if len(given) < len(self._outputs):
            raise ArtifactError(f"the ONNX graph has {len(given)} outputs; {len(self._outputs)} are expected")
        self._wanted = [each.name for each in given[: len(self._outputs)]]
        self._inputs: dict[str, Any] = {each.name: _TYPES.get(each.type) for each in self._session.get_inputs()}
        known = set(signature.input.names) if isinstance(signature.input, ColumnInput) else {FEATURES}
        if any(dtype is None for dtype in self._inputs.values()) or not set(self._inputs) <= known:
            raise ArtifactError("the ONNX graph has other inputs than the manifest")

    def run(self, batch: Rows) -> Outputs:
        """Compute the outputs of a batch.

        Raises:
            InvalidInput: the graph refuses a value, such as a category that it does not know.
        """
        try:
            found = self._session.run(self._wanted, self._feeds(batch))
        except Exception as error:  # its exceptions have no common base
            if _UNKNOWN in str(error):
                raise InvalidInput("the model does not know a category of the input") from error
            raise  # the graph or this server is at fault, and the runtime's words are for the log alone
        raw = {spec.name: _fitting(spec.shape, value) for spec, value in zip(self._outputs, found, strict=True)}
        return self._answers.arrange(raw)

    def _feeds(self, batch: Rows) -> dict[str, Any]:
        if isinstance(batch, FeatureBatch):
            return {FEATURES: batch.features.astype(self._inputs[FEATURES], copy=False)}
        if isinstance(batch, TextBatch):
            raise InvalidInput("texts are not for ONNX")
        return {name: np.array(batch.columns[name], dtype=dtype).reshape(-1, 1) for name, dtype in self._inputs.items()}


def _fitting(shape: tuple[int, ...], value: Any) -> Any:
    """A graph's output in scikit-learn's shape: of two classes it has a score each, scikit-learn the second's alone."""
    array = np.asarray(value)
    return array[:, 1] if len(shape) == 1 and array.ndim == 2 and array.shape[1] == 2 else array


def _open(raw: bytes) -> Any:
    try:
        import onnxruntime as ort
    except ImportError:
        raise PackageMissing("an ONNX file needs ONNX Runtime: install kserve-predictors[onnx]") from None
    options = ort.SessionOptions()
    # One thread for each batch: a pool's threads spin while they wait.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    with tempfile.TemporaryDirectory() as empty:
        # A graph may keep tensors in files beside it. There are none, and no other file is to be read as one.
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", empty)
        try:
            return ort.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            reason = " ".join(str(error).split())[:200]
            raise ArtifactError(f"ONNX Runtime refuses the file: {reason}") from error
