"""A rollout without an InferenceRollout: from an InferenceService, and what a person wants of it, to a job."""

import copy
import re
from dataclasses import dataclass

from predictors.rollout.driver import Job
from predictors.rollout.kube.api import API_VERSIONS, Api, Object, Refused
from predictors.rollout.routing import services
from predictors.rollout.routing.choice import choose
from predictors.rollout.routing.objects import CLASS_ANNOTATION, VISIBILITY_LABEL, without
from predictors.rollout.routing.target import Target
from predictors.rollout.spec import KIND, RolloutSpec, Strategy, Template, TemplateMetadata, TemplateSpec

_DIGEST_FLAG = "--artifact_digest"
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
# Whose metadata says who installed the InferenceService. On a canary's, Argo CD and Helm would take it for theirs.
_INSTALLERS = (
    "argocd.argoproj.io/",
    "helm.sh/",
    "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
)
_INSTALLERS_LABELS = {"app.kubernetes.io/instance", "app.kubernetes.io/managed-by", VISIBILITY_LABEL}


@dataclass(frozen=True)
class Order:
    """What a person wants of an InferenceService.

    Args:
        namespace, name: of the InferenceService.
        strategy: how the new version gets its traffic.
        storage_uri: of the new version; empty: the one that is there, so a canary's traffic is taken back.
        digest: of the new version's manifest, sha256:…; empty: it is not pinned.
    """

    namespace: str
    name: str
    strategy: Strategy
    storage_uri: str = ""
    digest: str = ""


def job_of(api: Api, order: Order) -> Job:
    """The rollout of an InferenceService from where it is now; from the middle of an earlier one too.

    Raises:
        Refused: it cannot be done; the text says why.
    """
    service = services.get(api, order.namespace, order.name)
    if service is None:
        raise Refused(f"there is no InferenceService {order.name} in namespace {order.namespace}")
    metadata = service["metadata"]
    if any(owner["kind"] == KIND for owner in metadata.get("ownerReferences") or []):
        raise Refused(f"{order.name} belongs to the InferenceRollout of that name; change its template")
    if "predictor" not in service["spec"]:
        raise Refused(f"{order.name} has no predictor")
    template = _template(service, order)
    target = Target(
        order.namespace, order.name, template, stable=service["spec"]["predictor"], owners=[_owner(metadata)]
    )
    spec = RolloutSpec(template=template, strategy=order.strategy)
    return Job(target, spec, _routing(api, service, target, order.strategy.routing), restores=False)


def _is_local(service: Object) -> bool:
    """Whether the route is a pair's, from an earlier rollout: KServe makes none."""
    return (service["metadata"].get("labels") or {}).get(VISIBILITY_LABEL) == "cluster-local"


def _owner(metadata: Object) -> Object:
    """What the rollout makes goes with the InferenceService."""
    return {
        "apiVersion": API_VERSIONS["InferenceService"],
        "kind": "InferenceService",
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _template(service: Object, order: Order) -> Template:
    predictor = without(copy.deepcopy(service["spec"]["predictor"]), "name") | _scaling(service)
    if order.storage_uri:
        _renew(predictor, order)
    return Template(metadata=_metadata(service["metadata"]), spec=TemplateSpec(predictor=predictor))


def _metadata(metadata: Object) -> TemplateMetadata:
    return TemplateMetadata(labels=_own(metadata.get("labels")), annotations=_own(metadata.get("annotations")))


def _own(values: dict[str, str] | None) -> dict[str, str]:
    return {
        key: value
        for key, value in (values or {}).items()
        if key not in _INSTALLERS_LABELS and not key.startswith(_INSTALLERS)
    }


def _scaling(service: Object) -> Object:
    """The stable version's least number of pods, without those that compensate for a canary in the InferenceService.

    A maximum that was raised for them stays: what it was before is written nowhere, and too low a one would be worse.
    """
    predictor, entries = service["spec"]["predictor"], service["spec"].get("canary") or []
    if not entries or predictor.get("minReplicas") is None:
        return {}
    return {"minReplicas": max(1, predictor["minReplicas"] - entries[0]["predictor"].get("minReplicas", 1))}


def _renew(predictor: Object, order: Order) -> None:
    model = predictor.get("model")
    if not model or not model.get("storageUri"):
        raise Refused(f"the predictor of {order.name} has no model.storageUri; a rollout gives it another one")
    if order.digest and not _DIGEST.fullmatch(order.digest):
        raise Refused(f"{order.digest} is not a digest; one is sha256: and 64 hexadecimal digits")
    args = list(model.get("args") or [])
    if not order.digest and any(arg.partition("=")[0] == _DIGEST_FLAG for arg in args):
        raise Refused(
            f"{order.name} pins its artifact with {_DIGEST_FLAG}; give the new one's with --digest "
            "(`predictors artifact digest DIRECTORY` prints it)"
        )
    model["storageUri"] = order.storage_uri
    if order.digest:
        model["args"] = [*_without_digest(args), f"{_DIGEST_FLAG}={order.digest}"]


def _without_digest(args: list[str]) -> list[str]:
    kept = []
    rest = iter(args)
    for arg in rest:
        if arg == _DIGEST_FLAG:
            next(rest, None)
        elif not arg.startswith(f"{_DIGEST_FLAG}="):
            kept.append(arg)
    return kept


def _routing(api: Api, service: Object, target: Target, wanted: str) -> str:
    """As it is wanted; auto: as a rollout that is under way has it, and else as the cluster can."""
    owns_hpa = service["metadata"].get("annotations", {}).get(CLASS_ANNOTATION) == "external"
    if wanted == "auto":
        if service["spec"].get("canary"):
            wanted = "canary"
        elif owns_hpa or _is_local(service) or services.get(api, target.namespace, f"{target.name}-canary") is not None:
            wanted = "pair"
    routing = choose(api, wanted, target.annotations)
    if routing == "canary" and owns_hpa:
        raise Refused(
            f"{target.name} has an HPA of its own, which names the Deployment, and a canary's promotion gives that "
            "another name; use --routing pair"
        )
    return routing
