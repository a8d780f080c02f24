"""(what is wanted, what is observed) → the next action.

    Starting ──► Healthy ──template changed──► Progressing ──all of the traffic, drained──► Promoting ──► Healthy
                    ▲                           │   ▲    │                                      │
                    │                     pause │   │    │ a check fails, a deadline passes,    │ (no way back:
                    │               or a gate   ▼   │    │ abort, a newer template              │  undo is another
                    │                          Paused    ▼                                      │  rollout)
                    └──────newer template──── RolledBack ◄── RollingBack

Progressing is a loop: pods for the next weight → all of them ready → the weight written → every route shows it and the
gateway has accepted it → the hold, and a verdict → the next weight. Before the first, the canary runs at weight 0, has
to answer directly, and may answer copies of requests. RollingBack: weight 0 → confirmed → drained → removed.

Three rules keep requests safe, whatever happens in between:
  - a variant gets no more weight than its ready pods can bear;
  - a variant is removed or changed only after every route has had it at 0 for as long as its longest request takes;
  - each turn takes one action at most, and sees its effect before the next.

Where the rollout is stands in the cluster, not here: the memo adds timers, and what people and the judge said. If it is
lost, holds begin again.
"""

import math
from dataclasses import replace

from predictors.rollout.engine.state import (
    FULL,
    Action,
    Create,
    Decision,
    Memo,
    Phase,
    Plan,
    Pods,
    Prepare,
    Promote,
    RemoveCanary,
    Result,
    Seen,
    SetShadow,
    SetWeight,
    StartCanary,
    Update,
)
from predictors.rollout.judge.verdict import Outcome, Verdict
from predictors.rollout.spec import format_duration

# A pod that says why it cannot start gets this long to start after all, seconds: an image that is being pulled, a
# volume
# that is being filled.
PROBLEM_SECONDS = 60.0
# What is remembered as held once the end of a rollout on its way back has been told.
_ROLLED_BACK = "rolled back"


def decide(plan: Plan, memo: Memo, seen: Seen, verdict: Verdict, now: float) -> Decision:
    """The next thing to do.

    Args:
        plan: what is wanted.
        memo: from the turn before; empty at first.
        seen: what is observed now.
        verdict: of the judge, on what was measured since the canary has traffic or answers copies.
        now: seconds since the epoch.
    """
    return _Turn(plan, memo, seen, verdict, now).decide()


