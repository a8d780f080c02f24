"""Values that could not work are refused, each with one sentence that names it."""

from typing import Any

import pytest

from tests.chart.chart import Chart, Values

HERE: Values = {"storageUri": "pvc://models/1"}
CANARY: Values = {"name": "v2", "storageUri": "pvc://models/2"}
NEW: Values = {"kserve": {"version": "0.21"}}
KNATIVE: Values = {"kserve": {"deploymentMode": "Knative"}}
ROLLOUT: Values = {"enabled": True}


def iris(others: Values | None = None, /, **fields: Any) -> Values:
    """Values with one model of the name iris."""
    return {**(others or {}), "models": {"iris": {**HERE, **fields}}}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            iris(settings={"tokenDigestsFile": "/tmp/x"}),
            "models.iris.settings.tokenDigestsFile: use models.iris.access.tokenDigestsSecret, which mounts the Secret",
        ),
        (
            iris(settings={"limitsUrl": "redis://:secret@redis"}),
            "models.iris.settings.limitsUrl: use models.iris.limitsUrlSecret, which mounts the Secret",
        ),
        (
            iris(cacheUrl="redis://me:hunter2@redis:6379/0"),
            "models.iris.cacheUrl: a password in it is readable in the InferenceService; use models.iris.cacheUrlSecret, which names a Secret with the address",
        ),
        (
            iris(settings={"jwtIssuer": "i", "jwtAudience": "a", "jwtKeys": "https://me:hunter2@issuer/keys"}),
            "models.iris.settings.jwtKeys: the server refuses a user or a password in it, and there is no Secret for one; public keys need none",
        ),
        (
            iris(settings={"otlpEndpoint": "http://me:hunter2@collector:4318"}),
            "models.iris.settings.otlpEndpoint: the server refuses a user or a password in it; what the collector asks for belongs in models.iris.env, as OTEL_EXPORTER_OTLP_HEADERS from a Secret",
        ),
        (
            iris(settings={"fallbackUrl": "https://me:hunter2@api.example.com/v1"}),
            "models.iris.settings.fallbackUrl: the server refuses a user or a password in it; the endpoint's key belongs in a Secret that models.iris.fallbackKeySecret names",
        ),
        (
            iris(requestLog={"url": "http://hunter2@broker/default"}),
            "models.iris.requestLog.url: the server refuses a user or a password in it; an address that holds a key belongs in models.iris.env, as PREDICTORS_REQUEST_LOG_URL from a Secret",
        ),
        (
            iris(rollout={**ROLLOUT, "strategy": {"metrics": {"prometheusUrl": "http://me:hunter2@prometheus:9090"}}}),
            "models.iris.rollout.strategy.metrics.prometheusUrl: the controller refuses a user or a password in it, and there is no Secret for one",
        ),
        (
            iris(settings={"jwtIssuer": "https://issuer"}),
            "models.iris.settings: JWTs need jwtIssuer, jwtAudience, and jwtKeys or access.jwtKeysConfigMap; missing is jwtAudience and jwtKeys",
        ),
        (
            iris(settings={"jwtIssuer": "i", "jwtAudience": "a", "jwtKeys": "http://issuer/keys"}),
            'models.iris.settings.jwtKeys: "http://issuer/keys" is no address that begins with https://; access.jwtKeysConfigMap mounts a file',
        ),
        (
            iris(access={"jwtKeysConfigMap": {"name": "issuer"}}),
            "models.iris.settings: JWTs need jwtIssuer, jwtAudience, and jwtKeys or access.jwtKeysConfigMap; missing is jwtIssuer and jwtAudience",
        ),
        (
            iris(
                settings={"jwtIssuer": "i", "jwtAudience": "a", "jwtKeys": "https://issuer/keys"},
                access={"jwtKeysConfigMap": {"name": "issuer"}, "callerTokenSecret": {"name": "own"}},
            ),
            "models.iris.settings.jwtKeys and models.iris.access.jwtKeysConfigMap exclude each other",
        ),
        (
            iris(settings={"jwtIssuer": "i", "jwtAudience": "a"}, access={"jwtKeysConfigMap": {"name": "issuer"}}),
            "models.iris.access.callerTokenSecret.name is missing: callers need a token",
        ),
        (
            iris(access={"tokenDigestsSecret": {"name": "callers"}}),
            "models.iris.access.callerTokenSecret.name is missing: callers need a token, and so do `helm test` and the copies of a rollout",
        ),
        (
            iris(limitsUrlSecret={"name": "redis"}),
            "models.iris.limitsUrlSecret: there is no limit to count for",
        ),
        (
            iris(settings={"fallbackKeyFile": "/tmp/x"}),
            "models.iris.settings.fallbackKeyFile: use models.iris.fallbackKeySecret, which mounts the Secret",
        ),
        (
            iris(fallbackKeySecret={"name": "endpoint"}),
            "models.iris.fallbackKeySecret: there is no endpoint that the key is for",
        ),
        (
            iris(tls={"clientAuthorities": True}),
            "models.iris.tls.secretName is missing: clientAuthorities takes ca.crt from that Secret",
        ),
        (
            iris(KNATIVE, tls={"secretName": "tls"}),
            "models.iris.tls is for Standard mode: Knative's proxy in the pod speaks to the server without TLS",
        ),
        (
            iris(tls={"secretName": "tls"}, rollout={"enabled": True, "strategy": {"shadow": {"percent": 5}}}),
            "models.iris.tls: a rollout's shadow sends its copies without TLS; leave out rollout.strategy.shadow",
        ),
        (
            {"models": {"roses": HERE}},
            'models.roses.kind: there is no kind "roses"; say which predictor it is: iris, intent, summarizer or sklearn',
        ),
        (
            {"models": {"iris": {}}},
            "models.iris.storageUri is missing: without one, KServe takes the model for multi-model serving and injects an agent; name an artifact, or set modelVolume.create",
        ),
        (
            {"modelVolume": {"create": True}, "models": {"churn": {"kind": "sklearn"}}},
            "models.churn.storageUri is missing: the image of the kind sklearn holds no model; name an artifact",
        ),
        (
            {"models": {"Iris": {**HERE, "kind": "iris"}}},
            'models.Iris: "Iris" is not a name; use lower-case letters, digits and dashes, beginning with a letter',
        ),
        (iris(predictorName="2"), 'models.iris.predictorName: "2" is not a name'),
        (iris(NEW, canary={**CANARY, "name": "v2."}), 'models.iris.canary.name: "v2." is not a name'),
        (
            {"models": {"i" * 49: {**HERE, "kind": "iris"}}},
            f"the name {'i' * 49}-predictor is 59 characters long; 58 is the most that KServe's labels hold",
        ),
        (
            {"models": {"i" * 47: {**HERE, "kind": "iris"}}},
            f"the host name {'i' * 47}-predictor-models is 64 characters long; 63 is the most; shorten the model's name or the namespace's",
        ),
        (
            iris(digest="sha256:123"),
            'models.iris.digest: "sha256:123" is not a digest; it is sha256: and 64 hexadecimal digits, as `predictors artifact digest` prints it',
        ),
        (iris(digest="SHA256:" + "0" * 64), "is not a digest"),
        (iris(NEW, canary={**CANARY, "digest": "0" * 64}), "models.iris.canary.digest"),
        (
            iris(cacheUrl="redis://a", cacheUrlSecret={"name": "b"}),
            "models.iris: cacheUrl and cacheUrlSecret exclude each other",
        ),
        (
            iris(signatureKey="-----BEGIN EC PRIVATE KEY-----\nA\n-----END EC PRIVATE KEY-----"),
            "models.iris.signatureKey is a private key, which must not be here; give its public half, which `openssl ec -in KEY -pubout` prints",
        ),
        (
            iris(authoritiesConfigMap={"name": "root"}, env=[{"name": "SSL_CERT_FILE", "value": "/etc/mine.pem"}]),
            "models.iris.env: SSL_CERT_FILE and models.iris.authoritiesConfigMap exclude each other",
        ),
        (iris(signatureKey="signers.pem"), "models.iris.signatureKey is neither a public key nor a certificate in PEM"),
        (
            iris(signatureKey="-----BEGIN CERTIFICATE-----", signatureKeyConfigMap={"name": "signers"}),
            "models.iris: signatureKey and signatureKeyConfigMap exclude each other",
        ),
        (iris(signatureKeyConfigMap={"name": "signers", "key": ""}), "signatureKeyConfigMap"),
        (
            iris(settings={"signatureKey": "a.pem"}),
            "models.iris.settings.signatureKey: write models.iris.signatureKey instead",
        ),
        (iris(settings={"maxQueue": 1}), "models.iris.settings.maxQueue: write models.iris.maxQueue instead"),
        (iris(settings={"cacheUrl": "x"}), "models.iris.settings.cacheUrl: write models.iris.cacheUrl instead"),
        (
            iris(settings={"httpPort": 80}),
            "models.iris.settings.httpPort: the chart decides this, so that probes, ports and the mounted artifact agree with it",
        ),
        (
            iris(args=["--cors_origins={{x}}"]),
            "models.iris: an argument, setting or variable contains {{; KServe would take it for a template and fail",
        ),
        (iris(env=[{"name": "A", "value": "{{"}]), "contains {{"),
        (iris(settings={"corsOrigins": ["{{"]}), "contains {{"),
        (
            iris(annotations={"serving.kserve.io/autoscalerClass": "keda"}),
            "models.iris.annotations: serving.kserve.io/autoscalerClass is set by KServe or by the chart; selectors and scaling depend on it",
        ),
        (
            iris(labels={"predictors.dev/model-volume": "a"}),
            "models.iris.labels: predictors.dev/model-volume is set by",
        ),
        (iris(labels={"component": "predictor"}), "models.iris.labels: component is set by KServe or by the chart"),
        (
            iris(autoscaling={"cpu": 50}),
            "models.iris.autoscaling.maxReplicas is missing: there is a target, but no room to scale",
        ),
        (
            iris(replicas=3, autoscaling={"maxReplicas": 2}),
            "models.iris.autoscaling.maxReplicas: the maximum, 2, is below the minimum, 3",
        ),
        (
            iris(autoscaling={"minReplicas": 0, "maxReplicas": 2}),
            "models.iris: Standard mode cannot scale to zero, since nothing would hold the requests that arrive meanwhile; at least 1 replica, or kserve.deploymentMode Knative",
        ),
        (iris(replicas=0), "models.iris: Standard mode cannot scale to zero"),
        (
            iris(canary=CANARY),
            "models.iris.canary needs KServe 0.21 or newer, and kserve.version is 0.20: KServe 0.20 accepts a canary, sends it no traffic, and takes its pods off the stable version",
        ),
        (iris({"kserve": {"version": "v0.20.3"}}, canary=CANARY), "kserve.version is v0.20.3"),
        (
            iris(NEW, canary={"name": "v2", "trafficPercent": 5}),
            "models.iris.canary.storageUri is missing: a canary serves another artifact",
        ),
        (
            iris(NEW, canary={"storageUri": "pvc://models/2"}),
            "models.iris.canary.name is missing: KServe names the canary's pods after it",
        ),
        (
            iris(NEW, predictorName="v2", canary=CANARY),
            'models.iris.canary.name: "v2" is the stable version\'s predictorName; each version needs a name of its own',
        ),
        (
            iris(NEW, canary={"name": "v2", **HERE}),
            "models.iris.canary.storageUri is the stable version's too; KServe promotes a canary only to another artifact",
        ),
        (
            iris(NEW, canary=CANARY, labels={"networking.kserve.io/visibility": "cluster-local"}),
            "models.iris.canary: the gateway splits the traffic, and a cluster-local service has none",
        ),
        (
            {**NEW, "models": {"iris": {**HERE, "canary": CANARY}, "iris-v2": {**HERE, "kind": "iris"}}},
            "models.iris and models.iris-v2 would both have a Deployment iris-v2-predictor; rename one of them",
        ),
        (
            iris(KNATIVE, autoscaling={"maxReplicas": 2, "cpu": 50}),
            "models.iris.autoscaling.cpu: Knative's autoscaler looks at requests alone; use requestsPerSecond or concurrency",
        ),
        (
            iris(KNATIVE, autoscaling={"maxReplicas": 2, "queueDepth": 5}),
            "models.iris.autoscaling.queueDepth: Knative's",
        ),
        (
            iris(KNATIVE, autoscaling={"maxReplicas": 2, "behavior": {"scaleUp": {}}}),
            "models.iris.autoscaling.behavior",
        ),
        (
            iris(KNATIVE, canary=CANARY),
            "models.iris: predictorName and canary.name are for Standard mode; Knative's revisions have names already",
        ),
        (iris(KNATIVE, predictorName="v2"), "models.iris: predictorName and canary.name are for Standard mode"),
        (
            iris(KNATIVE, canary={"storageUri": "pvc://models/2", "replicas": 2}),
            "models.iris.canary.replicas is for Standard mode: Knative scales a canary like any revision, between the model's own minimum and maximum",
        ),
        (iris(KNATIVE, canary={"trafficPercent": 5}), "models.iris.canary.storageUri is missing"),
        (
            iris(NEW, canary=CANARY, rollout=ROLLOUT),
            "models.iris: rollout and canary exclude each other; change storageUri, and the rollout makes a canary of it",
        ),
        (
            iris(predictorName="v2", rollout=ROLLOUT),
            "models.iris.predictorName: the rollout names the predictors; leave it out",
        ),
        (
            iris(labels={"networking.kserve.io/visibility": "cluster-local"}, rollout=ROLLOUT),
            "models.iris.rollout: the gateway splits the traffic, and a cluster-local service has none",
        ),
        (
            iris(rollout={**ROLLOUT, "strategy": {"routing": "canary"}}),
            "models.iris.rollout.strategy.routing: canary needs KServe 0.21 or newer, and kserve.version is 0.20; use pair",
        ),
        (
            iris(rollout={**ROLLOUT, "strategy": {"routing": "knative"}}),
            "models.iris.rollout.strategy.routing: knative does not go with kserve.deploymentMode Standard",
        ),
        (
            iris(KNATIVE, rollout={**ROLLOUT, "strategy": {"routing": "pair"}}),
            "models.iris.rollout.strategy.routing: pair does not go with kserve.deploymentMode Knative",
        ),
        (
            iris(settings={"shadowFile": "/tmp/a"}),
            "models.iris.settings.shadowFile: the chart decides this",
        ),
        (
            {**NEW, "models": {"i" * 39: {**HERE, "kind": "iris", "rollout": ROLLOUT}}},
            f"the name {'i' * 39}-r00000000-predictor is 59 characters long; 58 is the most that KServe's labels hold",
        ),
        (
            {"models": {"iris": {**HERE, "rollout": ROLLOUT}, "iris-canary": {**HERE, "kind": "iris"}}},
            "models.iris and models.iris-canary would both have a Deployment iris-canary-predictor; rename one of them",
        ),
    ],
)
def test_refused_by_the_templates(chart: Chart, values: Values, sentence: str) -> None:
    refusal = chart.refusal(values)
    assert sentence in refusal
    assert "hunter2" not in refusal


