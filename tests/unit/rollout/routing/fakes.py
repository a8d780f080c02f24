"""An API server that keeps what it is given, and objects to put into it."""

import copy

from predictors.rollout.kube.api import Conflict, Object
from predictors.rollout.routing.target import Target
from predictors.rollout.spec import Autoscaling, Template

NAMESPACE, NAME = "models", "iris"
PREDICTOR: Object = {
    "minReplicas": 2,
    "timeout": 15,
    "model": {"modelFormat": {"name": "iris"}, "storageUri": "s3://bucket/iris/1", "args": ["--http_port=8080"]},
}


class Store:
    """See the module's docstring.

    Args:
        things: that are there.
    """

    def __init__(self, *things: Object) -> None:
        self._things: dict[tuple[str, str, str], Object] = {}
        self.writes: list[tuple[str, str, str]] = []
        for thing in things:
            self._things[_key(thing)] = thing

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self._things.get((kind, namespace, name)))

    def list(self, kind: str, namespace: str, labels: str = "") -> list[Object]:
        raise NotImplementedError

    def create(self, thing: Object) -> Object:
        if _key(thing) in self._things:
            raise Conflict("it exists")
        return self._write("create", thing)

    def replace(self, thing: Object) -> Object:
        assert _key(thing) in self._things
        return self._write("replace", thing)

    def patch(self, kind: str, namespace: str, name: str, change: Object, *, subresource: str = "") -> Object:
        raise NotImplementedError

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self.writes.append(("delete", kind, name))
        self._things.pop((kind, namespace, name), None)

    def _write(self, verb: str, thing: Object) -> Object:
        self.writes.append((verb, thing["kind"], thing["metadata"]["name"]))
        self._things[_key(thing)] = copy.deepcopy(thing)
        return thing


def _key(thing: Object) -> tuple[str, str, str]:
    return thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def target(
    predictor: Object | None = None, autoscaling: Autoscaling | None = None, **metadata: dict[str, str]
) -> Target:
    """The InferenceService `models/iris`."""
    template = {"metadata": metadata, "spec": {"predictor": PREDICTOR if predictor is None else predictor}}
    return Target(NAMESPACE, NAME, Template.model_validate(template), autoscaling, owners=[{"uid": "1"}])
