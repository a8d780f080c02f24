"""Times that depend on each other: the deadline, the gateway's timeout, and how long a pod may take to end."""

import re
from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.fields import integer, name, objects, text
from predictors.doctor.finding import Issue
from predictors.doctor.model import Model

# KServe's, for routes of InferenceServices that say nothing.
_ROUTE_SECONDS = 60
# Kubernetes', for pods that say nothing.
_TERMINATION_SECONDS = 30
# The Gateway API's durations: https://gateway-api.sigs.k8s.io/geps/gep-2257
_DURATION = re.compile(r"(\d{1,5})(h|ms|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def route_too_short(model: Model) -> Iterator[Issue]:
    """Gateways that give up before the server does."""
    deadline = model.seconds("request_timeout_seconds")
    declared = float(integer(model.predictor, "timeout") or _ROUTE_SECONDS)
    least, where = min(_routes(model), default=(declared, "spec.predictor.timeout"))
    if least < deadline:
        wanted = int(deadline) + 5
        yield model.issue(
            f"{where} ends a request after {least:g} s, and the server would answer within {deadline:g} s",
            remedy.predictor(model, f"requestTimeoutSeconds={max(1, int(deadline))}", {"timeout": wanted}),
        )


def _routes(model: Model) -> Iterator[tuple[float, str]]:
    own = {model.name, f"{model.name}-predictor"}
    for route in model.cluster.of("HTTPRoute"):
        if name(route) in own:
            for rule in objects(route, "spec", "rules"):
                seconds = _seconds(text(rule, "timeouts", "request"))
                if seconds:
                    yield seconds, f"HTTPRoute {name(route)}"


def _seconds(duration: str) -> float:
    """A duration; 0, which also means no limit, if it is none."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(duration))


def killed_early(model: Model) -> Iterator[Issue]:
    """Pods that are killed before they have finished. Knative takes the request's timeout."""
    if model.is_knative:
        return
    drain, grace = model.seconds("drain_seconds"), model.seconds("grace_seconds")
    allowed = integer(model.spec, "terminationGracePeriodSeconds")
    allowed = _TERMINATION_SECONDS if allowed is None else allowed
    if allowed <= drain + grace:
        wanted = int(drain + grace) + 10
        yield model.issue(
            f"a pod is killed {allowed} s after SIGTERM, and may take {drain + grace:g} s to drain and finish",
            remedy.predictor(model, "", {"terminationGracePeriodSeconds": wanted}),
        )


def grace_too_short(model: Model) -> Iterator[Issue]:
    """Servers that stop before the requests that they have accepted are due."""
    deadline, grace = model.seconds("request_timeout_seconds"), model.seconds("grace_seconds")
    if not model.is_knative and grace < deadline:
        yield model.issue(
            f"after a drain it gives requests {grace:g} s, though one may take {deadline:g} s",
            remedy.argument(model, f"graceSeconds={int(deadline)}", f"--grace_seconds={int(deadline)}"),
        )
