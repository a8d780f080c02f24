"""The status of an InferenceRollout: what people and other programs read, and what the engine remembers."""

import math
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from predictors.rollout.driver import Job, Turn
from predictors.rollout.engine.state import Decision, Memo, Phase, Plan, Pods, Result
from predictors.rollout.judge.verdict import Finding, Outcome
from predictors.rollout.kube.api import Object
from predictors.rollout.routing.objects import revision_of, storage_uri
from predictors.rollout.routing.target import revision

HISTORY_LIMIT = 20
# Characters of a message, and number of faults.
_LONGEST, _FAULTS = 1000, 10
MOVING = (Phase.PROGRESSING, Phase.PAUSED, Phase.PROMOTING, Phase.ROLLING_BACK)


def memo_of(status: Object) -> Memo:
    """What the engine remembered; nothing if there is nothing. What only another version knows is left out."""
    known = {field.name for field in fields(Memo)}
    kept = {key: value for key, value in (status.get("engine") or {}).items() if key in known}
    result = kept.get("result")
    return Memo(**kept | {"result": Result(result) if result else None})


def status_of(job: Job, turn: Turn, before: Object, generation: int, now: float) -> Object:
    """The status after a turn.

    Args:
        job, turn: what was driven, and what came of it.
        before: the status of the turn before.
        generation: of the InferenceRollout that was looked at.
        now: seconds since the epoch.
    """
    decision, seen = turn.decision, turn.look.seen
    moving = decision.phase in MOVING
    started = before.get("startedAt") if moving and before.get("startedAt") else moment(now)
    status: Object = {
        "observedGeneration": generation,
        "phase": str(decision.phase),
        "message": _short(decision.message),
        "routing": job.routing,
        "startedAt": started if moving else None,
        "stable": _stable(job, turn, before),
        "canary": _canary(turn, before),
        "weight": {"asked": seen.weight, "seen": seen.routed},
        "step": _step(job.plan, decision, turn, now),
        "verdict": str(turn.verdict.outcome) if seen.canary is not None and turn.verdict.findings else None,
        "checks": [_check(finding) for finding in turn.verdict.findings] if seen.canary is not None else [],
        "faults": [_short(fault) for fault in turn.faults[:_FAULTS]],
        "engine": engine_of(decision.memo),
        "lastRequest": before.get("lastRequest"),
        "history": _history(job, turn, before, now),
    }
    return status | {"conditions": _conditions(turn, before.get("conditions") or [], now)}


def engine_of(memo: Memo) -> Object:
    """The memo as it is kept."""
    return asdict(memo) | {"result": str(memo.result) if memo.result else None, "cause": _short(memo.cause)}


def moment(seconds: float) -> str:
    """A time as Kubernetes writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _variant(predictor: Object, pods: Pods | None, version: str) -> Object | None:
    if pods is None or not predictor:
        return None
    return {
        "revision": revision_of(predictor) or revision(predictor),
        "storageUri": storage_uri(predictor),
        "version": _short(version),
        "pods": {"ready": pods.ready, "wanted": pods.asked},
    }


def _stable(job: Job, turn: Turn, before: Object) -> Object | None:
    """What is there; one that was there before the rollout has no revision of its own until it is the template's."""
    if turn.look.seen.stable is None:
        # Somebody deleted it: what it was has to be known, for it is made again.
        was = before.get("stable")
        return was | {"pods": (was.get("pods") or {}) | {"ready": 0}} if was else None
    found = _variant(turn.look.stable, turn.look.seen.stable, _version_of_stable(before, turn))
    return found | {"revision": job.plan.revision} if found and turn.look.seen.stable_is_wanted else found


def _canary(turn: Turn, before: Object) -> Object | None:
    """What is there; and what was there, until its end is in the history."""
    if turn.look.seen.canary is None and turn.decision.phase is Phase.ROLLING_BACK:
        return before.get("canary")
    return _variant(turn.look.canary, turn.look.seen.canary, turn.canary_version)


def _version_of_stable(before: Object, turn: Turn) -> str:
    """As the canary's pods answered when it was promoted."""
    current = revision_of(turn.look.stable)
    for variant in (before.get("canary"), before.get("stable")):
        if variant and variant.get("revision") == current and variant.get("version"):
            return str(variant["version"])
    return ""


def _step(plan: Plan, decision: Decision, turn: Turn, now: float) -> Object | None:
    seen = turn.look.seen
    if seen.canary is None:
        return None
    number = next((i for i, step in enumerate(plan.steps, 1) if step.weight == seen.weight), 0)
    hold = plan.steps[number - 1].hold if number else (plan.shadow.hold if plan.shadow else 0)
    holding = decision.memo.mark in (f"hold {seen.weight}", "shadow", "full")
    return {
        "number": number,
        "of": len(plan.steps),
        "weight": seen.weight,
        "since": moment(decision.memo.since),
        "holdUntil": moment(decision.memo.since + hold) if holding else None,
    }


def _check(finding: Finding) -> Object:
    found = asdict(finding) | {"verdict": str(finding.outcome)}
    del found["outcome"]
    return {key: _number(value) for key, value in found.items() if _number(value) is not None}


def _short(text: str) -> str:
    """Text of which a part may come from pods; the API server does not take a status of any size."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _history(job: Job, turn: Turn, before: Object, now: float) -> list[Object]:
    history: list[Object] = list(before.get("history") or [])
    ended = turn.decision.ended
    if ended is None:
        return history
    latest = next((each for each in history if each.get("result") == Result.PROMOTED), {})
    if ended is Result.PROMOTED and latest.get("revision") == job.plan.revision:
        return history  # it is only seen again
    about: Object = before.get("canary") or before.get("stable") or {}
    if ended is not Result.SUPERSEDED:
        version = about.get("version", "") if about.get("revision") == job.plan.revision else ""
        about = {
            "revision": job.plan.revision,
            "storageUri": storage_uri(job.target.wanted),
            "version": version,
        }
    entry = {
        "revision": about.get("revision", job.plan.revision),
        "storageUri": about.get("storageUri", ""),
        "version": about.get("version", ""),
        "result": str(ended),
        "reason": _short(turn.decision.message),
        "startedAt": before.get("startedAt") or moment(now),
        "endedAt": moment(now),
    }
    return [entry, *history][:HISTORY_LIMIT]


def _conditions(turn: Turn, before: list[Object], now: float) -> list[Object]:
    phase, stable = turn.decision.phase, turn.look.seen.stable
    verdict = turn.verdict.outcome if turn.verdict.findings else None
    passing = {Outcome.PASS: "True", Outcome.FAIL: "False"}.get(verdict, "Unknown") if verdict else "Unknown"
    wanted = {
        "Ready": (str(stable is not None and stable.ready > 0), str(phase), turn.decision.message),
        "Progressing": (str(phase in MOVING), str(phase), turn.decision.message),
        "Passing": (passing, str(verdict or "NothingToJudge"), turn.verdict.message),
    }
    earlier = {each["type"]: each for each in before}
    made = []
    for kind, (status, reason, message) in wanted.items():
        old = earlier.get(kind, {})
        since = old.get("lastTransitionTime") if old.get("status") == status else moment(now)
        told = {"type": kind, "status": status, "reason": reason, "message": _short(message)}
        made.append(told | {"lastTransitionTime": since})
    return made
