"""Pods that are not ready, start again and again, or take more memory than they may."""

import math
from collections.abc import Iterator

from predictors.doctor.fields import Object, at, condition, integer, mapping, name, objects, quantity, text
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import Model

# A pod that a node's restart has started again is none.
_MANY_RESTARTS = 3


def not_ready(model: Model) -> Iterator[Issue]:
    """Models that are not Ready, with the reason that stands deepest."""
    ready = condition(model.service, "Ready")
    if not mapping(model.service, "status") or ready.get("status") == "True":
        return
    where = f"-n {model.cluster.namespace}"
    for pod in model.pods:
        for status in [*objects(pod, "status", "initContainerStatuses"), *objects(pod, "status", "containerStatuses")]:
            waiting = mapping(status, "state", "waiting")
            if text(waiting, "reason") not in ("", "PodInitializing", "ContainerCreating"):
                said = text(waiting, "message") or "no message"
                fix = Fix(f"kubectl describe pod {name(pod)} {where}")
                yield model.issue(f"it is not ready: pod {name(pod)}: {text(waiting, 'reason')}: {said}", fix)
                return
    said = text(ready, "message") or text(ready, "reason") or "KServe gives no reason"
    if model.pods:
        fix = Fix(f"kubectl logs {name(model.pods[0])} {where} -c kserve-container --tail 20")
    else:
        fix = Fix(f"kubectl describe replicaset {where} -l serving.kserve.io/inferenceservice={model.name}")
    yield model.issue(f"it is not ready: {said}", fix)


def out_of_memory(model: Model) -> Iterator[Issue]:
    """Containers that the kernel has killed."""
    killed = [pod for pod in model.pods if any(map(_was_killed, objects(pod, "status", "containerStatuses")))]
    if killed:
        limit = at(mapping(model.container, "resources", "limits"), "memory")
        bytes_ = quantity(limit) or 0.0
        more = f"{math.ceil(1.5 * bytes_ / 2**20)}Mi" if bytes_ else "MORE"
        yield model.issue(
            f"pod {name(killed[0])} was killed for memory (OOMKilled); its limit is {limit}",
            model.fix_container(f"resources.limits.memory={more}", {"resources": {"limits": {"memory": more}}}),
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
                line = f"kubectl logs {name(pod)} -n {model.cluster.namespace} -c {text(status, 'name')} --previous"
                yield model.issue(f"pod {name(pod)} was restarted {times} times, last: {said}", Fix(line))
