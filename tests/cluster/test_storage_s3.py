"""Models in an S3: the documented example, what is wrong with what is there, and what is wrong with the way there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.archives import change_one_byte
from tests.cluster.cluster import Cluster
from tests.cluster.gateway import Gateway
from tests.cluster.namespaces import Namespaces
from tests.cluster.page import Reader
from tests.cluster.refusals import (
    NOBODYS_DIGEST,
    WATCHED_SECONDS,
    is_never_served,
    last_words,
    mentions,
    readiness,
    the_new_pod,
    the_pod,
)
from tests.cluster.release import Release, Values, merge, sized
from tests.cluster.senders import rest
from tests.cluster.settings import Settings
from tests.cluster.stores.here import lead_here
from tests.cluster.stores.s3 import S3, Credentials
from tests.cluster.traffic import LIGHT, steady
from tests.waiting import stays, until

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def endpoint(cluster: Cluster, namespaces: Namespaces, settings: Settings, s3: S3) -> str:
    """The S3's name and port in the cluster."""
    return f"{lead_here(cluster, namespaces.create('s3'), 's3', {9000: s3.port}, settings)}:9000"


@pytest.mark.gate
def test_the_example_and_another_digest(
    cluster: Cluster, gateway: Gateway, reader: Reader, endpoint: str, s3: S3, iris_2: Path
) -> None:
    s3.upload(iris_2, "iris/2")
    changes = {"minio.storage:9000": endpoint, "<key id>": s3.reader.key_id, "<key>": s3.reader.key}
    reader.follow("s3", changes)
    reader.is_served("iris", "2")
    namespace, old = reader.release.namespace, the_pod(cluster, reader.release.namespace, "iris")
    reader.follow("s3", changes | {"$(predictors artifact digest iris-2)": NOBODYS_DIGEST})
    new = the_new_pod(cluster, namespace, "iris", old)
    assert NOBODYS_DIGEST in readiness(cluster, namespace, new)[1]
    reader.is_served("iris", "2")


SECRETS = ("no-secret", "wrong-key", "unknown-key", "no-host")


def secret(name: str, endpoint: str, credentials: Credentials) -> dict[str, object]:
    annotations = {"s3-endpoint": endpoint, "s3-usehttps": "0"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "annotations": {f"serving.kserve.io/{key}": value for key, value in annotations.items()},
        },
        "stringData": {"AWS_ACCESS_KEY_ID": credentials.key_id, "AWS_SECRET_ACCESS_KEY": credentials.key},
    }


