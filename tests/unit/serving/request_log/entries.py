"""Requests and answers for the tests of the request log."""

from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from predictors.serving.model.types import (
    Batch,
    ColumnInput,
    FeatureBatch,
    FeatureInput,
    Input,
    Outputs,
    TensorSpec,
    TextInput,
)
from predictors.serving.request_log.content import Content
from predictors.serving.request_log.entry import Entry
from predictors.serving.request_log.event import Events
from predictors.serving.request_log.metrics import Outcome, RequestLogMetrics, Sink
from predictors.serving.request_log.settings import RequestLogSettings
from tests.unit.serving.dispatch.test_registry import Paced

FLOWER = FeatureInput(("length", "salary"))
COLUMNS = ColumnInput((TensorSpec("age", "INT64", (-1,)), TensorSpec("city", "BYTES", (-1,))))
ID = "the-id"


class Model(Paced):
    """A model that takes and gives what a test says."""

    def __init__(self, kind: Input = FLOWER, outputs: tuple[str, ...] = ("label",)) -> None:
        super().__init__()
        self.input = kind
        self.outputs = tuple(TensorSpec(name, "BYTES", (-1,)) for name in outputs)


class Writer(Model):
    """A model that writes texts."""

    generates = True

    def __init__(self) -> None:
        super().__init__(TextInput(), ("summary", "prompt_tokens"))


def new_entry(batch: Batch | None = None, outputs: Outputs | None = None, **fields: Any) -> Entry:
    given: dict[str, Any] = {
        "model": "paced", "version": "1", "id": ID, "input": FLOWER, "generates": False, "asked": 1.5,
        "answered": 2.0, "bytes": 100,
    }  # fmt: skip
    batch = FeatureBatch(np.array([[1.0, 2.0]])) if batch is None else batch
    return Entry(batch=batch, outputs={"label": ["cat"]} if outputs is None else outputs, **given | fields)


def new_settings(**settings: Any) -> RequestLogSettings:
    return RequestLogSettings(**{f"request_log_{name}": value for name, value in settings.items()})


def new_content(*models: Model, **settings: Any) -> Content:
    return Content(new_settings(**settings), models or (Model(),))


def new_events(host: str = "pod-1", **settings: Any) -> Events:
    return Events(new_content(**settings), host, new_settings(**{"namespace": "shop"} | settings))


class Counted:
    """The counts of a sink, as a scrape sees them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.counts = RequestLogMetrics(self._registry).of(Sink.URL)

    def seen(self) -> dict[str, float]:
        """How many events became what, without zeros."""
        values = {
            each.value: self._registry.get_sample_value(
                "request_log_events_total", {"sink": "url", "outcome": each.value}
            )
            for each in Outcome
        }
        return {outcome: value for outcome, value in values.items() if value}
