"""What the engine is told, what it remembers between two turns, and what it answers."""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from predictors.rollout.spec import Shadow, Step

FULL = 100


class Phase(StrEnum):
    """Where a rollout is."""

    STARTING = "Starting"
    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    PROMOTING = "Promoting"
    ROLLING_BACK = "RollingBack"
    ROLLED_BACK = "RolledBack"
    BLOCKED = "Blocked"


class Result(StrEnum):
    """How a rollout ended."""

    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"


@dataclass(frozen=True)
class Plan:
    """What is wanted.

    Args:
        revision: of the template.
        steps: weights and holds.
        gates: weights that a person lets it go on to.
        rollback_on_failure: whether a failure rolls back; otherwise it pauses.
        evidence_limit, progress_deadline, drain: seconds; see `spec.Strategy`.
        shadow: copies of requests before the first step.
        paused: nothing goes on.
        restores: whether changes by another hand are undone; otherwise they block the rollout.
    """

    revision: str
    steps: tuple[Step, ...]
    gates: frozenset[int] = frozenset()
    rollback_on_failure: bool = True
    evidence_limit: float = 3600
    progress_deadline: float = 600
    drain: float = 60
    shadow: Shadow | None = None
    paused: bool = False
    restores: bool = True

    def step(self, weight: int) -> Step | None:
        """The step of a weight; None for 0, and for a weight that an earlier plan had."""
        return next((step for step in self.steps if step.weight == weight), None)

    def next_weight(self, weight: int) -> int:
        """The weight after that one."""
        return next((step.weight for step in self.steps if step.weight > weight), FULL)


@dataclass(frozen=True)
class Pods:
    """The pods of one variant.

    Args:
        asked: number that was asked for; with an HPA, its minimum.
        ready: that take requests, of the newest template.
        settled: whether KServe and the Deployment have followed what was written, and no pod of an older template is
            left. An HPA that adds pods unsettles a variant for a moment, so it counts only where a template was changed
            in place.
        problem: why a pod cannot start; empty if nothing is known to be wrong.
    """

    asked: int
    ready: int
    settled: bool = True
    problem: str = ""


@dataclass(frozen=True)
class Seen:
    """What is observed.

    Args:
        stable: the version before; None if nothing is deployed.
        stable_is_wanted: whether it is the template's revision already.
        canary: the new version beside it.
        canary_is_wanted: whether that is the template's revision; it is an earlier one's if the template was changed
            meanwhile.
        base: pods that all of the traffic needs.
        weight: of the canary, as written, percent.
        routed: weight that every route shows, and that the gateway has accepted as it is now; None: not yet.
        prepared: whether the rollout has the routes that it needs.
        outdated: whether labels, annotations or numbers of pods are not as the template says; or leftovers are there.
        edited: what another hand changed; empty if nothing.
        refusal: why this rollout cannot work at all; empty if it can.
        mismatch: what is wrong with the canary's own answer; empty if nothing. None: it has not answered yet.
        silence: what the canary's pods say of why they are not ready; empty if nothing.
        shadowing: whether stable's pods are told to send copies to the canary.
        removable: whether a canary can be removed; otherwise, one that is rolled back stays, without traffic.
    """

    stable: Pods | None = None
    stable_is_wanted: bool = False
    canary: Pods | None = None
    canary_is_wanted: bool = False
    base: int = 1
    weight: int = 0
    routed: int | None = 0
    prepared: bool = True
    outdated: bool = False
    edited: str = ""
    refusal: str = ""
    mismatch: str | None = ""
    silence: str = ""
    shadowing: bool = False
    removable: bool = True

    def needed(self, weight: int) -> int:
        """Pods that a share of the traffic needs."""
        return max(1, math.ceil(self.base * weight / FULL))


@dataclass(frozen=True)
class Memo:
    """What the engine remembers. All of it may be lost: then holds begin again, and nothing else is different.

    Args:
        revision: that it is about.
        weight: of the canary, as it was last decided; None: as it is found.
        back: whether the canary is to go.
        result: how that will end.
        cause: why, or why it paused.
        held: the hold that is over.
        mark: what is waited for.
        since: when that waiting began, seconds since the epoch.
        approved: highest weight that a person let it go on to.
        paused: by a person, or by a failure.
        failed: whether a failure paused it.
        shadowed: whether the shadow stage is over.
    """

    revision: str = ""
    weight: int | None = None
    back: bool = False
    result: Result | None = None
    cause: str = ""
    held: str = ""
    mark: str = ""
    since: float = 0.0
    approved: int = 0
    paused: bool = False
    failed: bool = False
    shadowed: bool = False

    def waiting(self, mark: str, now: float) -> "Memo":
        """The same, waiting for something from now on, if it is not waiting for it already."""
        return self if self.mark == mark else replace(self, mark=mark, since=now)

    def backward(self, result: Result, cause: str) -> "Memo":
        """The same, on the way back."""
        return replace(self, back=True, result=result, cause=cause, paused=False, failed=False)


@dataclass(frozen=True)
class Create:
    """Create the InferenceService."""


@dataclass(frozen=True)
class Prepare:
    """Take the next step towards the routes that the rollout needs."""


@dataclass(frozen=True)
class Update:
    """Write labels, annotations and numbers of pods as the template says; remove leftovers; undo what another hand
    changed.
    """


@dataclass(frozen=True)
class StartCanary:
    """Start the canary, or change its number of pods; its weight stays.

    Args:
        pods: how many.
        base: pods that stable keeps.
    """

    pods: int
    base: int


@dataclass(frozen=True)
class SetWeight:
    """Change the canary's share.

    Args:
        weight: percent.
    """

    weight: int


@dataclass(frozen=True)
class SetShadow:
    """Let stable's pods send copies of requests to the canary, or no longer.

    Args:
        percent: share of the requests; 0: none.
    """

    percent: int


@dataclass(frozen=True)
class Promote:
    """Make the canary's version the stable one, while the canary has all of the traffic.

    Args:
        base: pods that all of the traffic needs.
    """

    base: int


@dataclass(frozen=True)
class RemoveCanary:
    """Remove the canary, which has no traffic."""


Action: TypeAlias = Create | Prepare | Update | StartCanary | SetWeight | SetShadow | Promote | RemoveCanary


@dataclass(frozen=True)
class Decision:
    """What to do now.

    Args:
        phase: where the rollout is.
        message: what it does or waits for, one sentence.
        memo: to be kept, before the action is taken.
        action: None: wait, and look again.
        ended: how it ended, in the turn that sees the end.
    """

    phase: Phase
    message: str
    memo: Memo
    action: Action | None = None
    ended: Result | None = field(default=None)