def change_what_is_there(directory: Path, fault: str) -> None:
    model, manifest = directory / "model.npz", directory / "manifest.json"
    match fault:
        case "damaged":
            change_one_byte(model)
        case "half-a-model":
            model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
        case "half-a-manifest":
            manifest.write_bytes(manifest.read_bytes()[: manifest.stat().st_size // 2])
        case "no-model":
            model.unlink()
        case "no-manifest":
            manifest.unlink()
        case "in-a-folder":
            inside = directory / "iris-2"
            files = [*directory.iterdir()]
            inside.mkdir()
            for file in files:
                file.rename(inside / file.name)


# What the server says of what it finds, and what the initializer says of what it does not.
FOUND = {
    "another-digest": NOBODYS_DIGEST,
    "damaged": "model.npz has the sha256",
    "half-a-model": "bytes, but the manifest says",
    "half-a-manifest": "manifest.json is not a valid manifest",
    "no-model": "model.npz: the manifest names it, but it is missing",
    "no-manifest": "models has no manifest.json",
    "in-a-folder": "there is no artifact here",
}
NOT_FOUND = {
    "nothing": "No model found in iris/nothing",
    "no-bucket": "S3 resource 'no-bucket' not found",
    "no-secret": "S3 authentication failed",
    "wrong-key": "S3 error [403]: Forbidden",
    "unknown-key": "S3 error [403]: Forbidden",
    "no-host": "Could not connect to the endpoint URL",
}


@pytest.fixture(scope="module")
def models(s3: S3, iris_2: Path, tmp_path_factory: pytest.TempPathFactory) -> Values:
    """Each model has one fault, and its name."""
    uris = {fault: s3.upload(iris_2, "iris/2") for fault in NOT_FOUND}
    uris |= {"nothing": "s3://bucket/iris/nothing", "no-bucket": "s3://no-bucket/iris/2"}
    for fault in FOUND:
        directory = tmp_path_factory.mktemp("faults") / fault
        shutil.copytree(iris_2, directory)
        change_what_is_there(directory, fault)
        uris[fault] = s3.upload(directory, f"iris/{fault}")
    models: Values = {fault: {"kind": "iris", "storageUri": uri} for fault, uri in uris.items()}
    for fault, model in models.items():
        model["storage"] = {"secretName": fault if fault in SECRETS else "s3"}
    models["no-secret"]["storage"] = {}
    models["another-digest"]["digest"] = NOBODYS_DIGEST
    return models


@pytest.fixture(scope="module")
def faulty(
    faulty_namespace: str,
    cluster: Cluster,
    gateway: Gateway,
    settings: Settings,
    models: Values,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Release]:
    """A release of those models."""
    values = merge(
        sized(settings), {"models": models, "storage": {"initializer": {"resources": {"requests": {"cpu": "10m"}}}}}
    )
    release = Release(cluster, gateway, faulty_namespace, values, tmp_path_factory.mktemp("values"))
    release.install()
    yield release
    release.uninstall()


@pytest.fixture(scope="module")
def faulty_namespace(cluster: Cluster, namespaces: Namespaces, endpoint: str, s3: S3) -> str:
    """A namespace with Secrets, one right and several not."""
    namespace, reader = namespaces.create("s3-faults"), s3.reader
    for name, where, credentials in (
        ("s3", endpoint, reader),
        ("wrong-key", endpoint, reader._replace(key="wrong")),
        ("unknown-key", endpoint, Credentials("AKIAUNKNOWN", "wrong")),
        ("no-host", "no-host.example.invalid", reader),
    ):
        cluster.create(secret(name, where, credentials), namespace)
    return namespace


@pytest.mark.parametrize(("model", "reason"), FOUND.items(), ids=FOUND)
def test_what_was_not_uploaded_so_is_not_served(
    cluster: Cluster, gateway: Gateway, faulty: Release, model: str, reason: str
) -> None:
    namespace, pod = faulty.namespace, the_pod(cluster, faulty.namespace, model)
    for path in ("/v2/health/ready", f"/v2/models/{model}/ready"):
        status, why = readiness(cluster, namespace, pod, path)
        assert (status, reason in why) == (503, True), why
    is_never_served(cluster, gateway, namespace, model)
    [line] = mentions(cluster, namespace, pod, reason)
    assert '"level":"error"' in line


@pytest.mark.parametrize(("model", "reason"), NOT_FOUND.items(), ids=NOT_FOUND)
def test_what_cannot_be_fetched_is_not_served(
    cluster: Cluster, gateway: Gateway, faulty: Release, model: str, reason: str
) -> None:
    """KServe's initializer fails and says why; the server is never started."""
    namespace, pod = faulty.namespace, the_pod(cluster, faulty.namespace, model)
    until(lambda: reason in last_words(cluster, namespace, pod), f"the initializer's log to end with {reason!r}")
    is_never_served(cluster, gateway, namespace, model)


def test_the_old_version_goes_on_where_the_new_one_cannot_be_fetched(
    cluster: Cluster, gateway: Gateway, reader: Reader, endpoint: str, s3: S3, iris_2: Path
) -> None:
    s3.upload(iris_2, "iris/2")
    changes = {"minio.storage:9000": endpoint, "<key id>": s3.reader.key_id, "<key>": s3.reader.key}
    reader.follow("s3", changes)
    reader.is_served("iris", "2")
    namespace, old = reader.release.namespace, the_pod(cluster, reader.release.namespace, "iris")
    with steady(rest(gateway, "iris", namespace), LIGHT) as tally:
        reader.follow("s3", changes | {"s3://bucket/iris/2": "s3://bucket/iris/nothing"})
        new = the_new_pod(cluster, namespace, "iris", old)
        until(lambda: "No model found" in last_words(cluster, namespace, new), "the initializer to find nothing")
        stays(
            lambda: old in {pod["metadata"]["name"] for pod in cluster.pods(namespace, "iris")}, True, WATCHED_SECONDS
        )
    tally.check()
    assert set(tally.versions()) == {"2"}
