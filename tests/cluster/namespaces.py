"""Namespaces of the tests' own, each enforced `restricted`."""

import uuid

from tests.cluster.cluster import Cluster
from tests.waiting import until

RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
}


class Namespaces:
    """Makes namespaces and deletes them.

    Args:
        cluster: where.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.live: list[str] = []
        self._ending: list[str] = []

    def reserve(self, purpose: str) -> str:
        """The name of a namespace that something else makes: new, and short enough for KServe's host names."""
        name = f"predictors-{purpose}-{uuid.uuid4().hex[:5]}"
        self.live.append(name)
        return name

    def create(self, purpose: str) -> str:
        """Make a namespace; gives its name."""
        name = self.reserve(purpose)
        self._cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
        )
        return name

    def delete(self, name: str) -> None:
        """Begin to delete a namespace with everything in it, if it is there."""
        self.live.remove(name)
        if self._cluster.get("Namespace", name):
            self._ending.append(name)
            self._cluster.delete("Namespace", name)

    def close(self) -> None:
        """Delete what is left, and wait until all are gone."""
        for name in [*self.live]:
            self.delete(name)
        for name in self._ending:
            until(lambda: not self._cluster.get("Namespace", name), f"namespace {name} to end")  # noqa: B023  # at once
