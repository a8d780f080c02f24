"""What cannot work is refused; but a canary that has traffic already is not left alone with it."""

from dataclasses import replace

from predictors.rollout.engine.decide import decide
from predictors.rollout.engine.state import Memo, Phase, Plan, Pods, Result, Seen, SetWeight
from predictors.rollout.judge.verdict import Verdict
from predictors.rollout.spec import Step

PLAN = Plan("r1", (Step(weight=20), Step(weight=100)))
STABLE = Seen(stable=Pods(2, 2), base=2, refusal="it cannot work")
NOTHING = Verdict.of(())


def test_without_a_canary_nothing_is_done() -> None:
    decision = decide(PLAN, Memo(), STABLE, NOTHING, 0)
    assert (decision.phase, decision.message, decision.action) == (Phase.BLOCKED, "it cannot work", None)


def test_a_canary_with_traffic_goes_back() -> None:
    seen = replace(STABLE, canary=Pods(1, 1), canary_is_wanted=True, weight=20, routed=20)
    decision = decide(PLAN, Memo("r1", weight=20), seen, NOTHING, 0)
    assert (decision.phase, decision.action) == (Phase.ROLLING_BACK, SetWeight(0))
    assert (decision.memo.result, decision.memo.cause) == (Result.ROLLED_BACK, "it cannot work")
