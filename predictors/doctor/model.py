"""A model: its InferenceService with what belongs to it, as it runs if it runs, else as it is declared."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from predictors.doctor.fields import Object, flags, integer, mapping, name, objects, text, texts
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.snapshot import Snapshot

SERVICE_LABEL = "serving.kserve.io/inferenceservice"
_CONTAINER = "kserve-container"
_MODE = "serving.kserve.io/deploymentMode"
# An evicted pod has failed, and stays for a while.
_ENDED = ("Failed", "Succeeded")
# Flags that no other server has; --model_dir is KServe's too, and Triton writes --model-store.
_OWN_FLAGS = {
    f"--{each}"
    for each in (
        "artifact_digest", "cache_url", "drain_seconds", "enable_repository", "grace_seconds", "jwt_issuer",
        "model_store", "request_log_url", "request_timeout_seconds", "signature_key", "token_digests_file",
        "trust_artifact",
    )
}  # fmt: skip
# As `predictors serve` has it where it is not told otherwise, seconds.
DEFAULTS = {"request_timeout_seconds": 60.0, "drain_seconds": 5.0, "grace_seconds": 60.0}


@dataclass(frozen=True)
class Model:
    """A model.

    Args:
        cluster: what was read.
        service: its InferenceService.
        own: what has its label, by kind.
    """

    cluster: Snapshot
    service: Object
    own: Mapping[str, Sequence[Object]] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """The InferenceService's."""
        return name(self.service)

    @cached_property
    def predictor(self) -> Object:
        """Its `spec.predictor`."""
        return mapping(self.service, "spec", "predictor")

    @cached_property
    def is_knative(self) -> bool:
        """Whether Knative runs its pods."""
        annotated = text(self.service, "metadata", "annotations", _MODE)
        return (annotated or text(self.service, "status", "deploymentMode")) in ("Knative", "Serverless")

    @cached_property
    def runtime(self) -> Object:
        """The runtime that it names; empty if there is none."""
        wanted = text(self.predictor, "model", "runtime")
        known = [*self.cluster.of("ServingRuntime"), *self.cluster.of("ClusterServingRuntime")]
        return next((each for each in known if wanted and name(each) == wanted), {})

    @cached_property
    def rollout(self) -> Object:
        """The InferenceRollout of its name; empty if there is none."""
        return next((each for each in self.cluster.of("InferenceRollout") if name(each) == self.name), {})

    @cached_property
    def pods(self) -> list[Object]:
        """Its pods that have not ended and are not being deleted, newest first."""
        left = [each for each in self.own.get("Pod", ()) if text(each, "status", "phase") not in _ENDED]
        live = [each for each in left if "deletionTimestamp" not in mapping(each, "metadata")]
        return sorted(live, key=lambda each: text(each, "metadata", "creationTimestamp"), reverse=True)

    @cached_property
    def age(self) -> float:
        """How long its newest pod has been there, seconds; endless where there is none, or it does not say."""
        try:
            made = datetime.fromisoformat(text(self.pods[0], "metadata", "creationTimestamp"))
        except (IndexError, ValueError):
            return math.inf
        return self.cluster.now - made.timestamp()

    @cached_property
    def deployments(self) -> list[Object]:
        """Its Deployments."""
        return [*self.own.get("Deployment", ())]

    @cached_property
    def autoscalers(self) -> list[Object]:
        """The HPAs of its Deployments."""
        named = text(self.predictor, "name")
        targets = {f"{self.name}-predictor", f"{self.name}-{named}-predictor", *map(name, self.deployments)}
        known = self.cluster.of("HorizontalPodAutoscaler")
        return [each for each in known if text(each, "spec", "scaleTargetRef", "name") in targets]

    @cached_property
    def labels(self) -> Object:
        """Those of its pods."""
        if self.pods:
            return mapping(self.pods[0], "metadata", "labels")
        return {**mapping(self.service, "metadata", "labels"), SERVICE_LABEL: self.name}

    @cached_property
    def spec(self) -> Object:
        """That of its pods."""
        if self.pods:
            return mapping(self.pods[0], "spec")
        return {**mapping(self.runtime, "spec"), **self.predictor}

    @cached_property
    def container(self) -> Object:
        """The one that serves."""
        containers = objects(self.spec, "containers") or objects(self.runtime, "spec", "containers")
        serving = next((each for each in containers if name_of(each) == _CONTAINER), next(iter(containers), {}))
        own = mapping(self.predictor, "model")
        if self.pods or not own:
            return serving
        arguments = texts(serving, "args") + texts(own, "args")
        return {**serving, **own, "args": arguments, "env": objects(serving, "env") + objects(own, "env")}

    @cached_property
    def settings(self) -> dict[str, str]:
        """Settings of `predictors serve`: of the environment, then of the arguments, which count more."""
        environment = {
            text(each, "name").removeprefix("PREDICTORS_").lower(): text(each, "value") or "(from elsewhere)"
            for each in objects(self.container, "env")
            if text(each, "name").startswith("PREDICTORS_")
        }
        return environment | dict(flags(texts(self.container, "command") + texts(self.container, "args")))

    @cached_property
    def is_ours(self) -> bool:
        """Whether `predictors serve` serves it. Without a command it is the image's program, known by its settings."""
        command, arguments = texts(self.container, "command"), texts(self.container, "args")
        if command:
            return command[0].rpartition("/")[2] == "predictors"
        variables = [text(each, "name") for each in objects(self.container, "env")]
        return (
            any(each.partition("=")[0] in _OWN_FLAGS for each in arguments)
            or any(each.startswith("PREDICTORS_") for each in variables)
            or "kserve-predictors/" in text(self.container, "image")
        )

    @cached_property
    def kind(self) -> str:
        """Its predictor, as `predictors serve` is told it."""
        words = texts(self.container, "command") + texts(self.container, "args")
        given = (following for word, following in pairwise(words) if word == "serve")
        return next((each for each in given if not each.startswith("-")), "")

    @cached_property
    def storage_uri(self) -> str:
        """Where its artifact is."""
        return text(self.predictor, "model", "storageUri")

    @cached_property
    def least(self) -> int:
        """How few pods it may have."""
        if self.autoscalers:
            return max(_number(each, "minReplicas") for each in self.autoscalers)
        if self.deployments and not self.is_knative:
            return max(_number(each, "replicas") for each in self.deployments)
        return _number({"spec": self.predictor}, "minReplicas")

    @cached_property
    def most(self) -> int:
        """How many pods it may have."""
        from_scalers = [_number(each, "maxReplicas") for each in self.autoscalers]
        return max(self.least, *from_scalers, _number({"spec": self.predictor}, "maxReplicas"))

    def seconds(self, setting: str) -> float:
        """A time among the server's settings."""
        try:
            found = float(self.settings.get(setting, ""))
        except ValueError:
            return DEFAULTS[setting]
        return found if math.isfinite(found) else DEFAULTS[setting]

    def issue(self, message: str, fix: Fix) -> Issue:
        """An issue of this model."""
        return Issue(f"inferenceservice/{self.name}", message, fix)


def models(cluster: Snapshot) -> list[Model]:
    """The models of a namespace. A rollout's canary, an InferenceService too, is none, nor is what is being deleted."""
    own: dict[str, dict[str, list[Object]]] = defaultdict(lambda: defaultdict(list))
    for kind in ("Pod", "Deployment", "ReplicaSet"):
        for each in cluster.of(kind):
            own[text(each, "metadata", "labels", SERVICE_LABEL)][kind].append(each)
    return [Model(cluster, each, own[name(each)]) for each in cluster.of("InferenceService") if _is_model(each)]


def _is_model(service: Object) -> bool:
    if "deletionTimestamp" in mapping(service, "metadata"):
        return False
    owners = objects(service, "metadata", "ownerReferences")
    rollouts = {name_of(each) for each in owners if text(each, "kind") == "InferenceRollout"}
    return not rollouts or name(service) in rollouts


def name_of(entry: Object) -> str:
    """The name of an entry in a list."""
    return text(entry, "name")


def _number(thing: Object, field: str) -> int:
    """A number of pods; 1 if none is said, as Kubernetes has it."""
    found = integer(thing, "spec", field)
    return 1 if found is None else found
