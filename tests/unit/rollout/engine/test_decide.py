"""Single decisions; whole rollouts are simulated in tests/rollout."""

import pytest

from predictors.rollout.engine.decide import decide
from predictors.rollout.engine.state import Memo, Phase, Plan, Pods, Prepare, Seen, SetWeight
from predictors.rollout.judge.verdict import Verdict
from predictors.rollout.spec import Step

STEPS = (Step(weight=25, hold=60), Step(weight=100))
PASS = Verdict.of(())
SEEN = Seen(stable=Pods(2, 2), canary=Pods(1, 1), canary_is_wanted=True, base=2, weight=25, routed=25)


def test_a_route_to_a_canary_that_somebody_removed_is_mended_before_anything_else() -> None:
    seen = Seen(stable=Pods(2, 2), weight=25, routed=None, prepared=False, outdated=True, edited="sizes")
    assert decide(Plan("new", STEPS), Memo(), seen, PASS, 0.0).action == Prepare()


@pytest.mark.parametrize("restores", [True, False])
def test_a_weight_that_could_not_be_written_is_written_again(restores: bool) -> None:
    memo = Memo("new", weight=0, back=True, cause="errors", mark="SetWeight")
    decision = decide(Plan("new", STEPS, restores=restores), memo, SEEN, PASS, 0.0)
    assert (decision.phase, decision.action, decision.message) == (Phase.ROLLING_BACK, SetWeight(0), "errors")


def test_a_clock_that_was_put_back_makes_no_wait_longer() -> None:
    memo = Memo("new", weight=25, mark="hold 25", since=100_000.0)
    assert decide(Plan("new", STEPS), memo, SEEN, PASS, 10.0).memo.since == 10.0
