"""Models from a hub, from Google's storage and from an image: the documented examples, against fakes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.namespaces import Namespaces
from tests.cluster.page import Reader
from tests.cluster.refusals import last_words, the_new_pod, the_pod
from tests.cluster.settings import Settings
from tests.cluster.stores.gcs import GCS
from tests.cluster.stores.here import lead_here
from tests.cluster.stores.hub import Hub
from tests.waiting import until

pytestmark = pytest.mark.cluster
TOKEN = "hf_of_a_reader"


@pytest.fixture
def hub() -> Iterator[Hub]:
    fake = Hub(TOKEN)
    yield fake
    fake.close()


@pytest.fixture
def gcs() -> Iterator[GCS]:
    fake = GCS()
    yield fake
    fake.close()


def test_a_model_of_a_hub(
    cluster: Cluster, namespaces: Namespaces, settings: Settings, reader: Reader, hub: Hub, iris_2: Path
) -> None:
    hub.upload(iris_2, "acme/iris")
    host = lead_here(cluster, namespaces.create("hub"), "hub", {80: hub.port}, settings)
    reader.follow("hf", {"hub.example.com": host, "<token>": TOKEN})
    reader.is_served("iris", "2")
    # The next version: nobody has uploaded it.
    namespace, old = reader.release.namespace, the_pod(cluster, reader.release.namespace, "iris")
    changes = {
        "hub.example.com": host,
        "kubectl create secret generic hub -n models --from-literal=HF_TOKEN=<token>": "",
    }
    reader.follow("hf", changes | {"hf://acme/iris:main": "hf://acme/none"})
    new = the_new_pod(cluster, namespace, "iris", old)
    until(lambda: "HuggingFace" in last_words(cluster, namespace, new), "the initializer to find nothing")
    reader.is_served("iris", "2")


def test_a_model_of_googles_storage(
    cluster: Cluster, namespaces: Namespaces, settings: Settings, reader: Reader, gcs: GCS, iris_2: Path
) -> None:
    gcs.upload(iris_2, "iris/2")
    host = lead_here(cluster, namespaces.create("gcs"), "gcs", {80: gcs.port}, settings)
    where = {"name": "STORAGE_EMULATOR_HOST", "value": f"http://{host}"}
    flags = [f"--set 'storage.initializer.env[0].{key}={value}' " for key, value in where.items()]
    reader.follow("gs", {"--set models.iris.storageUri": f"{''.join(flags)}--set models.iris.storageUri"})
    reader.is_served("iris", "2")


def test_a_model_in_an_image(settings: Settings, reader: Reader, tmp_path: Path) -> None:
    """Built by buildah, and loaded rather than pushed."""
    if not settings.load or shutil.which("buildah") is None:
        pytest.skip("needs PREDICTORS_LOAD and buildah: an image has to be built and loaded into the cluster")
    image, archive = "registry.example.com/iris-model:2", tmp_path / "image.tar"
    built = "buildah build --isolation chroot --network host --pull=never --format docker"
    loaded = f"buildah push -q {image} docker-archive:{archive}:{image}\n{settings.load} {archive}\nrm {archive}"
    changes = {"busybox:1.37": f"{settings.registry}/iris:{settings.tag}", "docker build": built}
    reader.follow("oci", {**changes, f"docker push {image}": loaded})
    reader.is_served("iris", "2")
