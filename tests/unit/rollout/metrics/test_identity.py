"""Which version a pod serves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.rollout.metrics.identity import Identity, identity
from tests.unit.rollout.metrics.fakes import MODEL, FakePods, pod

POD = pod("one")
PATH = f"/v2/models/{MODEL}"
READY = '{"name": "iris", "ready": true}'


def answers(ready: Any, metadata: Any) -> FakePods:
    return FakePods({("one", f"{PATH}/ready"): ready, ("one", PATH): metadata})


@pytest.mark.parametrize(
    ("ready", "metadata", "expected"),
    [
        (READY, '{"name": "iris", "versions": ["7"]}', Identity(True, "7", "")),
        (READY, '{"name": "iris"}', Identity(True, "", "")),
        (READY, '{"versions": []}', Identity(True, "", "")),
        (
            (503, '{"ready": false, "error": "model \\"iris\\" is loading"}'),
            "",
            Identity(False, "", 'pod one is not ready: model "iris" is loading'),
        ),
        ((404, "nothing here"), "", Identity(False, "", "pod one is not ready: it answers 404")),
        (READY, (500, "[]"), Identity(False, "", "pod one does not say its version: it answers 500")),
    ],
)
def test_what_a_pod_says(ready: Any, metadata: Any, expected: Identity) -> None:
    assert identity(answers(ready, metadata), POD, MODEL) == expected


def test_a_pod_that_does_not_answer() -> None:
    assert identity(FakePods({}), POD, MODEL) == Identity(False, "", "pod one cannot be asked: connection refused")


def test_a_name_with_special_characters() -> None:
    pods = FakePods({("one", "/v2/models/a%2Fb/ready"): READY, ("one", "/v2/models/a%2Fb"): '{"versions": ["1"]}'})
    assert identity(pods, POD, "a/b").version == "1"


@given(st.text() | st.sampled_from(["[" * 100_000, '{"error": 5}', '{"versions": {"a": 1}}', "null"]))
def test_rubbish_never_breaks_it(body: str) -> None:
    assert identity(answers((503, body), ""), POD, MODEL).message
    assert identity(answers(READY, body), POD, MODEL).ready
