"""The watcher: which batches it looks at, what becomes of it when a model is loaded again, and what metrics it gives."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.drift.metrics import DriftMetrics
from predictors.serving.drift.watch import Watcher
from predictors.serving.model.types import (
    Batch,
    ColumnBatch,
    FeatureBatch,
    Outputs,
    PromptBatch,
    TextBatch,
)
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.collectors import exposition
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.dispatch.test_batcher import Clock
from tests.unit.serving.drift.signs import ROWS, answer, new_signs, reference_of

CALL = Call("id", "/", "v1")


class Watched:
    """A model that is watched, with a clock and chance in the test's hands."""

    def __init__(self) -> None:
        self.predictor = new_signs()
        self.clock = Clock()
        self.chance = 0.5
        self.model = ServedModel(self.predictor, ServerSettings(), Metrics(CollectorRegistry()))
        self.watcher = Watcher(self.model, 3600, self.clock.monotonic, lambda: self.chance)
        self.registry = CollectorRegistry()
        DriftMetrics([self.watcher], self.registry)

    def see(self, batch: Batch, outputs: Outputs, later: float = 1.0) -> None:
        self.watcher(batch, outputs, CALL)
        self.clock.now += later

    def see_rows(self, features: Any, later: float = 1.0) -> None:
        for start in range(0, len(features), 100):
            part = features[start : start + 100]
            self.see(FeatureBatch(part), answer(part), later)

    def series(self, name: str = "model_drift_rows") -> dict[tuple[str, ...], float]:
        text = exposition(self.registry.collect()).decode()
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }

    @property
    def rows(self) -> float:
        (count,) = self.series().values()
        return count


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.model.close()


def test_the_same_traffic_is_near_and_another_far(watched: Watched) -> None:
    watched.see_rows(ROWS)
    near = watched.series("model_drift")
    assert {(feature, side, statistic) for feature, _, _, side, statistic in near} == {
        (feature, side, statistic)
        for side, features in (("input", "ab"), ("output", ("prediction", "confidence")))
        for feature in features
        for statistic in ("psi", "js")
    }
    assert max(near.values()) < 1e-6
    watched.see_rows(ROWS + np.array([0, 3]))
    far = watched.series("model_drift")
    assert far["b", "signs", "1", "input", "psi"] > 0.25
    assert far["b", "signs", "1", "input", "js"] > 0.3
    assert far["a", "signs", "1", "input", "psi"] == pytest.approx(0, abs=1e-6)


def test_too_few_rows_tell_nothing(watched: Watched) -> None:
    assert watched.rows == 0
    watched.see_rows(ROWS[:50])
    assert watched.rows == 50
    assert watched.series("model_drift") == {}


def test_looks_are_some_time_apart(watched: Watched) -> None:
    """With this chance, a look comes 50 ms after the last; requests come each millisecond."""
    for _ in range(100):
        watched.see(FeatureBatch(ROWS[:1]), answer(ROWS[:1]), later=0.001)
    assert watched.rows == 2


def test_of_a_large_batch_some_rows_are_looked_at_all_over(watched: Watched) -> None:
    features = np.linspace([-3.0, 0], [3, 0], 10_000)
    watched.see(FeatureBatch(features), answer(features))
    assert watched.rows == 100
    part = watched.watcher.seen()
    assert part is not None
    counts = part.window.counts(watched.clock.now)
    (prediction,) = (each for each in part.reference.distributions if each.name == "prediction")
    assert sorted(part.window.layout.part(prediction, counts)) == [0, 50, 50]


@pytest.mark.parametrize("rows", [1, 2, 99, 100, 101, 199, 201])
@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_any_number_of_rows_is_counted_in_all_columns(watched: Watched, rows: int, chance: float) -> None:
    watched.chance = chance
    watched.see_rows(np.zeros((rows, 2)))
    seen = watched.watcher.seen()
    assert seen is not None
    counts = seen.window.counts(watched.clock.now)
    assert {sum(seen.window.layout.part(each, counts)) for each in seen.reference.distributions} == {watched.rows}
    assert 0 < watched.rows <= rows


def test_a_model_that_is_loaded_again_as_it_was_goes_on(watched: Watched) -> None:
    watched.see_rows(ROWS)
    rows, version, reference = watched.rows, watched.predictor.version, watched.predictor.reference
    assert reference is not None
    watched.predictor.version = ""
    assert watched.series() == {}
    watched.predictor.version, watched.predictor.reference = version, reference.model_copy(deep=True)
    assert watched.rows == rows > 0
    watched.predictor.version = "2"
    assert watched.rows == 0


def test_a_model_that_is_loaded_again_otherwise_begins_anew(watched: Watched) -> None:
    watched.see_rows(ROWS)
    watched.predictor.version, watched.predictor.reference = "2", reference_of(ROWS + 1)
    assert watched.series() == {("signs", "2"): 0}
    watched.see_rows(ROWS)
    assert watched.series("model_drift")["a", "signs", "2", "input", "psi"] > 0.25


def test_a_model_that_is_unloaded_or_has_no_reference_is_not_there(watched: Watched) -> None:
    watched.see_rows(ROWS)
    watched.predictor.version = ""
    assert watched.series() == {}
    watched.see_rows(ROWS)
    watched.predictor.version, watched.predictor.reference = "2", None
    watched.see_rows(ROWS)
    assert watched.series() == {}


ODD: Sequence[tuple[Batch, Outputs]] = (
    (PromptBatch(text="x"), {"text": ["y"]}),
    (TextBatch(["x"]), {}),
    (ColumnBatch({"a": ["x"], "b": np.array([1])}), {"predict": [None]}),
    (FeatureBatch(np.full((1, 2), np.nan)), {"predict": np.array([7]), "predict_proba": np.full((1, 2), np.nan)}),
    (FeatureBatch(np.full((1, 7), 1e308)), {"predict": ["never seen"]}),
    (FeatureBatch(np.zeros((1, 0))), {}),
)


@pytest.mark.parametrize(("batch", "outputs"), ODD)
def test_odd_batches_cost_nobody_an_answer(
    watched: Watched, batch: Batch, outputs: Outputs, caplog: pytest.LogCaptureFixture
) -> None:
    watched.see(batch, outputs)
    assert watched.rows == 1
    assert caplog.records == []


def test_what_cannot_be_counted_is_logged_once_a_minute_and_costs_nobody_an_answer(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        watched.see(FeatureBatch(ROWS[:1]), {"predict_proba": np.zeros(1)})
    assert [record.message for record in caplog.records] == ["model signs: drift cannot be measured"]
    watched.clock.now += 60
    watched.see_rows(ROWS[:1])
    assert watched.rows == 1
    assert len(caplog.records) == 1
