"""What is wrong with an InferenceRollout before it is applied, and what may not be meant."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from pydantic import ValidationError

from predictors.rollout.kube.api import Object
from predictors.rollout.metrics.prometheus import PrometheusError, check_url
from predictors.rollout.routing.objects import MODE_ANNOTATION, SCALING_FIELDS, storage_uri
from predictors.rollout.routing.target import LONGEST_NAME
from predictors.rollout.spec import API_VERSION, RolloutSpec, format_duration
from predictors.rollout.terminal.evidence import requests_for_a_pass

Path: TypeAlias = Sequence[str | int]
_PREDICTOR = ("spec", "template", "spec", "predictor")
_STEPS = ("spec", "strategy", "steps")
_DIGEST_FLAG = "--artifact_digest"
_SET_BY_THE_ROLLOUT = ("name", "canaryTrafficPercent")


class Problem(NamedTuple):
    """Something to tell.

    Args:
        path: of the field.
        message: one sentence.
        is_error: whether it cannot work; otherwise it is advice.
    """

    path: Path
    message: str
    is_error: bool


@dataclass(frozen=True)
class Report:
    """What is known of one InferenceRollout.

    Args:
        problems: errors first.
        facts: what to expect, sentences.
    """

    problems: tuple[Problem, ...]
    facts: tuple[str, ...] = ()


def lint(rollout: Object) -> Report:
    """Look at an InferenceRollout as it is written in a file."""
    problems = [*_identity(rollout)]
    try:
        spec = RolloutSpec.model_validate(rollout.get("spec") or {})
    except ValidationError as error:
        problems += [_wrong(tuple(each["loc"]), each["msg"]) for each in error.errors()]
        return Report(tuple(problems))
    problems += [problem for look in _ERRORS for problem in look(spec)]
    if not problems:
        problems += [problem for look in _ADVICE for problem in look(spec)]
    return Report(tuple(problems), tuple(_facts(spec)) if not any(each.is_error for each in problems) else ())


def _wrong(location: Path, message: str) -> Problem:
    return Problem(("spec", *location), message.removeprefix("Value error, "), True)


def _identity(rollout: Object) -> Iterator[Problem]:
    if rollout.get("apiVersion") != API_VERSION:
        yield Problem(("apiVersion",), f"apiVersion: {rollout.get('apiVersion')!r} is not {API_VERSION}", True)
    name = str((rollout.get("metadata") or {}).get("name") or "")
    if not name:
        yield Problem(("metadata",), "metadata.name is missing", True)
    elif len(name) > LONGEST_NAME:
        message = f"the name has {len(name)} characters; a rollout leaves {LONGEST_NAME} of KServe's 47"
        yield Problem(("metadata", "name"), message, True)


# ---- What cannot work, though the types are right


def _predictor_errors(spec: RolloutSpec) -> Iterator[Problem]:
    predictor = spec.template.spec.predictor
    for field in _SET_BY_THE_ROLLOUT:
        if field in predictor:
            yield Problem((*_PREDICTOR, field), "the rollout sets it; leave it out", True)
    if "model" not in predictor and not predictor.get("containers"):
        yield Problem(_PREDICTOR, "the predictor has neither `model` nor `containers`", True)
    for field in SCALING_FIELDS if spec.autoscaling else ():
        if field in predictor:
            yield Problem((*_PREDICTOR, field), "spec.autoscaling says how many pods there are; leave it out", True)


def _prometheus(spec: RolloutSpec) -> Iterator[Problem]:
    url = spec.strategy.metrics.prometheus_url
    try:
        if url:
            check_url(url)
    except PrometheusError as error:
        yield _wrong(("strategy", "metrics", "prometheusUrl"), str(error))


# ---- What may not be meant


def _mode(spec: RolloutSpec) -> Iterator[Problem]:
    mode = spec.template.metadata.annotations.get(MODE_ANNOTATION)
    if spec.strategy.routing in ("auto", "canary") and mode is None:
        message = f"the annotation {MODE_ANNOTATION}: Standard is missing in the template; canary routing needs it"
        yield Problem(("spec", "template", "metadata", "annotations"), message, spec.strategy.routing == "canary")


def _artifact(spec: RolloutSpec) -> Iterator[Problem]:
    predictor = spec.template.spec.predictor
    if not storage_uri(predictor):
        message = (
            "no model.storageUri: canary routing refuses it, since KServe promotes a canary only to another storageUri"
        )
        yield Problem(_PREDICTOR, message, spec.strategy.routing == "canary")
        return
    args = predictor["model"].get("args") or []
    if not any(str(arg).partition("=")[0] == _DIGEST_FLAG for arg in args):
        message = (
            f"no digest is pinned: what lies at the storageUri may change without a rollout; add "
            f"{_DIGEST_FLAG}=sha256:… to model.args (`predictors artifact digest DIRECTORY` prints it)"
        )
        yield Problem((*_PREDICTOR, "model"), message, False)


def _steps(spec: RolloutSpec) -> Iterator[Problem]:
    steps, shadow = spec.strategy.steps, spec.strategy.shadow
    if len(steps) == 1 and shadow is None:
        yield Problem(_STEPS, "a single step of 100%: nothing is compared before all users have the new version", False)
    elif not any(step.hold for step in steps[:-1]) and (shadow is None or not shadow.hold):
        message = "no step before 100% has a hold: each goes on at the first verdict, however short a time that saw"
        yield Problem(_STEPS, message, False)


def _checks(spec: RolloutSpec) -> Iterator[Problem]:
    if spec.strategy.checks == ():
        yield Problem(
            ("spec", "strategy", "checks"), "no checks: nothing is compared, and only time is waited for", False
        )


_Look: TypeAlias = Callable[[RolloutSpec], Iterator[Problem]]
_ERRORS: tuple[_Look, ...] = (_predictor_errors, _prometheus)
_ADVICE: tuple[_Look, ...] = (_mode, _artifact, _steps, _checks)


# ---- What to expect


def _facts(spec: RolloutSpec) -> Iterator[str]:
    strategy = spec.strategy
    holds = sum(step.hold for step in strategy.steps) + (strategy.shadow.hold if strategy.shadow else 0)
    limit = sum(strategy.evidence_limit for step in strategy.steps if step.weight < 100)
    yield (
        f"takes {format_duration(holds)} of holds at least, and up to {format_duration(limit)} more where traffic is "
        "little; starting and draining pods comes on top"
    )
    if strategy.pause_before:
        weights = ", ".join(f"{weight}%" for weight in sorted(strategy.pause_before))
        yield f"waits for a person before {weights}: predictors rollout promote"
    first = strategy.steps[0]
    needed = requests_for_a_pass(strategy, first.weight)
    if needed is None or first.weight == 100:
        return
    total = needed * 100 / first.weight
    text = f"the first step, {first.weight}%, takes about {needed:,} requests at the canary to pass the check of errors"
    if first.hold:
        text += f": {total / first.hold:,.1f} requests/s of all users within its hold of {format_duration(first.hold)}"
    limit = first.hold + strategy.evidence_limit
    yield f"{text}; below {total / limit:,.2f} requests/s it gives up" if limit else text
