"""The status of an InferenceRollout."""

from predictors.rollout.controller.status import engine_of
from predictors.rollout.engine.state import Memo


def test_what_pods_say_does_not_make_a_status_that_is_too_large() -> None:
    assert len(engine_of(Memo(cause="x" * 10_000_000))["cause"]) == 1000
