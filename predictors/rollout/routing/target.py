"""What a rollout is about: the InferenceService, the template it shall follow, and how revisions are told apart."""

import copy
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property

from predictors.rollout.kube.api import Object
from predictors.rollout.routing.objects import (
    CLASS_ANNOTATION,
    REVISION_LABEL,
    SCALING_FIELDS,
    without,
)
from predictors.rollout.spec import Autoscaling, Template

# What the label `app=isvc.NAME-CANARY-predictor` and Kubernetes' limit of 63 leave for a name and a canary's of 9.
LONGEST_NAME = 38


def revision(predictor: Object) -> str:
    """Names a version of a predictor: 8 hexadecimal digits, of everything that makes its pods what they are."""
    canonical = json.dumps(_pods_part(predictor), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def _pods_part(predictor: Object) -> Object:
    part = without(copy.deepcopy(predictor), "name", *SCALING_FIELDS)
    labels = without(part.get("labels") or {}, REVISION_LABEL)
    return without(part, "labels") | ({"labels": labels} if labels else {})


@dataclass(frozen=True)
class Target:
    """One InferenceService and its template.

    Args:
        namespace, name: of the InferenceService.
        template: what it shall be.
        autoscaling: HPAs of the rollout's own; None: KServe sizes by the template.
        stable: predictor of the stable version, where it is known; None: as it is found.
        owners: owner references of what the rollout makes.
    """

    namespace: str
    name: str
    template: Template
    autoscaling: Autoscaling | None = None
    stable: Object | None = None
    owners: list[Object] = field(default_factory=list)

    @cached_property
    def revision(self) -> str:
        """Of the template."""
        return revision(self.template.spec.predictor)

    @property
    def wanted(self) -> Object:
        """The predictor that is wanted: of the template, labelled with its revision, without numbers of pods."""
        predictor = _pods_part(self.template.spec.predictor)
        predictor["labels"] = predictor.get("labels", {}) | {REVISION_LABEL: self.revision}
        return predictor

    @property
    def scaling(self) -> Object:
        """Fields of the template that say how many pods there are."""
        if self.autoscaling is not None:
            return {"minReplicas": 1}
        predictor = self.template.spec.predictor
        return {"minReplicas": 1} | {key: predictor[key] for key in SCALING_FIELDS if predictor.get(key) is not None}

    @property
    def minimum(self) -> int:
        """Least number of pods of a version with all of the traffic."""
        return self.autoscaling.min_replicas if self.autoscaling else int(self.scaling["minReplicas"])

    @property
    def too_long(self) -> str:
        """Why the name leaves no room for a canary's; empty if it does."""
        if len(self.name) <= LONGEST_NAME:
            return ""
        return f"the name has {len(self.name)} characters; a rollout leaves {LONGEST_NAME} of KServe's 47"

    @property
    def labels(self) -> dict[str, str]:
        """Of the InferenceService."""
        return dict(self.template.metadata.labels)

    @property
    def annotations(self) -> dict[str, str]:
        """Of the InferenceService."""
        annotations = dict(self.template.metadata.annotations)
        return annotations | ({CLASS_ANNOTATION: "external"} if self.autoscaling else {})

    def metadata(self, name: str) -> Object:
        """Metadata of an InferenceService that the rollout makes."""
        return {
            "name": name,
            "namespace": self.namespace,
            "labels": self.labels,
            "annotations": self.annotations,
            "ownerReferences": self.owners,
        }
