"""The base of the three predictors: a `Predictor` that is also a `kserve.Model`, which KServe's own server can run.

Our server calls `infer` with batches that its protocols have decoded; KServe's calls `predict` with a payload that it
has parsed. Both use the same codecs.
"""

import asyncio
import threading
import time
from typing import Any

import numpy as np

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.kserve_api import InferOutput, InferRequest, InferResponse, KServeInvalidInput, Model
from predictors.serving.model.predictor import BatchT, Predictor
from predictors.serving.model.types import Batch, Job, Outputs, TensorSpec
from predictors.serving.protocols.grpc import codec as grpc_codec
from predictors.serving.protocols.v1 import codec as v1
from predictors.serving.settings import Source

# The time limit of a call through KServe's own server, seconds; ours sets its own deadlines.
_DEADLINE_SECONDS = 600.0


class KServeModel(Predictor[BatchT], Model):  # type: ignore[misc]  # kserve is not typed
    """A predictor and a `kserve.Model`.

    Args:
        name: the name it is served under.
        source: where it is loaded from, and how far that is trusted.
    """

    def __init__(self, name: str, source: Source) -> None:
        Model.__init__(self, name)
        Predictor.__init__(self, name, source)
        self._one_at_a_time = threading.Lock()  # KServe's server may call `predict` concurrently

    def load(self) -> bool:
        """Load; `ready`, which only KServe's server reads, says whether it succeeded."""
        self.ready = False
        self.ready = super().load()
        return self.ready

    async def predict(
        self,
        payload: dict[str, Any] | InferRequest,
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> dict[str, Any] | InferResponse:
        """Answer by KServe's contract: a V1 dict gives a dict, an `InferRequest` gives an `InferResponse`.

        Raises:
            kserve.errors.InvalidInput: naming the offending field.
        """
        try:
            if isinstance(payload, InferRequest):
                batch, wanted = grpc_codec.decode(payload.to_grpc(), self.input, self.outputs, self.limits)
                return self._infer_response(payload, await self._run(batch), wanted)
            outputs = await self._run(v1.decode_payload(payload, self.input, self.limits))
        except (InvalidInput, TooLarge) as error:
            raise KServeInvalidInput(str(error)) from None
        answer = v1.encode_payload(outputs, self.v1_fields, self.version)
        return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in answer.items()}

    async def _run(self, batch: Batch) -> Outputs:
        self.check(batch)  # type: ignore[arg-type]  # the codecs made what self.input describes
        job = Job(time.monotonic() + _DEADLINE_SECONDS)
        try:
            return await asyncio.to_thread(self._infer_alone, batch, job)
        finally:
            job.cancel()

    def _infer_alone(self, batch: Batch, job: Job) -> Outputs:
        with self._one_at_a_time:
            return self.infer(batch, job)  # type: ignore[arg-type]

    def _infer_response(self, request: InferRequest, outputs: Outputs, wanted: list[TensorSpec]) -> InferResponse:
        tensors, binary = [], request.use_binary_outputs
        for spec in wanted:
            column = np.array(outputs[spec.name], dtype=object if spec.datatype == "BYTES" else None)
            tensor = InferOutput(spec.name, list(column.shape), spec.datatype)
            tensor.set_data_from_numpy(column, binary_data=binary)
            tensors.append(tensor)
        return InferResponse(request.id, self.name, tensors, model_version=self.version, use_binary_outputs=binary)

    def get_input_types(self) -> list[dict[str, Any]]:
        """Describe the input tensors for KServe's metadata endpoint."""
        return [_metadata(spec) for spec in self.input.specs()]

    def get_output_types(self) -> list[dict[str, Any]]:
        """Describe the output tensors for KServe's metadata endpoint."""
        return [_metadata(spec) for spec in self.outputs]


def _metadata(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}
