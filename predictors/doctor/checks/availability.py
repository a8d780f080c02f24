"""Pods enough, evictions one at a time, and volumes that more than one node can mount."""

import math
import re
from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.fields import Object, at, mapping, name, selects, text, texts
from predictors.doctor.finding import Issue
from predictors.doctor.model import SERVICE_LABEL, Model

_AT_LEAST = re.compile(r"(\d{1,9})(%?)", re.ASCII)


def single_replica(model: Model) -> Iterator[Issue]:
    """A model with one pod."""
    if model.least == 1:
        # Kubernetes refuses a least number above the greatest.
        room = {"maxReplicas": 2} if model.predictor.get("maxReplicas") == 1 else {}
        yield model.issue(
            "it may have a single pod, so a drain, an eviction or a lost node interrupts it",
            remedy.predictor(model, "replicas=2", {"minReplicas": 2, **room}),
        )


def no_budget(model: Model) -> Iterator[Issue]:
    """Pods that no PodDisruptionBudget selects. Knative's pods have names that no budget of the chart knows."""
    if not model.is_knative and not _budgets(model):
        yield model.issue(
            "no PodDisruptionBudget selects its pods, so a drain may evict them all at once",
            remedy.release(model, f"models.{model.name}.podDisruptionBudget.enabled=true", _own_budget(model)),
        )


def drain_blocked(model: Model) -> Iterator[Issue]:
    """Budgets that let no pod go, ever."""
    budgets = _budgets(model)
    if len(budgets) > 1:
        names = " and ".join(map(name, budgets))
        message = f"two PodDisruptionBudgets select its pods, {names}; Kubernetes then refuses every eviction"
        narrow = [each for each in budgets if at(each, "spec", "selector", "matchLabels", SERVICE_LABEL) == model.name]
        # One for several models is kept: the others may have no other.
        extra = (narrow or budgets)[-1]
        fix = remedy.in_namespace(model, f"kubectl delete poddisruptionbudget {name(extra)}")
        yield model.issue(message, fix)
    for budget in budgets[:1]:
        if _blocks(budget, model.least):
            yield model.issue(
                f"the PodDisruptionBudget {name(budget)} never lets a pod go, so no node with one can be drained",
                remedy.release(
                    model, f"models.{model.name}.podDisruptionBudget.maxUnavailable=1", _loosened(model, budget)
                ),
            )


def _budgets(model: Model) -> list[Object]:
    known = model.cluster.of("PodDisruptionBudget")
    selectors = [(each, at(each, "spec", "selector")) for each in known]
    # One without a selector selects nothing, one with an empty selector everything.
    return [each for each, selector in selectors if selector is not None and selects(selector, model.labels)]


def _blocks(budget: Object, pods: int) -> bool:
    spec = mapping(budget, "spec")
    most = spec.get("maxUnavailable")
    if most is not None:
        return str(most) in ("0", "0%")
    least = str(spec.get("minAvailable"))
    match = _AT_LEAST.fullmatch(least)
    if not match:
        return False
    needed = math.ceil(pods * int(match[1]) / 100) if match[2] else int(match[1])
    return 0 < needed >= pods


def _own_budget(model: Model) -> str:
    where = f"-n {model.cluster.namespace} --selector {SERVICE_LABEL}={model.name}"
    return f"kubectl create poddisruptionbudget {model.name} {where} --max-unavailable 1"


def _loosened(model: Model, budget: Object) -> str:
    body = """'{"spec": {"minAvailable": null, "maxUnavailable": 1}}'"""
    return f"kubectl patch poddisruptionbudget {name(budget)} -n {model.cluster.namespace} --type merge -p {body}"


def volume_on_one_node(model: Model) -> Iterator[Issue]:
    """A volume that one node at a time can mount, under several pods."""
    claim = model.storage_uri.removeprefix("pvc://").partition("/")[0]
    if not model.storage_uri.startswith("pvc://") or model.most < 2 or len(model.cluster.of("Node")) < 2:
        return
    for each in model.cluster.of("PersistentVolumeClaim"):
        modes = set(texts(each, "spec", "accessModes"))
        if name(each) == claim and modes and not modes & {"ReadWriteMany", "ReadOnlyMany"}:
            yield model.issue(
                f"all its pods are kept on one node, since the claim {claim} is {' and '.join(sorted(modes))}; "
                "a claim keeps its modes for life, so this takes another one, or another storage",
                remedy.container(model, "storageUri=pvc://CLAIM/PATH", {"storageUri": "pvc://CLAIM/PATH"}),
            )


def one_node(model: Model) -> Iterator[Issue]:
    """Several pods, all on one node."""
    nodes = {text(each, "spec", "nodeName") for each in model.pods} - {""}
    if len(model.pods) > 1 and len(nodes) == 1 and len(model.cluster.of("Node")) > 1:
        yield model.issue(
            f"all its {len(model.pods)} pods are on the node {nodes.pop()}",
            remedy.in_namespace(model, f"kubectl delete pod {name(model.pods[0])}"),
        )
