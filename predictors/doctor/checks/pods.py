"""Pods that are not ready, start again and again, or take more memory than they may."""

import math
from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.fields import Object, at, condition, integer, mapping, name, objects, quantity, text
from predictors.doctor.finding import Issue
from predictors.doctor.model import Model

# A pod that a node's restart has started again is none.
_MANY_RESTARTS = 3
_STARTING = ("ContainerCreating", "PodInitializing")


def not_ready(model: Model) -> Iterator[Issue]:
    """Models with a pod that is not ready, or that KServe does not find Ready; with the reason that stands deepest."""
    for pod in model.pods:
        refusal = model.cluster.refusals.get(name(pod), "")
        if reason := refusal or _complaint(pod):
            command = (
                f"kubectl logs {name(pod)} -c kserve-container" if refusal else f"kubectl describe pod {name(pod)}"
            )
            yield model.issue(f"pod {name(pod)} is not ready: {reason}", remedy.in_namespace(model, command))
            return
    ready = condition(model.service, "Ready")
    if ready.get("status") != "True":
        said = text(ready, "message") or text(ready, "reason") or "KServe has said nothing of it"
        events = f"kubectl describe replicaset -l serving.kserve.io/inferenceservice={model.name}"
        asked = f"kubectl describe inferenceservice {model.name}" if model.pods else events
        yield model.issue(f"it is not ready: {said}", remedy.in_namespace(model, asked))


def _complaint(pod: Object) -> str:
    """Why a pod is not ready, as Kubernetes says it; empty if it is, or is only starting."""
    for status in (*objects(pod, "status", "initContainerStatuses"), *objects(pod, "status", "containerStatuses")):
        waiting = mapping(status, "state", "waiting")
        if text(waiting, "reason") not in ("", *_STARTING):
            return f"{text(waiting, 'reason')}: {text(waiting, 'message') or 'no message'}"
    unscheduled = condition(pod, "PodScheduled")
    if unscheduled.get("status") == "False":
        return f"{text(unscheduled, 'reason')}: {text(unscheduled, 'message')}"
    return ""


def out_of_memory(model: Model) -> Iterator[Issue]:
    """Containers that the kernel has killed."""
    killed = [pod for pod in model.pods if any(map(_was_killed, objects(pod, "status", "containerStatuses")))]
    if killed:
        limit = at(mapping(model.container, "resources", "limits"), "memory")
        bytes_ = quantity(limit) or 0.0
        more = f"{math.ceil(1.5 * bytes_ / 2**20)}Mi" if bytes_ else "MORE"
        yield model.issue(
            f"pod {name(killed[0])} was killed for memory (OOMKilled); its limit is {limit}",
            remedy.container(model, f"resources.limits.memory={more}", {"resources": {"limits": {"memory": more}}}),
        )


def _was_killed(status: Object) -> bool:
    return any(text(status, state, "terminated", "reason") == "OOMKilled" for state in ("state", "lastState"))


def restarting(model: Model) -> Iterator[Issue]:
    """Containers that were started again and again."""
    for pod in model.pods:
        for status in objects(pod, "status", "containerStatuses"):
            times = integer(status, "restartCount") or 0
            if times >= _MANY_RESTARTS:
                ended = mapping(status, "lastState", "terminated")
                said = f"{text(ended, 'reason') or 'no reason'}, exit status {ended.get('exitCode', 'unknown')}"
                fix = remedy.in_namespace(model, f"kubectl logs {name(pod)} -c {text(status, 'name')} --previous")
                yield model.issue(f"pod {name(pod)} was restarted {times} times, last: {said}", fix)
