"""From an entry of `models` to its InferenceService and runtime."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from predictors.cli.flags import SERVE_SETTINGS
from predictors.serving.settings import Settings
from tests.chart.chart import CHART, Chart, Object, Values, flags

HERE: Values = {"storageUri": "pvc://models/1"}
# Set by the chart, or fields of a model.
_NOT_SETTINGS = {
    "artifact_digest", "artifacts_dir", "cache_url", "drain_seconds", "enable_grpc", "fallback_key_file", "gguf", "grace_seconds", "grpc_port", "host",
    "http_port", "limits_url", "log_level", "max_body_bytes", "max_loaded_bytes", "max_queue", "max_rows", "max_text_chars",
    "metrics_token_digests_file", "model_dir", "model_loading", "model_name", "model_store", "probe_port", "request_log_file", "request_log_url",
    "request_timeout_seconds", "shadow_file", "shadow_token_file", "signature_key", "ssl_ca_certfile", "ssl_certfile", "ssl_keyfile", "token_digests_file", "uds",
}  # fmt: skip


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def json_schema(cls: type[Settings]) -> Object:
    properties: Object = cls.model_json_schema(by_alias=False)["properties"]
    return properties


def example(schema: Object) -> Any:
    """A value that a setting takes."""
    kind = next(each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    if "enum" in kind:
        return kind["enum"][-1]
    if kind["type"] == "array":
        return kind["items"].get("enum", ["a", "b"])[-2:]
    return {"boolean": True, "integer": kind.get("minimum", 1), "number": 0.5, "string": "x"}[kind["type"]]


def shown(value: Any) -> str:
    """A value as it stands in a flag."""
    return ",".join(value) if isinstance(value, list) else str(value).lower()


def test_a_model_wins_over_its_kind_and_that_over_the_defaults(chart: Chart) -> None:
    values: Values = {
        "defaults": {"drainSeconds": 1, "maxRows": 1, "maxQueue": 1, "podDisruptionBudget": {"enabled": True}},
        "kinds": {"iris": {"maxRows": 2, "maxQueue": 2, "resources": {"limits": {"memory": "1Gi"}}}},
        "models": {"iris": {**HERE, "maxQueue": 3, "podDisruptionBudget": {"enabled": False}}},
    }
    rendered = chart.render(values)
    given = flags(rendered.predictor("iris")["model"]["args"])
    assert [given[f"--{name}"] for name in ("drain_seconds", "max_rows", "max_queue")] == ["1", "2", "3"]
    assert rendered.predictor("iris")["model"]["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert not rendered.of("PodDisruptionBudget")


def test_null_takes_a_limit_away(chart: Chart) -> None:
    rendered = chart.render({"models": {"iris": {**HERE, "resources": {"limits": {"cpu": None}}}}})
    assert rendered.predictor("iris")["model"]["resources"]["limits"] == {"memory": "384Mi"}


def test_null_takes_a_canary_away(chart: Chart) -> None:
    """As `helm upgrade --set models.iris.canary=null` gives it."""
    assert "canary" not in chart.render({"models": {"iris": {**HERE, "canary": None}}}).one("InferenceService")["spec"]


def test_one_model_does_not_change_another(chart: Chart) -> None:
    values = {
        "models": {
            "a": {**HERE, "kind": "iris", "settings": {"cache": "all"}, "maxRows": 5},
            "b": {**HERE, "kind": "iris"},
        }
    }
    given = flags(chart.render(values).predictor("b")["model"]["args"])
    assert not given.keys() & {"--cache", "--max_rows"}


def test_names(chart: Chart) -> None:
    values = {"models": {"flowers": {**HERE, "kind": "iris", "modelName": "iris.v4", "predictorName": "v4"}}}
    predictor = chart.render(values).predictor("flowers")
    assert predictor["name"] == "v4"
    assert flags(predictor["model"]["args"])["--model_name"] == "iris.v4"
    assert "--model_name" not in flags(chart.render("minimal").predictor("iris")["model"]["args"])


def test_any_setting_becomes_its_flag(chart: Chart) -> None:
    fields = {
        name: schema for cls in SERVE_SETTINGS for name, schema in json_schema(cls).items() if name not in _NOT_SETTINGS
    }
    given = {name: example(schema) for name, schema in fields.items()} | {"jwt_keys": "https://keys.example.com"}
    model = {
        **HERE,
        "settings": {camel(name): value for name, value in given.items()},
        "access": {"callerTokenSecret": {"name": "caller"}},
        "requestLog": {"url": "http://broker"},
    }
    values = {"models": {"iris": model}}
    arguments = flags(chart.render(values).predictor("iris")["model"]["args"])
    assert {name: arguments.get(f"--{name}") for name in given} == {name: shown(value) for name, value in given.items()}


def test_own_arguments_come_last_and_variables_are_added(chart: Chart) -> None:
    values = {
        "models": {
            "iris": {
                **HERE,
                "args": ["--log_level=debug"],
                "env": [{"name": "A", "value": "1"}],
                "cacheUrl": "redis://c",
            }
        }
    }
    model = chart.render(values).predictor("iris")["model"]
    assert model["args"][-1] == "--log_level=debug"
    assert model["env"] == [{"name": "PREDICTORS_CACHE_URL", "value": "redis://c"}, {"name": "A", "value": "1"}]


def test_a_cache_url_with_a_password_comes_from_a_secret(chart: Chart) -> None:
    values = {"models": {"iris": {**HERE, "cacheUrlSecret": {"name": "cache"}}}}
    [variable] = chart.render(values).predictor("iris")["model"]["env"]
    assert variable == {"name": "PREDICTORS_CACHE_URL", "valueFrom": {"secretKeyRef": {"name": "cache", "key": "url"}}}


def test_the_key_of_the_fallback_is_mounted(chart: Chart) -> None:
    settings = {"fallbackUrl": "https://api.example.com/v1", "fallbackModel": "big"}
    values = {"models": {"summarizer": {**HERE, "settings": settings, "fallbackKeySecret": {"name": "endpoint"}}}}
    rendered = chart.render(values)
    model = rendered.predictor("summarizer")["model"]
    given = flags(model["args"])
    assert given["--fallback_url"] == "https://api.example.com/v1"
    assert given["--fallback_key_file"] == "/etc/predictors/fallback-key/key"
    mount = {"name": "fallback-key", "mountPath": "/etc/predictors/fallback-key", "readOnly": True}
    assert mount in model["volumeMounts"]
    secret = {"secretName": "endpoint", "items": [{"key": "key", "path": "key"}]}
    assert {"name": "fallback-key", "secret": secret} in rendered.predictor("summarizer")["volumes"]


JWT = {"jwtIssuer": "https://issuer.example", "jwtAudience": "models"}
CALLER: Values = {"callerTokenSecret": {"name": "caller"}}


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_a_file_of_public_keys_is_mounted(chart: Chart, mode: str) -> None:
    access = {**CALLER, "jwtKeysConfigMap": {"name": "issuer"}}
    values = {"kserve": {"deploymentMode": mode}, "models": {"iris": {**HERE, "settings": JWT, "access": access}}}
    predictor = chart.render(values).predictor("iris")
    assert flags(predictor["model"]["args"])["--jwt_keys"] == "/etc/predictors/jwt-keys/jwks.json"
    mount = {"name": "jwt-keys", "mountPath": "/etc/predictors/jwt-keys", "readOnly": True}
    assert mount in predictor["model"]["volumeMounts"]
    source = {"name": "issuer", "items": [{"key": "jwks.json", "path": "jwks.json"}]}
    assert {"name": "jwt-keys", "configMap": source} in predictor["volumes"]


def test_the_authorities_of_others_are_mounted_and_named(chart: Chart) -> None:
    settings = {**JWT, "jwtKeys": "https://issuer.example/keys"}
    model = {
        **HERE,
        "settings": settings,
        "access": CALLER,
        "authoritiesConfigMap": {"name": "root", "key": "root.pem"},
    }
    predictor = chart.render({"models": {"iris": model}}).predictor("iris")
    assert flags(predictor["model"]["args"])["--jwt_keys"] == "https://issuer.example/keys"
    variable = {"name": "SSL_CERT_FILE", "value": "/etc/predictors/authorities/root.pem"}
    assert predictor["model"]["env"] == [variable]
    mount = {"name": "authorities", "mountPath": "/etc/predictors/authorities", "readOnly": True}
    assert mount in predictor["model"]["volumeMounts"]
    source = {"name": "root", "items": [{"key": "root.pem", "path": "root.pem"}]}
    assert {"name": "authorities", "configMap": source} in predictor["volumes"]


PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_whose_signatures_count_is_the_same_for_a_canary(chart: Chart, mode: str) -> None:
    names = {"name": "v2"} if mode == "Standard" else {}
    canary = {**names, "storageUri": "pvc://models/2"}
    kserve = {"version": "0.21", "deploymentMode": mode}
    for given, flag in (
        ({"signatureKey": PUBLIC_KEY}, PUBLIC_KEY),
        ({"signatureKeyConfigMap": {"name": "signers"}}, "$(PREDICTORS_SIGNATURE_KEY)"),
    ):
        values = {"kserve": kserve, "defaults": given, "models": {"iris": {**HERE, "canary": canary}}}
        predictors = [predictor for _, predictor in chart.render(values).variants()]
        assert len(predictors) == (2 if mode == "Standard" else 1)
        for predictor in predictors:
            assert flags(predictor["model"]["args"])["--signature_key"] == flag


def test_whose_signatures_count_may_stand_in_a_config_map(chart: Chart) -> None:
    values = {"models": {"iris": {**HERE, "signatureKeyConfigMap": {"name": "signers"}}}}
    [variable] = chart.render(values).predictor("iris")["model"]["env"]
    source = {"configMapKeyRef": {"name": "signers", "key": "signature.pem"}}  # not optional: without it, no pod starts
    assert variable == {"name": "PREDICTORS_SIGNATURE_KEY", "valueFrom": source}


def test_no_signature_is_demanded_by_default(chart: Chart) -> None:
    assert "--signature_key" not in flags(chart.render("minimal").predictor("iris")["model"]["args"])


def test_models_of_one_kind_and_image_share_a_runtime(chart: Chart) -> None:
    values = {
        "models": {
            "a": {**HERE, "kind": "iris", "maxRows": 5, "resources": {"requests": {"cpu": "2"}}},
            "b": {**HERE, "kind": "iris"},
            "c": {**HERE, "kind": "iris", "image": "example.com/iris:2"},
        }
    }
    rendered = chart.render(values)
    a, b, c = (rendered.predictor(name)["model"]["runtime"] for name in "abc")
    assert a == b != c
    assert set(rendered.runtimes()) == {a, c}
    assert rendered.runtimes()[c]["spec"]["containers"][0]["image"] == "example.com/iris:2"


def test_a_model_of_scikit_learn_has_its_own_runtime_and_image(chart: Chart) -> None:
    rendered = chart.render({"models": {"churn": {**HERE, "kind": "sklearn"}}})
    [runtime] = rendered.runtimes().values()
    [container] = runtime["spec"]["containers"]
    assert container["image"].startswith("docker.io/kserve-predictors/sklearn:")
    assert container["command"] == ["predictors", "serve", "sklearn"]
    assert container["args"][0] == "--model_dir=/mnt/models"
    assert runtime["spec"]["supportedModelFormats"] == [{"name": "sklearn", "version": "1", "autoSelect": False}]
    model = rendered.predictor("churn")["model"]
    assert model["modelFormat"] == {"name": "sklearn", "version": "1"}
    assert model["resources"]["limits"] == {"cpu": "1", "memory": "768Mi"}


def test_a_runtime_is_named_after_its_content(chart: Chart) -> None:
    def runtime(tag: str) -> str:
        [name] = chart.render({"image": {"tag": tag}, "models": {"iris": HERE}}).runtimes()
        return name

    assert runtime("1") == runtime("1") != runtime("2")
    [name] = chart.render({"cluster": {"runtimes": True}, "models": {"iris": HERE}}).of("ClusterServingRuntime")
    assert name.startswith("models-predictors-iris-")  # or releases in two namespaces would share it


def test_a_new_version_of_the_chart_restarts_nothing(chart: Chart, tmp_path: Path) -> None:
    """KServe copies an InferenceService's labels and annotations to its pods."""
    newer = Path(shutil.copytree(CHART, tmp_path / "predictors"))
    description = newer / "Chart.yaml"
    description.write_text(description.read_text("utf-8").replace("\nversion: ", "\nversion: 1"), "utf-8")
    values = {"models": {"iris": HERE}}
    before, after = chart.render(values), Chart(chart.helm, newer).render(values)
    assert [*before] == [*after]