class _Turn:
    def __init__(self, plan: Plan, memo: Memo, seen: Seen, verdict: Verdict, now: float) -> None:
        self.plan = plan
        self.seen = seen
        self.verdict = verdict
        self.now = now
        # A clock that was put back must not make a wait longer.
        self.memo = memo if memo.since <= now else replace(memo, since=now)
        if memo.revision != plan.revision:
            # A canary of the template before goes first; what is known of its weight still holds.
            self.memo = Memo(revision=plan.revision, weight=memo.weight if seen.canary else None)

    def decide(self) -> Decision:
        seen = self.seen
        if seen.refusal and (seen.stable is None or seen.canary is None):
            return self._wait(Phase.BLOCKED, seen.refusal, "refused")
        if seen.stable is None:
            return self._act(Phase.STARTING, "creating the InferenceService", Create())
        if seen.canary is None:
            self.memo = replace(self.memo, weight=None)
            return self._without_canary(seen.stable)
        if (conflict := self._conflict()) is not None:
            return conflict
        if seen.stable_is_wanted and seen.canary_is_wanted:
            return self._finish(seen.stable)
        if seen.refusal and not self.memo.back:
            # A canary that has traffic is not left alone with it.
            self.memo = self.memo.backward(Result.ROLLED_BACK, seen.refusal)
        if not seen.canary_is_wanted and not self.memo.back:
            self.memo = self.memo.backward(Result.SUPERSEDED, "the template was changed")
        if self.memo.back:
            return self._rolled_back() if self._is_withdrawn() else self._retreat()
        return self._advance(seen.stable, seen.canary)

    # ---- Without a canary

    def _without_canary(self, stable: Pods) -> Decision:
        seen = self.seen
        if seen.weight and not seen.prepared:
            # Somebody removed a canary that had traffic: nothing is more urgent.
            return self._act(self._resting(), "the traffic goes to the stable version alone", Prepare())
        if seen.shadowing:
            return self._act(self._resting(), "the shadow ends", SetShadow(0))
        if seen.edited and not self.plan.restores:
            return self._wait(Phase.BLOCKED, seen.edited, "edited")
        if seen.outdated or seen.edited:
            return self._act(
                self._resting(), seen.edited or "bringing labels, sizes and leftovers up to date", Update()
            )
        if not seen.prepared:
            return self._act(self._resting(), "preparing the routes", Prepare())
        if not stable.settled or stable.ready < 1:
            return self._starting(stable)
        if seen.stable_is_wanted:
            return self._healthy(stable)
        if self.memo.back:
            return self._rolled_back()
        if self.plan.paused or self.memo.paused:
            return self._wait(Phase.PAUSED, "paused before the canary is started", "paused")
        pods = seen.needed(self.plan.steps[0].weight)
        return self._act(Phase.PROGRESSING, f"starting the canary with {_pods(pods)}", StartCanary(pods, seen.base))

    def _resting(self) -> Phase:
        if self.memo.back:
            return Phase.ROLLED_BACK if self.memo.held == _ROLLED_BACK else Phase.ROLLING_BACK
        if not self.seen.stable_is_wanted:
            return Phase.PROGRESSING
        if self.memo.mark == "healthy":
            return Phase.HEALTHY
        return Phase.PROMOTING if self.memo.held else Phase.STARTING

    def _starting(self, stable: Pods) -> Decision:
        phase = self._resting()
        message = f"{stable.ready} of {_pods(stable.asked)} of the stable version ready" + _because(stable.problem)
        if phase is Phase.HEALTHY and stable.ready:
            return Decision(phase, message, self.memo)  # more pods, or a lost one: it serves all the same
        if phase is Phase.ROLLED_BACK and stable.ready:
            return self._rolled_back()
        return self._wait(Phase.STARTING if phase is Phase.HEALTHY else phase, message, "stable")

    def _healthy(self, stable: Pods) -> Decision:
        ended = None
        if self.memo.mark != "healthy":
            ended = self.memo.result if self.memo.back else Result.PROMOTED
            self.memo = replace(Memo(revision=self.plan.revision), mark="healthy", since=self.now)
        return Decision(Phase.HEALTHY, f"{_pods(stable.ready)} ready, all traffic", self.memo, ended=ended)

    def _rolled_back(self) -> Decision:
        if self.memo.result is Result.SUPERSEDED:
            # What was superseded is gone; the template of now begins.
            return Decision(
                Phase.PROGRESSING, self.memo.cause, Memo(revision=self.plan.revision), None, Result.SUPERSEDED
            )
        ended_now = self.memo.result if self.memo.held != _ROLLED_BACK else None
        self.memo = replace(self.memo, held=_ROLLED_BACK)
        decision = self._wait(Phase.ROLLED_BACK, self.memo.cause, _ROLLED_BACK)
        return replace(decision, ended=ended_now)

    # ---- With one

    def _conflict(self) -> Decision | None:
        """What another hand changed, is changed back; a weight goes to the lower of both, which is safe at any time."""
        seen, decided = self.seen, self.memo.weight
        if seen.edited and not self.plan.restores:
            return self._wait(Phase.BLOCKED, seen.edited, "edited")
        if seen.edited:
            return self._act(self._moving(), seen.edited, Update())
        if decided is None or decided == seen.weight:
            self.memo = replace(self.memo, weight=seen.weight)
            return None
        lower = min(decided, seen.weight)
        self.memo = replace(self.memo, weight=lower)
        if lower == seen.weight:
            return None
        if self.memo.mark == SetWeight.__name__:
            # The last thing that was done; it was refused, or changed at the same time.
            return self._act(
                self._moving(), self.memo.cause or f"the canary's weight becomes {lower}%", SetWeight(lower)
            )
        message = f"somebody else changed the canary's weight from {decided} to {seen.weight}"
        if not self.plan.restores:
            return self._wait(Phase.BLOCKED, message, "edited")
        return self._act(self._moving(), message, SetWeight(lower))

    def _moving(self) -> Phase:
        return Phase.ROLLING_BACK if self.memo.back else Phase.PROGRESSING

    def _finish(self, stable: Pods) -> Decision:
        """The stable version was brought to the template's while the canary had all of the traffic, which now goes
        back.
        """
        seen = self.seen
        if seen.weight and (not stable.settled or stable.ready < seen.base):
            message = f"{stable.ready} of {_pods(seen.base)} of the promoted version ready" + _because(stable.problem)
            return self._wait(Phase.PROMOTING, message, "promoted pods")
        return self._withdraw(Phase.PROMOTING)

    def _retreat(self) -> Decision:
        if self.seen.shadowing:
            return self._act(Phase.ROLLING_BACK, self.memo.cause, SetShadow(0))
        stable = self.seen.stable or Pods(asked=0, ready=0, settled=False)
        if self.seen.weight and (stable.ready < 1 or (not stable.settled and stable.ready < self.seen.base)):
            message = f"{stable.ready} of {_pods(self.seen.base)} of the stable version ready to take the traffic"
            return self._wait(Phase.ROLLING_BACK, message + _because(stable.problem), "stable")
        return self._withdraw(Phase.ROLLING_BACK)

    def _is_withdrawn(self) -> bool:
        """Whether a canary that cannot be removed has gone as far as it can."""
        seen = self.seen
        has_left = seen.weight == seen.routed == 0 and self.memo.mark in (RemoveCanary.__name__, _ROLLED_BACK)
        return has_left and not seen.removable

    def _withdraw(self, phase: Phase) -> Decision:
        """Weight 0, confirmed, drained, removed."""
        seen, cause = self.seen, self.memo.cause
        if seen.weight:
            return self._act(phase, cause or "the traffic goes back to the stable version", SetWeight(0))
        if seen.routed != 0:
            return self._wait(phase, "waiting until every route has the canary at 0", "route 0")
        decision = self._wait(
            phase, f"the canary finishes its requests ({format_duration(self.plan.drain)})", "drain 0"
        )
        if self._waited() < self.plan.drain:
            return decision
        return self._act(phase, "removing the canary", RemoveCanary())

    def _advance(self, stable: Pods, canary: Pods) -> Decision:
        seen = self.seen
        if seen.weight and canary.ready == 0:
            # Whatever a failure should do: there is nothing to pause at.
            return self._roll_back("no pod of the canary is ready, and it has traffic" + _because(canary.problem))
        if self.verdict.outcome is Outcome.FAIL and not self.memo.failed:
            return self._fail(self.verdict.message)
        for look in (self._pods, self._answers, self._stable, self._route):
            if (decision := look(stable, canary)) is not None:
                return decision
        if self.plan.paused or self.memo.paused:
            return self._wait(Phase.PAUSED, self.memo.cause or f"paused at {seen.weight}%", f"paused {seen.weight}")
        return self._shadow() or self._hold(canary)

    def _pods(self, stable: Pods, canary: Pods) -> Decision | None:
        needed = self.seen.needed(self.seen.weight or self.plan.steps[0].weight)
        if canary.asked < needed:
            return self._act(Phase.PROGRESSING, f"the canary gets {_pods(needed)}", StartCanary(needed, self.seen.base))
        if canary.ready >= needed:
            return None
        reason = canary.problem or self.seen.silence
        message = f"{canary.ready} of {_pods(needed)} of the canary ready" + _because(reason)
        return self._wait_in_time(message, f"pods {needed}", PROBLEM_SECONDS if canary.problem else None)

    def _answers(self, stable: Pods, canary: Pods) -> Decision | None:
        if self.seen.mismatch:
            return self._fail(self.seen.mismatch)
        if self.seen.mismatch is None:
            return self._wait_in_time(
                "waiting for the canary's own answer" + _because(self.seen.silence), "answer", None
            )
        return None

    def _stable(self, stable: Pods, canary: Pods) -> Decision | None:
        """Pods of the stable version that are lost come back before anything goes on; it is the way back."""
        if stable.ready >= min(stable.asked, self.seen.base):
            return None
        message = f"{stable.ready} of {_pods(stable.asked)} of the stable version ready" + _because(stable.problem)
        return self._wait(Phase.PROGRESSING, message, f"stable {self.seen.weight}")

    def _route(self, stable: Pods, canary: Pods) -> Decision | None:
        if self.seen.routed == self.seen.weight:
            return None
        return self._wait_in_time(
            f"waiting until every route has the canary at {self.seen.weight}%", f"route {self.seen.weight}", None
        )

    def _shadow(self) -> Decision | None:
        shadow = self.plan.shadow
        if self.seen.weight or shadow is None or self.memo.shadowed:
            if not self.seen.shadowing:
                return None
            return self._act(Phase.PROGRESSING, "the shadow ends", SetShadow(0))
        if not self.seen.shadowing:
            return self._act(
                Phase.PROGRESSING,
                f"the canary answers copies of {shadow.percent}% of the requests",
                SetShadow(shadow.percent),
            )
        message = f"the canary answers copies of {shadow.percent}% of the requests: {self.verdict.message}"
        return self._held("shadow", shadow.hold, message) or self._end_of_shadow()

    def _end_of_shadow(self) -> Decision:
        self.memo = replace(self.memo, shadowed=True)
        return self._act(Phase.PROGRESSING, "the shadow ends", SetShadow(0))

    def _hold(self, canary: Pods) -> Decision:
        seen, plan = self.seen, self.plan
        if seen.weight == FULL:
            return self._promote()
        if seen.weight:
            step = plan.step(seen.weight)
            message = f"{seen.weight}% of the traffic on the canary: {self.verdict.message}"
            if (held := self._held(f"hold {seen.weight}", step.hold if step else 0, message)) is not None:
                return held
        weight = plan.next_weight(seen.weight)
        if weight in plan.gates and self.memo.approved < weight:
            message = f"waiting for a person to promote it to {weight}%: {self.verdict.message}"
            return self._wait(Phase.PAUSED, message, f"gate {weight}")
        needed = seen.needed(weight)
        if canary.asked < needed:
            message = f"the canary gets {_pods(needed)} for {weight}%"
            return self._act(Phase.PROGRESSING, message, StartCanary(needed, seen.base))
        if canary.ready < needed:
            reason = canary.problem or seen.silence
            message = f"{canary.ready} of {_pods(needed)} of the canary ready for {weight}%" + _because(reason)
            return self._wait_in_time(message, f"pods for {weight}", PROBLEM_SECONDS if canary.problem else None)
        return self._act(Phase.PROGRESSING, f"{weight}% of the traffic goes to the canary", SetWeight(weight))

    def _held(self, mark: str, hold: float, message: str) -> Decision | None:
        """Waits for the hold, then for a verdict; None once both are there."""
        if self.memo.held != mark:
            decision = self._wait(Phase.PROGRESSING, message, mark)
            if self._waited() < hold:
                return decision
            self.memo = replace(self.memo, held=mark)
        if self.verdict.outcome is Outcome.PASS:
            return None
        decision = self._wait(Phase.PROGRESSING, message, f"verdict after {mark}")
        if self._waited() < self.plan.evidence_limit:
            return decision
        limit = format_duration(self.plan.evidence_limit)
        return self._fail(f"no verdict within {limit} after the hold: {self.verdict.message}")

    def _promote(self) -> Decision:
        """The hold of the last step and the drain of the stable version are one waiting: both begin with the route."""
        step = self.plan.step(FULL)
        seconds = max(self.plan.drain, step.hold if step else 0)
        message = (
            f"all of the traffic on the canary; the stable version finishes its requests ({format_duration(seconds)})"
        )
        decision = self._wait(Phase.PROMOTING, message, "full")
        if self._waited() < seconds:
            return decision
        return self._act(Phase.PROMOTING, "promoting the canary", Promote(self.seen.base))

    # ---- Parts of a decision

    def _waited(self) -> float:
        return self.now - self.memo.since

    def _wait(self, phase: Phase, message: str, mark: str) -> Decision:
        self.memo = self.memo.waiting(mark, self.now)
        return Decision(phase, message, self.memo)

    def _wait_in_time(self, message: str, mark: str, sooner: float | None) -> Decision:
        """Waits until the progress deadline, or a nearer one, then fails."""
        decision = self._wait(Phase.PROGRESSING, message, mark)
        limit = min(self.plan.progress_deadline, math.inf if sooner is None else sooner)
        if self._waited() < limit:
            return decision
        return self._fail(f"{message} after {format_duration(limit)}")

    def _act(self, phase: Phase, message: str, action: Action) -> Decision:
        memo = self.memo
        match action:
            case SetWeight(weight):
                memo = replace(memo, weight=weight)
            case StartCanary() if self.seen.canary is None:
                memo = replace(memo, weight=0)
            case Promote():
                memo = replace(memo, held=f"hold {FULL}")
            case _:
                pass
        self.memo = memo if phase is Phase.HEALTHY else memo.waiting(type(action).__name__, self.now)
        return Decision(phase, message, self.memo, action)

    def _fail(self, cause: str) -> Decision:
        if self.memo.failed:
            return self._wait(Phase.PAUSED, self.memo.cause, "failed")
        if not self.plan.rollback_on_failure:
            self.memo = replace(self.memo, paused=True, failed=True, cause=cause)
            return self._wait(Phase.PAUSED, cause, "failed")
        return self._roll_back(cause)

    def _roll_back(self, cause: str) -> Decision:
        self.memo = self.memo.backward(Result.ROLLED_BACK, cause)
        return self._retreat()


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _because(problem: str) -> str:
    return f" ({problem})" if problem else ""
