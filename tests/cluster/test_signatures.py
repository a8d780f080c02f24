"""What a cluster does with artifacts that are signed, not signed, and signed by somebody else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from predictors.serving.artifacts.signing import sign
from tests.cluster.archives import pack_iris, serve
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note, Releases
from tests.cluster.gateway import V1_BODIES, Gateway
from tests.cluster.namespaces import Namespaces
from tests.cluster.refusals import is_never_served, mentions, readiness, the_pod
from tests.cluster.release import Release
from tests.cluster.settings import Settings
from tests.signers import new_key

pytestmark = pytest.mark.cluster
REASONS = {
    "unsigned": "is not signed: it has no model.sig, which --signature_key demands",
    "otherwise-signed": "model.sig was made with a key that is none of those in --signature_key",
}


@pytest.fixture(scope="module")
def release(
    cluster: Cluster,
    namespaces: Namespaces,
    settings: Settings,
    releases: Releases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Release]:
    """Three models, whose key stands in the values."""
    scratch = tmp_path_factory.mktemp("signatures")
    ours, theirs = new_key(scratch / "ours"), new_key(scratch / "theirs")
    pack_iris("1", scratch / "unsigned")
    for name, key in (("signed", ours), ("otherwise-signed", theirs)):
        sign(Path(shutil.copytree(scratch / "unsigned", scratch / name)), key.itself)
    names = ("signed", *REASONS)
    url = serve(cluster, namespaces.create("signers"), settings, {name: scratch / name for name in names})
    models = {name: {"kind": "iris", "storageUri": f"{url}/{name}.tar.gz"} for name in names}
    values = {"defaults": {"signatureKey": ours.public.read_text()}, "models": models}
    with releases("signatures", values) as release:
        yield release


def test_what_is_signed_is_served(gateway: Gateway, release: Release, note: Note) -> None:
    [seconds] = release.wait_ready(["signed"]).values()
    note(f"Ready after a download, with its signature checked: {seconds:.1f} s")
    with gateway.rest("signed", release.namespace) as client:
        response = client.post("/v1/models/signed:predict", json=V1_BODIES["iris"])
    assert response.json()["labels"] == ["setosa"]


@pytest.mark.parametrize("model", sorted(REASONS))
def test_what_is_not_is_never_served(cluster: Cluster, gateway: Gateway, release: Release, model: str) -> None:
    pod = the_pod(cluster, release.namespace, model)
    status, why = readiness(cluster, release.namespace, pod)
    assert status == 503
    assert REASONS[model] in why
    is_never_served(cluster, gateway, release.namespace, model)
    assert len(mentions(cluster, release.namespace, pod, REASONS[model])) == 1
