"""Volumes, downloads and who may connect."""

import re

import pytest

from tests.chart.chart import Chart, Pod, Values
from tests.chart.restricted import violations


def test_a_job_fills_the_volume_that_models_are_served_from(chart: Chart) -> None:
    rendered = chart.render("quickstart")
    claim = rendered.one("PersistentVolumeClaim")["metadata"]["name"]
    job = rendered.one("Job")["spec"]["template"]["spec"]
    assert job["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim == "predictors-models"
    exported = {container["name"]: container["command"] for container in job["containers"]}
    for name in ("iris", "intent", "summarizer"):
        model = rendered.predictor(name)["model"]
        directory = model["storageUri"].removeprefix(f"pvc://{claim}/")
        assert re.fullmatch(f"{name}-[0-9a-f]{{8}}", directory)  # a subPath, and a container's name
        target = f"/models/{directory}"
        assert exported.pop(directory) == ["predictors", "artifact", "export", f"/opt/models/{name}", target]
    assert not exported


def test_only_kinds_that_are_served_from_the_volume_are_exported(chart: Chart) -> None:
    values: Values = {
        "modelVolume": {"create": True},
        "models": {"a": {"kind": "iris"}, "b": {"kind": "iris"}, "intent": {"storageUri": "s3://bucket/intent"}},
    }
    job = chart.render(values).one("Job")
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["name"].startswith("iris-")


def test_each_image_has_its_own_directory(chart: Chart) -> None:
    """A new image leaves alone what the pods of the old one serve."""
    models: Values = {
        "a": {"kind": "iris"},
        "b": {"kind": "iris"},
        "c": {"kind": "iris", "image": "example.com/iris:2"},
    }
    rendered = chart.render({"modelVolume": {"create": True}, "models": models})
    containers = rendered.one("Job")["spec"]["template"]["spec"]["containers"]
    images = {each["command"][-1].removeprefix("/models/"): each["image"] for each in containers}
    assert len(images) == len(containers) == 2
    for name in models:
        model = rendered.predictor(name)["model"]
        [server] = rendered.runtimes()[model["runtime"]]["spec"]["containers"]
        assert images[model["storageUri"].removeprefix("pvc://predictors-models/")] == server["image"]


def test_another_image_makes_another_job_and_directory(chart: Chart) -> None:
    """A Job cannot be changed."""

    def made(tag: str) -> tuple[str, str]:
        rendered = chart.render({"image": {"tag": tag}, "modelVolume": {"create": True}, "models": {"iris": {}}})
        return rendered.one("Job")["metadata"]["name"], rendered.predictor("iris")["model"]["storageUri"]

    first, again, second = made("1"), made("1"), made("2")
    assert first == again
    assert not set(first) & set(second)


def test_what_mounts_a_volume_of_one_node_stays_on_it(chart: Chart) -> None:
    values: Values = {
        "modelVolume": {"create": True},
        "models": {"iris": {}, "intent": {"storageUri": "s3://bucket/intent"}},
    }
    rendered = chart.render(values)
    [term] = rendered.predictor("iris")["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    job = rendered.one("Job")["spec"]["template"]
    assert job["spec"]["affinity"] == rendered.predictor("iris")["affinity"]
    selected = term["labelSelector"]["matchLabels"].items()
    assert selected <= job["metadata"]["labels"].items()
    services = {name: each["metadata"]["labels"] for name, each in rendered.of("InferenceService").items()}
    assert selected <= services["iris"].items()
    assert not selected <= services["intent"].items()  # it may be on any node, and must not hold the others there
    assert "affinity" not in rendered.predictor("intent")

    values["modelVolume"]["accessModes"] = ["ReadWriteMany"]
    assert "affinity" not in chart.render(values).predictor("iris")
    # A label that came or went would restart the pods.
    values["image"] = {"tag": "2"}
    assert chart.render(values).of("InferenceService")["iris"]["metadata"]["labels"] == services["iris"]


@pytest.mark.parametrize(
    ("uri", "downloaded"),
    [
        ("s3://bucket/iris", True),
        ("https://example.com/iris.tar.gz", True),
        ("hf://acme/iris", True),
        ("pvc://claim/iris", False),
        ("oci://registry/iris:1", False),
        ("oci+native://registry/iris:1", False),
    ],
)
def test_downloads_by_a_restricted_container(chart: Chart, uri: str, downloaded: bool) -> None:
    values = {"storage": {"initializer": {"create": True}}, "models": {"iris": {"storageUri": uri}}}
    rendered = chart.render(values)
    predictor = rendered.predictor("iris")
    assert ("storageContainerName" in predictor) is downloaded
    if downloaded:
        initializer = rendered.one("ClusterStorageContainer")
        assert initializer["metadata"]["name"] == predictor["storageContainerName"] == "models-predictors-initializer"
        [supported] = initializer["spec"]["supportedUriFormats"]
        assert supported.keys() == {"regex"}
        folder = uri.rpartition("/")[0]
        same = [uri, f"{folder}/another-version", f"{folder}/a/b"]
        others = [f"{folder}0/iris", f"a{uri}", *{uri.replace("e.c", "exc")} - {uri}]
        assert [each for each in (*same, *others) if re.search(supported["regex"], each)] == same
        # On its own: with Knative, the pod says nothing.
        assert [*violations(Pod("initializer", {}, [initializer["spec"]["container"]]))] == []
    assert "storageContainerName" not in chart.render({"models": {"iris": {"storageUri": uri}}}).predictor("iris")


def test_the_initializer_gets_an_environment(chart: Chart) -> None:
    env = [{"name": "HF_ENDPOINT", "value": "https://hub.example.com"}]
    values: Values = {
        "storage": {"initializer": {"create": True, "env": env}},
        "models": {"iris": {"storageUri": "hf://acme/iris"}},
    }
    assert chart.render(values).one("ClusterStorageContainer")["spec"]["container"]["env"] == env
    del values["storage"]["initializer"]["env"]
    assert "env" not in chart.render(values).one("ClusterStorageContainer")["spec"]["container"]


def test_each_variant_names_what_downloads_it(chart: Chart) -> None:
    values: Values = {
        "kserve": {"version": "0.21"},
        "storage": {"initializer": {"create": True}},
        "models": {"iris": {"storageUri": "pvc://models/1", "canary": {"name": "v2", "storageUri": "s3://bucket/2"}}},
    }
    rendered = chart.render(values)
    stable, canary = (predictor for _, predictor in rendered.variants())
    assert "storageContainerName" not in stable
    assert canary["storageContainerName"] == rendered.one("ClusterStorageContainer")["metadata"]["name"]


def test_who_may_connect(chart: Chart) -> None:
    values = {
        "networkPolicy": {
            "gatewayNamespaces": ["gateways"],
            "prometheusNamespaces": ["observability"],
            "rolloutControllerNamespaces": ["rollouts"],
        },
        "models": {"iris": {"storageUri": "pvc://models/1"}},
    }
    requests, metrics = chart.render(values).one("NetworkPolicy")["spec"]["ingress"]
    key = "kubernetes.io/metadata.name"
    assert requests["from"] == [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {key: "gateways"}}}]
    assert requests["ports"] == [{"port": 8080}, {"port": 8081}]
    assert [each["namespaceSelector"]["matchLabels"][key] for each in metrics["from"]] == ["observability", "rollouts"]
    assert metrics["ports"] == [{"port": 8080}]


def test_no_policy_without_models(chart: Chart) -> None:
    assert not [*chart.render({})]
