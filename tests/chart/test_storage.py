"""Volumes, downloads and who may connect."""

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
        assert model["storageUri"] == f"pvc://{claim}/{name}"
        assert exported.pop(name) == ["predictors", "artifact", "export", f"/opt/models/{name}", f"/models/{name}"]
        [container] = rendered.runtimes()[model["runtime"]]["spec"]["containers"]
        assert container["image"] in {each["image"] for each in job["containers"]}
    assert not exported


def test_only_kinds_that_are_served_from_the_volume_are_exported(chart: Chart) -> None:
    values: Values = {
        "modelVolume": {"create": True},
        "models": {"a": {"kind": "iris"}, "b": {"kind": "iris"}, "intent": {"storageUri": "s3://bucket/intent"}},
    }
    job = chart.render(values).one("Job")
    assert [container["name"] for container in job["spec"]["template"]["spec"]["containers"]] == ["iris"]


def test_another_image_makes_another_job(chart: Chart) -> None:
    """A Job cannot be changed."""

    def job(tag: str) -> str:
        values = {"image": {"tag": tag}, "modelVolume": {"create": True}, "models": {"iris": {}}}
        return str(chart.render(values).one("Job")["metadata"]["name"])

    assert job("1") == job("1") != job("2")


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
    assert selected <= rendered.of("InferenceService")["iris"]["metadata"]["labels"].items()
    assert "affinity" not in rendered.predictor("intent")

    values["modelVolume"]["accessModes"] = ["ReadWriteMany"]
    assert "affinity" not in chart.render(values).predictor("iris")


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
        assert initializer["spec"]["supportedUriFormats"] == [{"prefix": uri}]
        # On its own: with Knative, the pod says nothing.
        assert [*violations(Pod("initializer", {}, [initializer["spec"]["container"]]))] == []
    assert "storageContainerName" not in chart.render({"models": {"iris": {"storageUri": uri}}}).predictor("iris")


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
