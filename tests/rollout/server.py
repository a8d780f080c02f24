"""The API server as people use it: with KServe's admission, without faults."""

from predictors.rollout.kube.api import Object
from tests.rollout import webhook
from tests.rollout.store import Store, copied, merged


class Server:
    """The API server as people use it: with admission, without faults."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.delete = store.delete

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """See `Api.get`."""
        return copied(self._store.get(kind, namespace, name))

    def list(self, kind: str, namespace: str, labels: str = "") -> list[Object]:
        """See `Api.list`."""
        return copied(self._store.list(kind, namespace, labels))

    def create(self, thing: Object) -> Object:
        """See `Api.create`."""
        return copied(self._store.create(self._admitted(thing, None)))

    def replace(self, thing: Object) -> Object:
        """See `Api.replace`."""
        metadata = thing["metadata"]
        old = self._store.get(thing["kind"], metadata["namespace"], metadata["name"])
        return copied(self._store.replace(self._admitted(thing, old)))

    def patch(self, kind: str, namespace: str, name: str, change: Object, *, subresource: str = "") -> Object:
        """See `Api.patch`."""
        old = self._store.get(kind, namespace, name)
        if old is not None and not subresource and kind == "InferenceService":
            return copied(self._store.replace(self._admitted(merged(old, change), old)))
        return copied(self._store.patch(kind, namespace, name, change, subresource=subresource))

    def _admitted(self, thing: Object, old: Object | None) -> Object:
        if thing["kind"] != "InferenceService":
            return thing
        new = webhook.defaulted(thing)
        webhook.validate(new, old)
        return new