@pytest.mark.parametrize(
    ("values", "place", "reason"),
    [
        ({"model": {}}, "at ''", "'model' not allowed"),
        (iris(storageURI="pvc://a/b"), "at '/models/iris'", "'storageURI' not allowed"),
        (iris(autoscaling={"rps": 1}), "at '/models/iris/autoscaling'", "'rps' not allowed"),
        (iris(canary={"percent": 1}), "at '/models/iris/canary'", "'percent' not allowed"),
        (iris(settings={"maxQue": 1}), "at '/models/iris/settings'", "'maxQue' not allowed"),
        (iris(settings={"cacheTtlSeconds": 0}), "at '/models/iris/settings/cacheTtlSeconds'", "minimum"),
        ({"kinds": {"roses": {}}}, "at '/kinds'", "'roses' not allowed"),
        ({"kinds": {"iris": {"replica": 1}}}, "at '/kinds/iris'", "'replica' not allowed"),
        ({"defaults": {"replica": 1}}, "at '/defaults'", "'replica' not allowed"),
        (iris(kind="rose"), "at '/models/iris/kind'", "must be one of"),
        (iris(replicas="two"), "at '/models/iris/replicas'", "want integer"),
        (iris(modelName="a b"), "at '/models/iris/modelName'", "does not match pattern"),
        (iris(canary={**CANARY, "trafficPercent": 101}), "at '/models/iris/canary/trafficPercent'", "maximum"),
        ({"kserve": {"version": 0.21}}, "at '/kserve/version'", "want string"),
        ({"kserve": {"version": "0.21 or so"}}, "at '/kserve/version'", "does not match pattern"),
        ({"kserve": {"version": "0.21."}}, "at '/kserve/version'", "does not match pattern"),
        ({"kserve": {"deploymentMode": "RawDeployment"}}, "at '/kserve/deploymentMode'", "must be one of"),
        ({"monitoring": {"adapterRule": {"rateWindow": "30"}}}, "at '/monitoring/adapterRule/rateWindow'", "pattern"),
    ],
)
def test_refused_by_the_schema(chart: Chart, values: Values, place: str, reason: str) -> None:
    [line] = (line for line in chart.refusal(values).splitlines() if place in line and "allOf" not in line)
    assert reason in line


@pytest.mark.parametrize("version", ["0.21", "0.21.0-rc0", "v0.22.1", "1.0"])
def test_a_canary_is_taken_from_021_on(chart: Chart, version: str) -> None:
    assert (
        "canary" in chart.render(iris({"kserve": {"version": version}}, canary=CANARY)).one("InferenceService")["spec"]
    )


def test_the_longest_names_are_taken(chart: Chart) -> None:
    longest = {"models": {"i" * 48: {**HERE, "kind": "iris"}}}
    assert chart.render(longest, namespace="four").of("InferenceService")
    assert chart.render({"models": {"i" * 46: {**HERE, "kind": "iris"}}}).of("InferenceService")
