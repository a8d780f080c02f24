"""A model: its InferenceService with what belongs to it, as it runs if it runs, else as it is declared."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from predictors.doctor.fields import Object, flags, mapping, name, objects, text, texts
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.snapshot import Snapshot

SERVICE_LABEL = "serving.kserve.io/inferenceservice"
_CONTAINER = "kserve-container"
_MODE = "serving.kserve.io/deploymentMode"
_HELM = "meta.helm.sh/release-name"
_PART, _RELEASE = "app.kubernetes.io/part-of", "app.kubernetes.io/instance"
# As `predictors serve` has it where it is not told otherwise, seconds.
DEFAULTS = {"request_timeout_seconds": 60.0, "drain_seconds": 5.0, "grace_seconds": 60.0}


@dataclass(frozen=True)
class Model:
    """A model.

    Args:
        cluster: what was read.
        service: its InferenceService.
    """

    cluster: Snapshot
    service: Object

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
        """Its pods that are not being deleted, newest first."""
        own = [each for each in self.cluster.of("Pod") if self.owns(each)]
        live = [each for each in own if "deletionTimestamp" not in mapping(each, "metadata")]
        return sorted(live, key=lambda each: text(each, "metadata", "creationTimestamp"), reverse=True)

    @cached_property
    def deployments(self) -> list[Object]:
        """Its Deployments."""
        return [each for each in self.cluster.of("Deployment") if self.owns(each)]

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
        arguments = {field: texts(serving, field) + texts(own, field) for field in ("args", "env")}
        return {**serving, **own, **arguments, "env": objects(serving, "env") + objects(own, "env")}

    @cached_property
    def arguments(self) -> list[str]:
        """The InferenceService's own, which come after its runtime's."""
        return texts(self.predictor, "model", "args")

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
        """Whether `predictors serve` serves it."""
        return [word.rpartition("/")[2] for word in texts(self.container, "command")[:1]] == ["predictors"]

    @cached_property
    def kind(self) -> str:
        """Its predictor, as `predictors serve` is told it."""
        return next((word for word in texts(self.container, "command")[2:] if not word.startswith("-")), "")

    @cached_property
    def storage_uri(self) -> str:
        """Where its artifact is."""
        return text(self.predictor, "model", "storageUri")

    @cached_property
    def least(self) -> int:
        """How few pods it may have."""
        from_scaler = [each for each in (_bound(scaler, "minReplicas") for scaler in self.autoscalers) if each]
        return max(from_scaler, default=_bound({"spec": self.predictor}, "minReplicas"))

    @cached_property
    def most(self) -> int:
        """How many pods it may have."""
        from_scaler = [_bound(scaler, "maxReplicas") for scaler in self.autoscalers]
        return max(self.least, *from_scaler, _bound({"spec": self.predictor}, "maxReplicas"), 0)

    def seconds(self, setting: str) -> float:
        """A time among the server's settings."""
        try:
            return float(self.settings.get(setting, ""))
        except ValueError:
            return DEFAULTS[setting]

    def owns(self, thing: Object) -> bool:
        """Whether an object has its label."""
        return bool(self.name) and text(thing, "metadata", "labels", SERVICE_LABEL) == self.name

    def issue(self, message: str, fix: Fix) -> Issue:
        """An issue of this model."""
        return Issue(f"inferenceservice/{self.name}", message, fix)

    @property
    def frame(self) -> str:
        """How values of its release are given; empty if it is not the chart's."""
        labels = mapping(self.service, "metadata", "labels")
        release = text(labels, _RELEASE)
        if labels.get(_PART) != "predictors" or not release:
            return ""
        where = f"{shlex.quote(release)} charts/predictors -n {self.cluster.namespace}"
        if any(text(each, "metadata", "annotations", _HELM) for each in (self.service, self.runtime, self.rollout)):
            return f"helm upgrade {where} --reset-then-reuse-values {{}}"
        return f"helm template {where} -f VALUES.yaml {{}} | kubectl apply -f -"

    def fix(self, value: str, change: Object) -> Fix:
        """What sets something: a value of the chart, where it is the chart's, else a patch.

        Args:
            value: of the chart's `models.NAME`, as `--set` takes it; empty: the chart renders it so by itself.
            change: of `spec.predictor`.
        """
        if self.frame:
            whole = Fix(self.frame.replace(" {}", ""))
            return Fix(f"--set models.{self.name}.{value}", self.frame) if value else whole
        if self.rollout:
            spec = {"template": {"spec": {"predictor": change}}}
            return patch("inferencerollout", self.name, self.cluster.namespace, {"spec": spec})
        return patch("inferenceservice", self.name, self.cluster.namespace, {"spec": {"predictor": change}})

    def fix_container(self, value: str, change: Object) -> Fix:
        """The same for a change of the container that serves."""
        if "model" in self.predictor:
            return self.fix(value, {"model": change})
        containers = objects(self.predictor, "containers")
        serving = next((each for each in containers if name_of(each) == _CONTAINER), next(iter(containers), {}))
        return self.fix(value, {"containers": [{**each, **change} if each is serving else each for each in containers]})

    def fix_release(self, value: str, otherwise: str) -> Fix:
        """What sets a value of the whole release; another line, where it is not the chart's."""
        return Fix(f"--set {value}", self.frame) if self.frame else Fix(otherwise)


def models(cluster: Snapshot) -> Iterator[Model]:
    """The models of a namespace. A rollout's canary, an InferenceService of its own, is none."""
    for service in cluster.of("InferenceService"):
        owners = objects(service, "metadata", "ownerReferences")
        rollouts = {name_of(each) for each in owners if text(each, "kind") == "InferenceRollout"}
        if not rollouts or name(service) in rollouts:
            yield Model(cluster, service)


def patch(kind: str, named: str, namespace: str, change: Object) -> Fix:
    """A merge patch as a command."""
    body = shlex.quote(json.dumps(change, ensure_ascii=False))
    return Fix(f"kubectl patch {kind} {shlex.quote(named)} -n {namespace} --type merge -p {body}")


def name_of(entry: Object) -> str:
    """The name of an entry in a list."""
    return text(entry, "name")


def _bound(thing: Object, field: str) -> int:
    """A number of pods; 1 if none is said, as Kubernetes has it."""
    found = mapping(thing, "spec").get(field)
    return found if isinstance(found, int) and not isinstance(found, bool) else 1