def test_ports_and_probes(chart: Chart) -> None:
    [runtime] = chart.render("minimal").runtimes().values()
    [container] = runtime["spec"]["containers"]
    assert [(port["name"], port["containerPort"]) for port in container["ports"]] == [("http1", 8080), ("grpc", 8081)]
    paths = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
    assert paths == {
        "startupProbe": "/v2/health/live",
        "readinessProbe": "/v2/health/ready",
        "livenessProbe": "/v2/health/live",
    }


def test_options_of_pods(chart: Chart) -> None:
    rendered = chart.render("all-options")
    service, predictor = rendered.of("InferenceService")["flowers"], rendered.predictor("flowers")
    assert service["metadata"]["labels"]["team"] == "botany"
    annotations = service["metadata"]["annotations"]
    assert (
        annotations["serving.kserve.io/storageSecretName"]
        == annotations["serving.kserve.io/secretName"]
        == "s3-credentials"
    )
    assert predictor["serviceAccountName"] == "models-reader"
    assert predictor["tolerations"][0]["key"] == "dedicated"
    assert predictor["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert "nodeAffinity" in predictor["affinity"]
    assert "fsGroup" not in predictor["securityContext"]
    assert set(rendered.of("PodDisruptionBudget")) == {"flowers"}
    runtime = rendered.runtimes()[predictor["model"]["runtime"]]["spec"]
    assert runtime["imagePullSecrets"] == [{"name": "registry"}]
    assert runtime["containers"][0]["imagePullPolicy"] == "Always"


def test_the_quickstart_has_the_page(chart: Chart) -> None:
    rendered = chart.render("quickstart")
    pages = {
        name for name in ("iris", "intent", "summarizer") if "--ui=true" in rendered.predictor(name)["model"]["args"]
    }
    assert pages == {"summarizer"}


def test_notes_have_a_request_for_each_model(chart: Chart, tmp_path: Path) -> None:
    # helm renders notes only when it installs, so they are rendered as an object here.
    directory = Path(shutil.copytree(CHART, tmp_path / "predictors"))
    (directory / "templates" / "NOTES.txt").rename(directory / "NOTES.txt")
    (directory / "templates" / "notes.yaml").write_text(
        'kind: Notes\nmetadata: {name: a}\ntext: {{ tpl (.Files.Get "NOTES.txt") . | quote }}'
    )
    copy = Chart(chart.helm, directory)

    def notes(values: Values | str) -> str:
        return str(copy.render(values).one("Notes")["text"])

    assert "http://$GATEWAY/v1/models/iris-v4:predict" in notes("all-options")
    assert "http://$GATEWAY/v1/models/summaries:predict" in notes("all-options")
    assert 'http://$GATEWAY/v2/models/churn" -H' in notes("all-options")
    assert "--for condition=Ready --timeout 5m inferenceservice churn flowers\n" in notes("all-options")
    assert "--for condition=Ready --timeout 5m inferencerollout summaries\n" in notes("all-options")
    assert "httproute --namespace models summaries-rollout" in notes("all-options")
    assert "inferencerollout" not in notes("quickstart")
    assert "http://localhost:8090" in notes("quickstart")
    assert "--selector serving.kserve.io/inferenceservice=summarizer --output name" in notes("quickstart")
    assert "/ui" not in notes("minimal")
    assert "gateway --namespace gateways public" in notes("all-options")
    assert "gRPC is off" in notes("knative")
    assert "No model is served yet" in notes({})
    assert "--reset-then-reuse-values" in notes({})  # --reuse-values drops the defaults of a newer chart
