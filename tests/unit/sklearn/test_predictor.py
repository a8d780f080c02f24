"""What the predictor says of its answers: labels, agreement of versions, KServe's contract."""

import asyncio
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from predictors.serving.model.agreement import Bounds
from predictors.serving.model.types import ColumnBatch, Outputs
from predictors.serving.telemetry.metrics import Metrics
from predictors.sklearn.model import SklearnPredictor
from predictors.sklearn.threads import limit_jobs
from tests.unit.sklearn.conftest import Artifacts, load
from tests.unit.sklearn.test_users import predict


def served(name: str, artifacts: Artifacts) -> tuple[SklearnPredictor, Outputs]:
    predictor = load(artifacts.write(name))
    return predictor, predict(predictor, artifacts.user(name).instances)


def test_versions_of_a_classifier_agree_by_label_and_probability(artifacts_of_users: Artifacts) -> None:
    predictor, ours = served("string labels", artifacts_of_users)
    assert predictor.agrees(ours, ours, Bounds())
    assert not predictor.agrees(ours, {**ours, "predict": ["barolo"] * len(ours["predict"])}, Bounds())
    assert not predictor.agrees(ours, {**ours, "predict_proba": np.asarray(ours["predict_proba"]) * 0.9}, Bounds())


def test_versions_of_a_classifier_without_probabilities_agree_by_label(artifacts_of_users: Artifacts) -> None:
    predictor, ours = served("linear SVC of texts", artifacts_of_users)
    assert predictor.agrees(ours, {**ours, "decision_function": np.asarray(ours["decision_function"]) * 2}, Bounds())
    assert not predictor.agrees(ours, {**ours, "predict": ["bad"] * len(ours["predict"])}, Bounds())


def test_versions_of_a_regressor_agree_if_numbers_are_close(artifacts_of_users: Artifacts) -> None:
    predictor, ours = served("boosting regressor", artifacts_of_users)
    assert predictor.agrees(ours, {"predict": np.asarray(ours["predict"]) * 1.04}, Bounds(max_difference=0.05))
    assert not predictor.agrees(ours, {"predict": np.asarray(ours["predict"]) * 1.06}, Bounds(max_difference=0.05))


@pytest.mark.parametrize(
    ("name", "labels"),
    [("boolean labels", ("False", "True")), ("linear SVC of texts", ("bad", "good", "question")), ("two targets", ())],
)
def test_rows_are_counted_by_label(name: str, labels: tuple[str, ...], artifacts_of_users: Artifacts) -> None:
    predictor, outputs = served(name, artifacts_of_users)
    assert predictor.labels == labels
    metrics = Metrics(CollectorRegistry())
    predictor.observe(outputs, metrics)
    lines = generate_latest(metrics.registry).decode().splitlines()
    counted = [float(line.split()[-1]) for line in lines if line.startswith("predictions_total{")]
    assert sum(counted) == (len(outputs["predict"]) if labels else 0)
    assert all(
        any(f'label="{label}"' in line for line in lines) for label in set(map(str, outputs["predict"])) if labels
    )


def test_kserves_own_server_gets_lists(artifacts_of_users: Artifacts) -> None:
    predictor = load(artifacts_of_users.write("columns of a data frame"))
    user = artifacts_of_users.user("columns of a data frame")
    answer: Any = asyncio.run(predictor.predict({"instances": user.instances}))
    assert answer["predictions"] == user.model.predict(user.rows).tolist()
    assert predictor.get_input_types()[1] == {"name": "plan", "datatype": "BYTES", "shape": [-1]}


def test_rows_of_several_requests_are_one_batch(artifacts_of_users: Artifacts) -> None:
    from predictors.serving.dispatch.batcher import _merge, _split

    predictor = load(artifacts_of_users.write("columns of a data frame", "skops"))
    user = artifacts_of_users.user("columns of a data frame")
    batches: list[Any] = []
    for rows in (user.rows[:1], user.rows[1:4], user.rows[4:]):
        columns = {name: rows[name].tolist() if name == "plan" else rows[name].to_numpy() for name in rows}
        batches.append(ColumnBatch(columns))
    merged = _merge(batches)
    assert len(merged) == len(user.rows)
    parts = _split(predictor.infer(merged, None), batches)  # type: ignore[arg-type]
    assert [len(part["predict"]) for part in parts] == [1, 3, len(user.rows) - 4]
    joined = np.concatenate([part["predict"] for part in parts])
    assert joined.tolist() == user.model.predict(user.rows).tolist()


def test_estimators_start_no_jobs_of_their_own() -> None:
    class Eager:
        n_jobs = -1

    eager = Eager()
    limit_jobs([eager, object()])
    assert eager.n_jobs == 1
