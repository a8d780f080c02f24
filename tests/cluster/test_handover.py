"""A model's InferenceService changes hands, from Helm to a rollout and back, and Helm never deletes it; its pods do not matter here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chart.chart import Object
from tests.cluster.cluster import Cluster
from tests.cluster.definition import install_crd
from tests.cluster.namespaces import Namespaces
from tests.cluster.programs import CHART, ProgramFailed, helm, kubectl
from tests.waiting import until

pytestmark = pytest.mark.cluster
Upgrade = Callable[..., str]


@pytest.fixture
def namespace(namespaces: Namespaces) -> Iterator[str]:
    """A namespace of a cluster that has the definition, and whose controller, if there is one, leaves it alone."""
    install_crd()
    name = namespaces.create("handover")
    yield name
    namespaces.delete(name)


@pytest.fixture
def upgrade(namespace: str, tmp_path: Path) -> Upgrade:
    """Installs a release with one model, or upgrades it."""
    values = tmp_path / "values.json"

    def run(*options: str, rollout: bool) -> str:
        model = {"storageUri": "pvc://models/iris", "rollout": {"enabled": rollout, "paused": True}}
        values.write_text(json.dumps({"models": {"iris": model}}), "utf-8")
        return helm("upgrade", "--install", "p", CHART, "--namespace", namespace, "--values", values, *options)

    return run


def uid_of(cluster: Cluster, namespace: str) -> str:
    """What tells the InferenceService from a new one of its name."""
    metadata: Object = cluster.get("InferenceService", "iris", namespace)["metadata"]
    assert "deletionTimestamp" not in metadata
    return str(metadata["uid"])


def test_to_a_rollout(cluster: Cluster, namespace: str, upgrade: Upgrade) -> None:
    upgrade(rollout=False)
    before = uid_of(cluster, namespace)
    with pytest.raises(ProgramFailed, match="the upgrade would delete the InferenceService that serves"):
        upgrade(rollout=True)
    kubectl("annotate", "--namespace", namespace, "inferenceservice", "iris", "helm.sh/resource-policy=keep")
    upgrade(rollout=True)
    assert kubectl("get", "--namespace", namespace, "inferencerollouts", "--output", "name").split() == [
        "inferencerollout.rollouts.predictors.dev/iris"
    ]
    upgrade(rollout=True)  # it is not refused later either
    assert uid_of(cluster, namespace) == before


def test_back_from_a_rollout(cluster: Cluster, namespace: str, upgrade: Upgrade) -> None:
    upgrade(rollout=True)
    rollout = json.loads(kubectl("get", "--namespace", namespace, "inferencerollout", "iris", "--output", "json"))
    adopt(cluster, rollout)
    before = uid_of(cluster, namespace)
    with pytest.raises(ProgramFailed, match="the InferenceRollout owns the InferenceService, which would go with it"):
        upgrade(rollout=False)
    kubectl("delete", "--namespace", namespace, "inferencerollout", "iris", "--cascade=orphan")
    until(lambda: not owners(cluster, namespace), "the InferenceService to have no owner")
    upgrade("--take-ownership", rollout=False)
    assert uid_of(cluster, namespace) == before


def owners(cluster: Cluster, namespace: str) -> list[Object]:
    """Who owns the InferenceService."""
    found: list[Object] = cluster.get("InferenceService", "iris", namespace)["metadata"].get("ownerReferences", [])
    return found


def adopt(cluster: Cluster, rollout: Object) -> None:
    """Make what a controller makes of a rollout, if none has."""
    namespace = rollout["metadata"]["namespace"]
    if not cluster.get("InferenceService", "iris", namespace):
        owner = {key: rollout[key] for key in ("apiVersion", "kind")}
        owner |= {key: rollout["metadata"][key] for key in ("name", "uid")}
        template = rollout["spec"]["template"]
        metadata = {**template["metadata"], "name": "iris", "namespace": namespace, "ownerReferences": [owner]}
        kind = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
        cluster.create({**kind, "metadata": metadata, "spec": template["spec"]}, namespace)
    until(lambda: bool(owners(cluster, namespace)), "the InferenceService to have an owner")
