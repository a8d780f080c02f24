"""`kubectl apply -k manifests/quickstart`, with an overlay of one's own as users write it."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.conftest import KINDS, Note
from tests.cluster.gateway import V1_BODIES, Gateway
from tests.cluster.namespaces import Namespaces
from tests.cluster.programs import MANIFESTS, kubectl
from tests.cluster.release import wait_ready
from tests.cluster.settings import Settings

pytestmark = pytest.mark.cluster


@pytest.fixture
def overlay(namespaces: Namespaces, settings: Settings, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A kustomization of the quickstart in another namespace, with images from this registry; and that namespace."""
    namespace = namespaces.reserve("quickstart")
    images = [
        {
            "name": f"docker.io/kserve-predictors/{kind}",
            "newName": f"{settings.registry}/{kind}",
            "newTag": settings.tag,
        }
        for kind in KINDS
    ]
    base = os.path.relpath(MANIFESTS / "quickstart", tmp_path)  # kustomize takes no absolute paths
    kustomization = {"resources": [base], "namespace": namespace, "images": images}
    (tmp_path / "kustomization.yaml").write_text(json.dumps(kustomization), "utf-8")
    yield tmp_path, namespace
    namespaces.delete(namespace)


def test_quickstart(cluster: Cluster, gateway: Gateway, overlay: tuple[Path, str], note: Note) -> None:
    directory, namespace = overlay
    begin = time.monotonic()
    kubectl("apply", "-k", directory)
    for model, seconds in wait_ready(cluster, gateway, namespace, KINDS, begin).items():
        note(f"apply -k to Ready, {model}: {seconds:.1f} s")
    for kind in KINDS:
        with gateway.rest(kind, namespace) as client:
            response = client.post(f"/v1/models/{kind}:predict", json=V1_BODIES[kind])
            page = client.get("/ui")
        assert response.status_code == 200, response.text
        assert page.status_code == (200 if kind == "summarizer" else 404)
    labels = cluster.get("Namespace", namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    kubectl("delete", "-k", directory)
    assert not cluster.get("Namespace", namespace)
