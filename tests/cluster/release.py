"""One release of the chart, as a platform engineer handles it with helm."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.cluster.cluster import Cluster, is_ready
from tests.cluster.gateway import Gateway
from tests.cluster.programs import CHART, helm
from tests.cluster.settings import Settings
from tests.waiting import until

Values = dict[str, Any]
# The node may have two cores, and everything else runs on it. Memory is as the chart has it.
_REQUESTED_CPU = {"iris": "20m", "intent": "20m", "summarizer": "100m"}


def sized(settings: Settings) -> Values:
    """Values that every release of the tests has: the images, which KServe there is, requests of test size, and a storage
    initializer that a restricted namespace takes, however KServe was installed.
    """
    return {
        "image": {"registry": settings.registry, "tag": settings.tag},
        "kserve": {"version": settings.kserve_version},
        "kinds": {kind: {"resources": {"requests": {"cpu": cpu}}} for kind, cpu in _REQUESTED_CPU.items()},
        "storage": {"initializer": {"create": True}},
    }


def merge(base: Values, changes: Values) -> Values:
    """Values with changes: maps are merged, and None takes a value away; neither is altered."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return {key: value for key, value in merged.items() if value is not None}


class Release:
    """A release of the chart in a namespace.

    Args:
        cluster: where.
        gateway: leads to its models.
        namespace: in which.
        values: what it is installed with.
        scratch: directory for files of values.
        name: its name.
    """

    def __init__(self, cluster: Cluster, gateway: Gateway, namespace: str, values: Values, scratch: Path) -> None:
        self.cluster = cluster
        self.gateway = gateway
        self.namespace = namespace
        self.name = "predictors"
        self._values = values
        self._scratch = scratch
        self._changed = 0.0

    def install(self) -> None:
        self._changed = time.monotonic()
        helm("install", self.name, CHART, *self._in_namespace(), *self._file(self._values))

    def upgrade(self, changes: Values) -> None:
        """Upgrade to the values of the installation with these changes."""
        self._changed = time.monotonic()
        helm("upgrade", self.name, CHART, *self._in_namespace(), *self._file(merge(self._values, changes)))

    def rollback(self, revision: int) -> None:
        self._changed = time.monotonic()
        helm("rollback", self.name, str(revision), *self._in_namespace())

    def uninstall(self) -> None:
        helm("uninstall", self.name, *self._in_namespace(), "--wait")

    def test(self) -> str:
        """Run `helm test`; gives what it printed."""
        return helm("test", self.name, *self._in_namespace())

    def wait_ready(self, models: Iterable[str]) -> dict[str, float]:
        """Wait until models are Ready and reached through the gateway; gives how many seconds after the last change began each was."""
        return wait_ready(self.cluster, self.gateway, self.namespace, models, self._changed)

    def _in_namespace(self) -> tuple[str, str]:
        return "--namespace", self.namespace

    def _file(self, values: Values) -> tuple[str, Path]:
        path = self._scratch / f"{self.namespace}-values.json"
        path.write_text(json.dumps(values), "utf-8")
        return "--values", path


def wait_ready(
    cluster: Cluster, gateway: Gateway, namespace: str, models: Iterable[str], begin: float
) -> dict[str, float]:
    """Wait until InferenceServices are Ready and reached through the gateway; gives how many seconds after a time, in
    monotonic seconds, each was Ready.
    """
    awaited, seconds = set(models), dict[str, float]()

    def look() -> bool:
        for model in [*awaited]:
            if is_ready(cluster.get("InferenceService", model, namespace)):
                awaited.remove(model)
                seconds[model] = time.monotonic() - begin
        return not awaited

    until(look, f"{', '.join(sorted(awaited))} to be Ready")
    for model in seconds:
        gateway.wait_routed(model, namespace)
    return seconds
