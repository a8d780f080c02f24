"""A model and a canary for the tests of shadow traffic."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import orjson
from prometheus_client import CollectorRegistry

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.model.agreement import Bounds, same_predictions
from predictors.serving.model.types import Batch, Job, Outputs, TensorSpec, TextBatch
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.dispatch.test_registry import Paced, later
from tests.web import stream_server

LABELS = {
    "shadow_comparisons_total": ("model_name", "model_version", "canary_version", "outcome"),
    "shadow_confusion_total": ("model_name", "stable_label", "canary_label"),
}


class Classifier(Paced):
    """Every text is a cat, rather surely; the parameter ``seed`` makes the answer one by chance."""

    outputs = (TensorSpec("label", "BYTES", (-1,)), TensorSpec("predict_proba", "FP64", (-1, 2)))
    label_output = "label"
    labels = ("cat", "dog")

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        super().infer(batch, job)
        return {"label": ["cat"] * len(batch), "predict_proba": np.array([[0.9, 0.1]] * len(batch))}

    def is_deterministic(self, batch: TextBatch) -> bool:
        return "seed" not in batch.parameters

    def agrees(self, ours: Outputs, theirs: Outputs, bounds: Bounds) -> bool:
        return same_predictions(ours, theirs, "label", bounds)


def new_model(predictor: Paced | None = None) -> ServedModel:
    """A model that is not loaded yet."""
    return ServedModel(predictor or Classifier(), ServerSettings(), Metrics(CollectorRegistry()))


def new_call(ahead: int = 0, cache: str = "") -> Call:
    call = Call("the-id", "/", "v1")
    call.deadline, call.ahead, call.cache, call.version = later(), ahead, cache, "1"
    return call


def tell(model: ServedModel, batch: Batch, call: Call | None = None) -> None:
    """Let whoever taps the model know of an answer, as the data plane does."""
    outputs = model.predictor.infer(batch, Job(later()))
    if model.tap is not None:
        model.tap(batch, outputs, call or new_call())


class Canary:
    """A canary that answers each request with given bytes, and keeps what it was asked.

    Args:
        answer: what it sends; None: nothing, ever.
    """

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.bodies: list[Any] = []
        self.connections = 0
        self.open = 0
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.bodies.append(orjson.loads(await reader.readexactly(length)))
                self.heads.append(head)
                if self.answer is not None:
                    writer.write(self.answer)
                    await writer.drain()
        finally:
            self.open -= 1

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Canary"]:
        async with stream_server(self._serve) as port:
            self.url = f"http://127.0.0.1:{port}"
            yield self


def http_answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


def v2_answer(label: str = "cat", first: float = 0.9, version: Any = "2") -> bytes:
    """A canary's answer about one text."""
    outputs = [
        {"name": "label", "datatype": "BYTES", "shape": [1], "data": [label]},
        {"name": "predict_proba", "datatype": "FP64", "shape": [1, 2], "data": [first, 1 - first]},
    ]
    return orjson.dumps({"model_name": "paced", "model_version": version, "outputs": outputs})


def samples(registry: CollectorRegistry, name: str) -> Iterator[tuple[tuple[str, ...], float]]:
    """The values of a metric of shadow traffic by the values of its labels."""
    labels = LABELS[name]
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name == name:
                assert set(sample.labels) == set(labels)
                yield tuple(sample.labels[label] for label in labels), sample.value
