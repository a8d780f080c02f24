"""One turn of a rollout: look, measure, judge, decide; then write. The controller and the terminal both turn it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from predictors.rollout.engine.decide import decide
from predictors.rollout.engine.state import FULL, Decision, Memo, Plan, Seen, SetShadow
from predictors.rollout.judge.judge import Judge
from predictors.rollout.judge.pool import size
from predictors.rollout.judge.verdict import Outcome, Verdict
from predictors.rollout.kube.api import Api, Object, Pods, Refused
from predictors.rollout.metrics.identity import identity
from predictors.rollout.metrics.meter import Meter
from predictors.rollout.metrics.pods import PodSource
from predictors.rollout.metrics.prometheus import Prometheus, PrometheusError, PrometheusSource
from predictors.rollout.metrics.source import Source, uid_of
from predictors.rollout.routing.canary import CanaryRouter
from predictors.rollout.routing.knative import KnativeRouter
from predictors.rollout.routing.pair import PairRouter
from predictors.rollout.routing.router import Look, Router
from predictors.rollout.routing.target import Target
from predictors.rollout.shadow import ShadowSwitch
from predictors.rollout.signals import Interval, Value
from predictors.rollout.spec import RolloutSpec, Strategy

_ROUTERS: Mapping[str, Callable[[Api, Target], Router]] = {
    "canary": CanaryRouter,
    "pair": PairRouter,
    "knative": KnativeRouter,
}
_DEFAULT_DRAIN_SECONDS = 60
# What copies of requests say is not believed for so long: a copy takes at most so long to fail.
_SETTLING_SECONDS = 15.0
# Pods that are asked for their version in one turn: each of them may take seconds to say nothing.
_ASKED_AT_ONCE = 4
_NAME_FLAG = "--model_name="


@dataclass(frozen=True)
class Job:
    """A rollout to be driven.

    Args:
        target: the InferenceService and its template.
        spec: what the user wrote.
        routing: canary, pair or knative.
        restores: whether changes by another hand are undone.
    """

    target: Target
    spec: RolloutSpec
    routing: str
    restores: bool = True

    @property
    def plan(self) -> Plan:
        """For the engine."""
        strategy = self.spec.strategy
        drain = strategy.drain
        if drain is None:
            drain = int(self.target.wanted.get("timeout") or _DEFAULT_DRAIN_SECONDS)
        return Plan(
            revision=self.target.revision,
            steps=strategy.steps,
            gates=frozenset(strategy.pause_before),
            rollback_on_failure=strategy.on_failure == "rollback",
            evidence_limit=strategy.evidence_limit,
            progress_deadline=strategy.progress_deadline,
            drain=drain,
            shadow=strategy.shadow,
            paused=self.spec.paused,
            restores=self.restores,
        )

    @property
    def model_name(self) -> str:
        """Of the model in requests and metrics: as the predictor's arguments say, or the InferenceService's name."""
        container = self.target.wanted.get("model") or (self.target.wanted.get("containers") or [{}])[0]
        args = [*(container.get("args") or [])]
        named = [arg.removeprefix(_NAME_FLAG) for arg in args if arg.startswith(_NAME_FLAG)]
        named += [value for flag, value in pairwise(args) if f"{flag}=" == _NAME_FLAG]
        return named[-1] if named else self.target.name


@dataclass(frozen=True)
class Turn:
    """What a turn saw and decided; nothing is written yet.

    Args:
        look: what is there.
        verdict: of the judge.
        decision: of the engine.
        canary_version: that the canary's pods answer with; empty if it is not known.
        faults: what could not be measured.
    """

    look: Look
    verdict: Verdict
    decision: Decision
    canary_version: str = ""
    faults: tuple[str, ...] = ()


class Driver:
    """Drives one rollout. What it keeps between turns may be lost: it is measured again.

    Args:
        api: the API server.
        pods: the way to the pods.
        clock: seconds since the epoch.
    """

    def __init__(self, api: Api, pods: Pods, clock: Callable[[], float]) -> None:
        self._api = api
        self._pods = pods
        self._clock = clock
        self._evidence: _Evidence | None = None

    def turn(self, job: Job, memo: Memo) -> Turn:
        """Look, measure, judge and decide.

        Args:
            job: the rollout.
            memo: of the turn before.

        Raises:
            KubeError: the API server did not answer; nothing was decided.
        """
        look = self._router(job).look()
        if job.routing == "knative" and job.spec.strategy.shadow is not None:
            look = Look(
                Seen(refusal="Knative's canaries have no address of their own, so there is no shadow: remove it")
            )
        if look.seen.refusal or look.seen.stable is None:
            return self._decide(job, memo, look)
        seen = replace(look.seen, shadowing=self._is_shadowing(job))
        return self._decide(job, memo, replace(look, seen=seen))

    def _decide(self, job: Job, memo: Memo, look: Look) -> Turn:
        evidence = self._collect(job, memo, look)
        if evidence is None:
            verdict = Verdict.of(())
            return Turn(look, verdict, decide(job.plan, memo, look.seen, verdict, self._clock()))
        answer = evidence.identify(job, self._pods, look.canary_pods)
        look = replace(look, seen=replace(look.seen, mismatch=answer.mismatch, silence=answer.silence))
        verdict = evidence.verdict(look.seen)
        decision = decide(job.plan, memo, look.seen, verdict, self._clock())
        return Turn(look, verdict, decision, answer.version, evidence.faults)

    def _collect(self, job: Job, memo: Memo, look: Look) -> "_Evidence | None":
        """What is known of the canary that is there; begun anew for another one, and when a person says to go on after
        a failure.
        """
        if look.seen.canary is None:
            self._evidence = None
            return None
        if self._evidence is None or self._evidence.basis != _basis(job):
            self._evidence = _Evidence(job, self._source(job.spec.strategy))
        self._evidence.add(look, self._clock())
        return self._evidence

    def forget(self) -> None:
        """Judge anew from now on."""
        self._evidence = None

    def act(self, job: Job, turn: Turn) -> None:
        """Take the action that was decided, if there is one.

        Raises:
            KubeError: it was not taken, or only in part; the next turn sees what is missing.
        """
        action = turn.decision.action
        if isinstance(action, SetShadow):
            shadow = self._shadow(job)
            if action.percent:
                shadow.turn_on(job.model_name, turn.look.canary_service, action.percent)
            else:
                shadow.turn_off()
        elif action is not None:
            self._router(job).act(action)

    def _router(self, job: Job) -> Router:
        return _ROUTERS[job.routing](self._api, job.target)

    def _shadow(self, job: Job) -> ShadowSwitch:
        target = job.target
        return ShadowSwitch(self._api, target.namespace, target.name, target.owners)

    def _is_shadowing(self, job: Job) -> bool:
        """A shadow that the strategy no longer has is still to be ended, where it may be looked for."""
        try:
            return self._shadow(job).is_on()
        except Refused:
            if job.spec.strategy.shadow is not None:
                raise
            return False

    def _source(self, strategy: Strategy) -> Source:
        if strategy.metrics.prometheus_url:
            queries = {check.label: check.query for check in strategy.checks or () if check.query}
            try:
                return PrometheusSource(Prometheus(strategy.metrics.prometheus_url), queries)
            except PrometheusError as error:
                raise Refused(f"metrics.prometheusUrl: {error}") from None
        return PodSource(self._pods)


class _Evidence:
    """What was measured of one canary."""

    def __init__(self, job: Job, source: Source) -> None:
        strategy = job.spec.strategy
        self.basis = _basis(job)
        self._checks = strategy.checks
        self._judge = Judge(strategy.checks, strategy.confidence)
        self._meter = Meter(source, job.model_name)
        self._every = strategy.metrics.interval
        self._looked = float("-inf")
        self._shadowed = math.inf
        self._judged = -1
        self._versions: dict[str, str] = {}

    @property
    def faults(self) -> tuple[str, ...]:
        return self._meter.faults

    def verdict(self, seen: Seen) -> Verdict:
        """Of the judge; a pass counts only if something of this stage was measured."""
        verdict = self._judge.verdict()
        if verdict.outcome is not Outcome.PASS:
            return verdict
        if 0 < seen.weight < FULL and self._judged != seen.weight:
            return replace(verdict, outcome=Outcome.NOT_YET)
        if (
            seen.shadowing
            and self._compares_answers()
            and all(finding.type != "agreement" for finding in verdict.findings)
        ):
            return replace(verdict, outcome=Outcome.NOT_YET)
        return verdict

    def add(self, look: Look, now: float) -> None:
        """Measure, if the last time is long enough ago. An interval in which the weight changed is not judged."""
        if 0 <= now - self._looked < self._every:
            return
        self._looked = now
        routed = look.seen.routed if look.seen.routed is not None else -1
        interval = self._meter.look(look.stable_pods, look.canary_pods, routed, now)
        if not look.seen.shadowing:
            self._shadowed = math.inf
        elif math.isinf(self._shadowed):
            self._shadowed = now
        if interval is not None and routed == look.seen.weight and (routed or self._is_about_this(interval)):
            self._judge.add(interval)
            if self._shows(interval):
                self._judged = routed

    def _is_about_this(self, interval: Interval) -> bool:
        """Whether copies of requests in an interval went to this canary. Pods follow the file late: some may have sent
        them to one that is gone, or not there yet.
        """
        return interval.start >= self._shadowed + _SETTLING_SECONDS

    def _compares_answers(self) -> bool:
        return self._checks is None or any(check.type == "agreement" for check in self._checks)

    def _shows(self, interval: Interval) -> bool:
        """Whether an interval holds what the checks look at: where nothing could be read, what was seen at an earlier
        weight says nothing of this one.
        """
        seen = [*interval.canary.values()]
        if self._checks is not None and all(check.type == "custom" for check in self._checks):
            return not self._checks or any(isinstance(each, Value) and each.value is not None for each in seen)
        return any(size(each) > 0 for each in seen)

    def identify(self, job: Job, pods: Pods, canary: list[Object]) -> "_Answer":
        """What the canary's pods answer themselves."""
        silence = ""
        unknown = [pod for pod in canary if uid_of(pod) not in self._versions]
        for pod in unknown[:_ASKED_AT_ONCE]:
            answer = identity(pods, pod, job.model_name)
            silence = silence or answer.message
            if answer.ready:
                self._versions[uid_of(pod)] = answer.version
        versions = {self._versions[uid_of(pod)] for pod in canary if uid_of(pod) in self._versions}
        if not versions:
            return _Answer("" if self._versions else None, "", silence)
        if len(versions) > 1:
            named = ", ".join(sorted(versions))
            return _Answer(f"the canary's pods answer as different versions: {named}", "", silence)
        [version] = versions
        wanted = job.spec.version
        if wanted and version != wanted:
            return _Answer(f"the canary answers as version {version}; {wanted} is wanted", version, silence)
        return _Answer("", version, silence)


def _basis(job: Job) -> object:
    """What a judgement is about: another version, or other checks, begin another one."""
    strategy = job.spec.strategy
    return job.plan.revision, strategy.checks, strategy.confidence, strategy.metrics


class _Answer(NamedTuple):
    """What is wrong with the canary's own answers (None: there is none yet), its version, why a pod is not ready."""

    mismatch: str | None
    version: str
    silence: str
