"""What people ask of a rollout that runs."""

from dataclasses import replace

import pytest

from predictors.rollout.engine.requests import REQUESTS, NotNow, abort, pause, promote, resume, retry
from predictors.rollout.engine.state import Memo, Phase, Plan, Pods, Result, Seen
from predictors.rollout.spec import Step

PLAN = Plan(revision="new", steps=(Step(weight=10), Step(weight=50), Step(weight=100)), gates=frozenset({50, 100}))
SEEN = Seen(stable=Pods(2, 2), canary=Pods(1, 1), canary_is_wanted=True, weight=10, routed=10)
MEMO = Memo(revision="new", weight=10, mark="hold 10", since=5.0)
RUNNING = (Phase.PROGRESSING, Phase.PAUSED, Phase.PROMOTING)


def test_promote_lets_it_go_on_to_the_next_weight_and_no_further() -> None:
    assert promote(PLAN, replace(MEMO, mark="gate 50"), SEEN, Phase.PAUSED).approved == 50
    assert promote(PLAN, replace(MEMO, mark="gate 100"), replace(SEEN, weight=50), Phase.PAUSED).approved == 100


@pytest.mark.parametrize("memo", [MEMO, replace(MEMO, paused=True, mark="paused 10"), replace(MEMO, mark="failed")])
def test_promote_is_for_one_that_waits_for_it(memo: Memo) -> None:
    with pytest.raises(NotNow, match="it does not wait for a promotion now"):
        promote(PLAN, memo, SEEN, Phase.PAUSED)


def test_pause_keeps_the_weight_and_says_so() -> None:
    paused = pause(PLAN, MEMO, SEEN, Phase.PROGRESSING)
    assert (paused.paused, paused.cause, paused.weight) == (True, "paused by hand at 10%", 10)


def test_resume_begins_the_hold_again_and_forgets_a_failure() -> None:
    failed = replace(MEMO, paused=True, failed=True, cause="errors: too many", held="hold 10", mark="failed")
    resumed = resume(PLAN, failed, SEEN, Phase.PAUSED)
    assert resumed == replace(failed, paused=False, failed=False, cause="", mark="", held="")


def test_resume_keeps_what_a_person_approved() -> None:
    assert resume(PLAN, replace(MEMO, paused=True, approved=50), SEEN, Phase.PAUSED).approved == 50


def test_what_is_not_paused_is_not_resumed() -> None:
    with pytest.raises(NotNow, match="it is not paused"):
        resume(PLAN, replace(MEMO, mark="gate 50"), SEEN, Phase.PAUSED)


def test_abort_goes_back_even_from_a_pause() -> None:
    back = abort(PLAN, replace(MEMO, paused=True, failed=True), SEEN, Phase.PAUSED)
    assert (back.back, back.result, back.cause) == (True, Result.ABORTED, "aborted by hand")
    assert not back.paused
    assert not back.failed


def test_what_is_promoted_is_not_aborted() -> None:
    with pytest.raises(NotNow, match="it is promoted already; undo goes back to an earlier revision"):
        abort(PLAN, MEMO, replace(SEEN, stable_is_wanted=True), Phase.PROMOTING)


@pytest.mark.parametrize("request_name", ["pause", "abort"])
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in RUNNING])
def test_only_what_runs_is_paused_or_aborted(request_name: str, phase: Phase) -> None:
    with pytest.raises(NotNow, match=f"no rollout is under way; it is {phase}"):
        REQUESTS[request_name](PLAN, MEMO, SEEN, phase)


@pytest.mark.parametrize("request_name", ["pause", "abort"])
@pytest.mark.parametrize("phase", RUNNING)
def test_what_runs_is_paused_or_aborted(request_name: str, phase: Phase) -> None:
    assert REQUESTS[request_name](PLAN, MEMO, SEEN, phase) != MEMO


def test_retry_forgets_all_but_the_revision() -> None:
    rolled_back = MEMO.backward(Result.ROLLED_BACK, "errors")
    assert retry(PLAN, rolled_back, SEEN, Phase.ROLLED_BACK) == Memo(revision="new")


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.ROLLED_BACK])
def test_retry_is_for_what_was_rolled_back(phase: Phase) -> None:
    with pytest.raises(NotNow, match=f"it is {phase}, not RolledBack"):
        retry(PLAN, MEMO, SEEN, phase)
