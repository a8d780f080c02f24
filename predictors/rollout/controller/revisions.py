"""The templates that an InferenceRollout had, as Kubernetes keeps those of its own workloads: ControllerRevisions."""

from dataclasses import dataclass

from predictors.rollout.kube.api import API_VERSIONS, Api, Conflict, Object
from predictors.rollout.routing.objects import without

ROLLOUT_LABEL = "rollouts.predictors.dev/rollout"


@dataclass(frozen=True)
class Revisions:
    """The kept templates of one InferenceRollout.

    Args:
        api: the API server.
        namespace, name: of the InferenceRollout.
        owners: owner references of what is kept.
    """

    api: Api
    namespace: str
    name: str
    owners: list[Object]

    def find(self, revision: str) -> Object | None:
        """The template of a revision; None if it is not kept."""
        found = self.api.get("ControllerRevision", self.namespace, self._name(revision))
        return None if found is None else dict(found["data"])

    def keep(self, revision: str, template: Object) -> None:
        """Keep a template, if it is not kept already; it counts as the newest."""
        newest = max((each["revision"] for each in self._all()), default=0)
        metadata = {
            "name": self._name(revision),
            "namespace": self.namespace,
            "labels": {ROLLOUT_LABEL: self.name},
            "ownerReferences": self.owners,
        }
        kind = {"apiVersion": API_VERSIONS["ControllerRevision"], "kind": "ControllerRevision"}
        try:
            self.api.create(kind | {"metadata": metadata, "data": template, "revision": newest + 1})
        except Conflict:
            kept = self.api.get("ControllerRevision", self.namespace, self._name(revision))
            if kept is not None and kept["revision"] < newest:
                self.api.replace(kept | {"revision": newest + 1})

    def prune(self, limit: int, needed: set[str]) -> None:
        """Delete the oldest beyond a number, but none that is needed."""
        kept = [each for each in self._all() if each["metadata"]["name"] not in map(self._name, needed)]
        for each in kept[: max(0, len(kept) + len(needed) - limit)]:
            self.api.delete("ControllerRevision", self.namespace, each["metadata"]["name"])

    def _all(self) -> list[Object]:
        found = self.api.list("ControllerRevision", self.namespace, f"{ROLLOUT_LABEL}={self.name}")
        return sorted(found, key=lambda each: int(each["revision"]))

    def _name(self, revision: str) -> str:
        return f"{self.name}-{revision}"


def template_of(predictor: Object, metadata: Object) -> Object:
    """A template from an InferenceService that is there."""
    return {
        "metadata": {key: dict(metadata.get(key) or {}) for key in ("labels", "annotations")},
        "spec": {"predictor": without(predictor, "name")},
    }
