"""One InferenceRollout: from the object to a job, a turn, the status, and then the action."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from predictors.rollout.controller.revisions import Revisions, template_of
from predictors.rollout.controller.status import MOVING, engine_of, memo_of, moment, status_of
from predictors.rollout.driver import Driver, Job, Turn
from predictors.rollout.engine.requests import REQUESTS, NotNow
from predictors.rollout.engine.state import Memo, Phase, Promote, Result, StartCanary
from predictors.rollout.kube.api import API_VERSIONS, Api, KubeError, Object, Pods, Refused
from predictors.rollout.routing.choice import choose
from predictors.rollout.routing.objects import CLASS_ANNOTATION, revision_of
from predictors.rollout.routing.services import get
from predictors.rollout.routing.target import Target, revision
from predictors.rollout.spec import Autoscaling, RolloutSpec

REQUEST_ANNOTATION = "rollouts.predictors.dev/request"
# The same event is not told again for so long: another hand may change back what is restored, each time.
_TOLD_SECONDS = 600.0
_AT_REST = (Phase.HEALTHY, Phase.ROLLED_BACK, Phase.BLOCKED)
_WARNINGS = (Phase.BLOCKED, Phase.ROLLING_BACK, Phase.ROLLED_BACK)


class Reconciler:
    """Drives one InferenceRollout, turn by turn.

    Args:
        api: the API server.
        pods: the way to the pods.
        clock: seconds since the epoch.
        kserve_version: of the cluster; empty: it is looked up.
        ended: is told the result of each rollout that ends.
    """

    def __init__(
        self, api: Api, pods: Pods, clock: Callable[[], float], kserve_version: str, ended: Callable[[Result], None]
    ) -> None:
        self._api = api
        self._clock = clock
        self._kserve_version = kserve_version
        self._ended = ended
        self._driver = Driver(api, pods, clock)
        self._kept: set[str] = set()
        self._told = ("", "", 0.0)

    def turn(self, rollout: Object) -> bool:
        """One turn; returns whether the rollout is at rest, so that the next may be later.

        Raises:
            KubeError: the API server did not answer, or not as it was hoped; another turn will see.
        """
        status = rollout.get("status") or {}
        try:
            spec = RolloutSpec.model_validate(rollout["spec"])
        except ValidationError as error:
            return self._blocked(rollout, status, _first(error))
        try:
            job = self._job(rollout, spec, status)
            turn = self._driver.turn(job, memo_of(status))
        except Refused as error:
            return self._blocked(rollout, status, str(error))
        return self._write(rollout, status, job, turn)

    def _job(self, rollout: Object, spec: RolloutSpec, status: Object) -> Job:
        metadata = rollout["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        owner = {
            "apiVersion": API_VERSIONS["InferenceRollout"],
            "kind": "InferenceRollout",
            "name": name,
            "uid": metadata["uid"],
            "controller": True,
        }
        autoscaling = self._autoscaling(namespace, name, spec)
        target = Target(namespace, name, spec.template, autoscaling, owners=[owner])
        kept = Revisions(self._api, namespace, name, [owner])
        stable = self._stable(target, kept, status)
        if target.revision not in self._kept:
            kept.keep(target.revision, spec.template.model_dump())
            kept.prune(spec.history_limit, {target.revision, (status.get("stable") or {}).get("revision", "")})
            self._kept = {target.revision}
        target = replace(target, stable=stable)
        wanted = _routing_of(status, spec.strategy.routing)
        routing = choose(self._api, wanted, target.annotations, self._kserve_version)
        return Job(target, spec, routing)

    def _autoscaling(self, namespace: str, name: str, spec: RolloutSpec) -> Autoscaling | None:
        """As it is wanted; but a canary that KServe sizes stays so: pods that have traffic must not go."""
        service = get(self._api, namespace, name) if spec.autoscaling else None
        if service is None:
            return spec.autoscaling
        annotations = service["metadata"].get("annotations") or {}
        has_canary = service["spec"].get("canary") or get(self._api, namespace, f"{name}-canary")
        return None if has_canary and annotations.get(CLASS_ANNOTATION) != "external" else spec.autoscaling

    def _stable(self, target: Target, kept: Revisions, status: Object) -> Object | None:
        """What the stable version's predictor should be. One that this rollout did not make is kept before it is
        changed.
        """
        known = (status.get("stable") or {}).get("revision", "")
        service = get(self._api, target.namespace, target.name)
        predictor = service["spec"]["predictor"] if service else {}
        # With Knative, a canary's predictor is in the place of the stable one's, and stays there if it is rolled back.
        is_canary = predictor.get("canaryTrafficPercent") is not None
        if service is not None and not is_canary and (status.get("phase") not in MOVING or not known):
            known = revision_of(predictor) or revision(predictor)
            if known != target.revision and known not in self._kept and kept.find(known) is None:
                kept.keep(known, template_of(predictor, service["metadata"]))
        elif _is_just_promoted(predictor, status):
            known = revision_of(predictor)
        if not known:
            return None
        template = kept.find(known) if known != target.revision else None
        return dict(template["spec"]["predictor"]) if template else None

    def _write(self, rollout: Object, status: Object, job: Job, turn: Turn) -> bool:
        now = self._clock()
        turn, answered = self._answer(rollout, status, job, turn)
        after = status_of(job, turn, status, rollout["metadata"].get("generation", 0), now) | answered
        if _news(status, after):
            self._patch(rollout, after)
        self._tell(rollout, status, turn)
        if turn.decision.ended and after["history"] != (status.get("history") or []):
            self._ended(turn.decision.ended)
        # The memo is kept before the action: a crash between the two is seen by the next turn as an action not taken.
        try:
            self._driver.act(job, turn)
        except Refused as error:
            self._refused(rollout, status, turn, f"the API server refuses: {error}")
            raise
        return turn.decision.action is None and turn.decision.phase in _AT_REST

    def _refused(self, rollout: Object, status: Object, turn: Turn, message: str) -> None:
        """Say it; a canary that may not even be started is one that has failed."""
        if status.get("message") != message:
            self._event(rollout, "Warning", "Refused", message)
        memo = turn.decision.memo
        if isinstance(turn.decision.action, StartCanary) and turn.look.seen.canary is None:
            memo = memo.backward(Result.ROLLED_BACK, message)
        self._patch(rollout, {"message": message, "engine": engine_of(memo)})

    def _answer(self, rollout: Object, status: Object, job: Job, turn: Turn) -> tuple[Turn, Object]:
        """Do what a person asked for, once: the request changes what is remembered, and the next turn acts by it."""
        request = _request(rollout)
        last = status.get("lastRequest") or {}
        asked = str(request.get("id") or "")
        if not request or asked == str(last.get("id") or ""):
            return turn, {}
        outcome, memo = self._ask(request, status, job, turn)
        if request.get("do") == "resume":
            self._driver.forget()
        turn = replace(turn, decision=replace(turn.decision, memo=memo, action=None))
        return turn, {"lastRequest": {"id": asked, "outcome": outcome}}

    @staticmethod
    def _ask(request: Object, status: Object, job: Job, turn: Turn) -> tuple[str, Memo]:
        memo = turn.decision.memo
        do = REQUESTS.get(str(request.get("do")))
        if do is None:
            return f"there is no request {request.get('do')!r}", memo
        if request.get("revision") not in (None, "", job.plan.revision):
            return f"it was about revision {request['revision']}; the template is {job.plan.revision}", memo
        try:
            return "done", do(job.plan, memo, turn.look.seen, turn.decision.phase)
        except NotNow as error:
            return str(error), memo

    def _blocked(self, rollout: Object, status: Object, message: str) -> bool:
        after = {
            "phase": str(Phase.BLOCKED),
            "message": message,
            "observedGeneration": rollout["metadata"]["generation"],
        }
        if any(status.get(key) != value for key, value in after.items()):
            self._patch(rollout, after)
            self._event(rollout, "Warning", str(Phase.BLOCKED), message)
        return True

    def _patch(self, rollout: Object, status: Object) -> None:
        metadata = rollout["metadata"]
        self._api.patch(
            "InferenceRollout", metadata["namespace"], metadata["name"], {"status": status}, subresource="status"
        )

    def _tell(self, rollout: Object, status: Object, turn: Turn) -> None:
        decision = turn.decision
        if decision.action is not None:
            reason = type(decision.action).__name__
            if reason == (status.get("engine") or {}).get("mark"):
                return  # the same again, until it is done
        elif status.get("phase") != decision.phase:
            reason = str(decision.phase)
        else:
            return
        warns = decision.phase in _WARNINGS or bool(turn.look.seen.edited)
        self._event(rollout, "Warning" if warns else "Normal", reason, decision.message)

    def _event(self, rollout: Object, kind: str, reason: str, message: str) -> None:
        told, self._told = self._told, (reason, message, self._clock())
        if told[:2] == (reason, message) and 0 <= self._clock() - told[2] < _TOLD_SECONDS:
            self._told = told
            return
        metadata, now = rollout["metadata"], moment(self._clock())
        event: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}", "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": API_VERSIONS["InferenceRollout"],
                "kind": "InferenceRollout",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "type": kind,
            "reason": reason,
            "message": message[:1024],
            "source": {"component": "rollout-controller"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            self._api.create(event)
        except KubeError:
            return  # a rollout does not depend on its events


def _is_just_promoted(predictor: Object, status: Object) -> bool:
    """Whether the last thing that was done is a promotion: the status was written before it."""
    promoted = (status.get("canary") or {}).get("revision")
    is_last = (status.get("engine") or {}).get("mark") == Promote.__name__
    return is_last and bool(promoted) and revision_of(predictor) == promoted


def _routing_of(status: Object, wanted: str) -> str:
    """The routing that a rollout has: it is not chosen anew by itself, nor changed while there is a canary."""
    has: str = status.get("routing") or ""
    return has if has and (wanted == "auto" or status.get("canary") or status.get("phase") in MOVING) else wanted


def _request(rollout: Object) -> Object:
    text = rollout["metadata"].get("annotations", {}).get(REQUEST_ANNOTATION, "")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {"id": text[:64], "do": text[:64]}
    return found if isinstance(found, dict) else {}


def _news(before: Object, after: Object) -> bool:
    """Whether a status says anything that the one before did not; null and absent are the same to a merge patch."""
    return any(_compact(before.get(key)) != _compact(value) for key, value in after.items())


def _compact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _compact(each) for key, each in value.items() if each is not None}
    return [_compact(each) for each in value] if isinstance(value, list) else value


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"spec.{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
