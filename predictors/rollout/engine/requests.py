"""What people ask of a rollout that runs: a change of what the engine remembers, or a sentence why not."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from predictors.rollout.engine.state import Memo, Phase, Plan, Result, Seen


class NotNow(Exception):
    """The request does not fit where the rollout is; the text says why."""


def promote(plan: Plan, memo: Memo, seen: Seen, phase: Phase) -> Memo:
    """Let it go on to the next weight that waits for a person.

    Raises:
        NotNow: it waits for nobody.
    """
    if not memo.mark.startswith("gate "):
        raise NotNow("it does not wait for a promotion now")
    return replace(memo, approved=plan.next_weight(seen.weight))


def pause(plan: Plan, memo: Memo, seen: Seen, phase: Phase) -> Memo:
    """Stop at the weight that it has."""
    _running(phase)
    return replace(memo, paused=True, cause=f"paused by hand at {seen.weight}%")


def resume(plan: Plan, memo: Memo, seen: Seen, phase: Phase) -> Memo:
    """Go on; after a failure, judged anew.

    Raises:
        NotNow: it is not paused by a person or a failure.
    """
    if not memo.paused:
        raise NotNow("it is not paused")
    return replace(memo, paused=False, failed=False, cause="", mark="", held="")


def abort(plan: Plan, memo: Memo, seen: Seen, phase: Phase) -> Memo:
    """Take the traffic back to the stable version.

    Raises:
        NotNow: nothing is under way, or the new version is the stable one already.
    """
    _running(phase)
    if seen.stable_is_wanted:
        raise NotNow("it is promoted already; undo goes back to an earlier revision")
    return memo.backward(Result.ABORTED, "aborted by hand")


def retry(plan: Plan, memo: Memo, seen: Seen, phase: Phase) -> Memo:
    """Try the same template again.

    Raises:
        NotNow: it was not rolled back.
    """
    if phase is not Phase.ROLLED_BACK:
        raise NotNow(f"it is {phase}, not {Phase.ROLLED_BACK}")
    return Memo(revision=memo.revision)


def _running(phase: Phase) -> None:
    if phase not in (Phase.PROGRESSING, Phase.PAUSED, Phase.PROMOTING):
        raise NotNow(f"no rollout is under way; it is {phase}")


REQUESTS: Mapping[str, Callable[[Plan, Memo, Seen, Phase], Memo]] = {
    "promote": promote,
    "pause": pause,
    "resume": resume,
    "abort": abort,
    "retry": retry,
}
