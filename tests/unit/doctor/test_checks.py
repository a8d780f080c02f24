"""Each check finds what it is for, and nothing else has it in a cluster as it should be."""

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from predictors.doctor.model import models
from predictors.doctor.sources import CUSTOM_METRICS_API, METRICS_API
from predictors.doctor.table import CHECKS
from tests.unit.doctor.clusters import DIGEST, NAMESPACE, World, changed, production, quickstart

# What is left to say of manifests/production in a cluster that has all that it should: the artifacts' digests, which are
# the user's, and what is a matter of taste.
KNOWN = {"digest", "image-tag", "no-authentication", "no-canary", "pod-tls", "request-log", "signature"}


def test_production_has_no_risk() -> None:
    report = production().report()
    assert {each.check for each in report.findings} == KNOWN
    assert {each.check for each in report.findings if each.severity != "note"} == {"digest"}
    assert report.unseen == []
    assert len(report.fine) == len(CHECKS) - len(KNOWN)


def test_the_quickstart_is_not_for_production() -> None:
    report = quickstart().report()
    assert {each.check for each in report.findings} == KNOWN | {"single-replica", "fixed-replicas", "open-port"}
    assert {each.check for each in report.findings if each.severity == "risk"} == {"single-replica", "open-port"}


def status_of(world: World, kind: str, name: str, **conditions: str) -> None:
    """Set conditions of an object; a value is STATUS, or STATUS/REASON/MESSAGE."""
    parts = {key: [*value.split("/"), "", ""][:3] for key, value in conditions.items()}
    found = [{"type": key, "status": a, "reason": b, "message": c} for key, (a, b, c) in parts.items()]
    world.one(kind, name)["status"] = {"conditions": found}


def container_status(**fields: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "kserve-container", **fields}]}


def without(world: World, *kinds: str) -> None:
    for kind in kinds:
        del world.objects[kind]


def append_argument(world: World, *arguments: str) -> None:
    world.predictor()["model"]["args"] += arguments


def two_pods_on_a_node(world: World) -> None:
    world.add_pod()["spec"]["nodeName"] = world.add_pod()["spec"]["nodeName"]


def a_rollout(world: World, **status: Any) -> None:
    world.objects["InferenceRollout"] = [{"metadata": {"name": "iris"}, "spec": {}, "status": status}]


def a_claim(world: World) -> None:
    world.objects["PersistentVolumeClaim"] = [
        {"metadata": {"name": "models"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    ]


def a_canary_on(world: World, tag: str) -> None:
    world.objects["Controller"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = f"kserve:{tag}"
    world.one("InferenceService", "iris")["spec"]["canary"] = [{"predictor": {}}]


def all_of(*changes: Callable[[World], object]) -> Callable[[World], None]:
    def change(world: World) -> None:
        for each in changes:
            each(world)

    return change


def budget(**limits: Any) -> Callable[[World], None]:
    """A PodDisruptionBudget with other limits."""

    def change(world: World) -> None:
        spec = world.one("PodDisruptionBudget", "iris")["spec"]
        del spec["maxUnavailable"]
        spec.update(limits)

    return change


def at_most(pods: int) -> Callable[[World], None]:
    """A greatest number of pods."""

    def change(world: World) -> None:
        world.one("HorizontalPodAutoscaler", "iris-predictor")["spec"]["maxReplicas"] = pods
        world.predictor()["maxReplicas"] = pods

    return change


def cannot_scale(world: World) -> None:
    status_of(world, "HorizontalPodAutoscaler", "iris-predictor", ScalingActive="False/FailedGetResourceMetric")


def exports(text: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.metrics["iris"] = text

    return change


def controller_image(image: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.objects["Controller"][0]["spec"]["template"]["spec"]["containers"][0]["image"] = image

    return change


IRIS, HPA = "inferenceservice/iris", "horizontalpodautoscaler/iris-predictor"
GATEWAY, MANAGER, SPACE = (
    "gateway/kserve-ingress-gateway",
    "deployment/kserve-controller-manager",
    f"namespace/{NAMESPACE}",
)
# (check, what is changed, where it is found)
FOUND: list[tuple[str, Callable[[World], object], str]] = [
    ("kserve", lambda w: without(w, "ServingRuntime"), "cluster"),
    ("kserve", lambda w: without(w, "InferenceService"), "cluster"),
    ("kserve-controller", lambda w: w.objects["Controller"][0]["status"].clear(), MANAGER),
    ("kserve-unseen", lambda w: w.objects["Controller"].clear(), "cluster"),
    ("kserve-version", controller_image("docker.io/kserve/kserve-controller:v0.20.0"), MANAGER),
    ("kserve-version", controller_image("registry:5000/kserve:v0.9.0-rc1@sha256:ab"), MANAGER),
    ("kserve-version-unseen", controller_image("registry:5000/kserve"), MANAGER),
    ("kserve-version-unseen", controller_image("kserve@sha256:ab"), MANAGER),
    ("kserve-version-unseen", controller_image("kserve:0.20-and-more/x"), MANAGER),
    ("gateway-api", lambda w: without(w, "Gateway"), "cluster"),
    ("gateway", lambda w: w.objects["Gateway"].clear(), GATEWAY),
    ("gateway", lambda w: w.one("Gateway").pop("status"), GATEWAY),
    ("gateway-tls", lambda w: w.one("Gateway")["spec"]["listeners"].pop(), GATEWAY),
    ("namespace-level", lambda w: w.one("Namespace")["metadata"].pop("labels"), SPACE),
    ("no-models", lambda w: w.objects["InferenceService"].clear(), SPACE),
    ("not-ready", lambda w: w.one("InferenceService", "iris").pop("status"), IRIS),
    ("not-ready", lambda w: status_of(w, "InferenceService", "iris", Ready="False/Why/no pods"), IRIS),
    ("not-ready", lambda w: w.add_pod(**container_status(state={"waiting": {"reason": "ImagePullBackOff"}})), IRIS),
    ("not-ready", lambda w: w.add_pod(conditions=[{"type": "PodScheduled", "status": "False"}]), IRIS),
    ("not-ready", lambda w: w.refusals.update({w.add_pod()["metadata"]["name"]: "its digest is another"}), IRIS),
    ("out-of-memory", lambda w: w.add_pod(**container_status(lastState={"terminated": {"reason": "OOMKilled"}})), IRIS),
    ("out-of-memory", lambda w: w.add_pod(**container_status(state={"terminated": {"reason": "OOMKilled"}})), IRIS),
    ("restarts", lambda w: w.add_pod(**container_status(restartCount=3)), IRIS),
    ("single-replica", lambda w: w.one("HorizontalPodAutoscaler", "iris-predictor")["spec"].pop("minReplicas"), IRIS),
    ("single-replica", all_of(lambda w: w.objects["HorizontalPodAutoscaler"].clear(), lambda w: w.predictor().update(minReplicas=1)), IRIS),
    ("single-replica", all_of(lambda w: w.objects["HorizontalPodAutoscaler"].clear(), lambda w: w.objects["Deployment"].append(
        {"metadata": {"name": "x", "labels": {"serving.kserve.io/inferenceservice": "iris"}}, "spec": {}})), IRIS),
    ("no-disruption-budget", lambda w: w.one("PodDisruptionBudget", "iris")["spec"].pop("selector"), IRIS),
    ("drain-blocked", budget(maxUnavailable=0), IRIS),
    ("drain-blocked", budget(maxUnavailable="0%"), IRIS),
    ("drain-blocked", budget(minAvailable=2), IRIS),
    ("drain-blocked", budget(minAvailable="51%"), IRIS),
    ("drain-blocked", budget(minAvailable="100%"), IRIS),
    ("drain-blocked", lambda w: w.one("PodDisruptionBudget", "intent")["spec"].update(selector={}), IRIS),
    ("volume-on-one-node", a_claim, IRIS),
    ("volume-on-one-node", all_of(a_claim, at_most(2)), IRIS),
    ("one-node", two_pods_on_a_node, IRIS),
    ("requests", lambda w: w.predictor()["model"]["resources"].pop("requests") and w.predictor()["model"]["resources"]["limits"].pop("cpu"), IRIS),
    ("requests", lambda w: w.predictor()["model"]["resources"]["requests"].update(memory="0"), IRIS),
    ("memory-limit", lambda w: w.predictor()["model"]["resources"]["limits"].pop("memory"), IRIS),
    ("no-probes", lambda w: w.container().pop("livenessProbe"), IRIS),
    ("wrong-probes", lambda w: w.container().update(readinessProbe={"tcpSocket": {"port": 8080}}), IRIS),
    ("wrong-probes", lambda w: w.container().update(livenessProbe={"httpGet": {"path": "/v2/health/ready"}}), IRIS),
    ("fixed-replicas", all_of(lambda w: w.one("HorizontalPodAutoscaler", "iris-predictor")["spec"].update(maxReplicas=2), lambda w: w.predictor().pop("maxReplicas")), IRIS),
    ("autoscaler-inactive", all_of(cannot_scale, lambda w: w.add_pod()), HPA),
    ("autoscaler-metrics", lambda w: w.apis.update({METRICS_API: None}), "cluster"),
    ("autoscaler-custom-metrics", lambda w: w.apis.update({CUSTOM_METRICS_API: None}), "horizontalpodautoscaler/intent-hpa"),
    ("autoscaler-maximum", lambda w: status_of(w, "HorizontalPodAutoscaler", "iris-predictor", ScalingLimited="True/TooManyReplicas"), HPA),
    ("route-timeout", all_of(lambda w: w.one("HTTPRoute")["spec"]["rules"].append({"timeouts": {"request": "1h9s"}}), lambda w: append_argument(w, "--request_timeout_seconds=20")), IRIS),
    ("route-timeout", all_of(lambda w: w.objects["HTTPRoute"].clear(), lambda w: w.predictor().update(timeout=5)), IRIS),
    ("termination", all_of(lambda w: w.predictor().pop("terminationGracePeriodSeconds"), lambda w: append_argument(w, "--grace-seconds=20")), IRIS),
    ("grace", lambda w: append_argument(w, "--grace_seconds", "5"), IRIS),
    ("open-port", lambda w: w.objects["NetworkPolicy"].clear(), IRIS),
    ("open-port", lambda w: w.one("NetworkPolicy")["spec"].update(policyTypes=["Egress"]), IRIS),
    ("no-authentication", lambda w: None, IRIS),
    ("open-repository", lambda w: append_argument(w, "--enable_repository=true"), IRIS),
    ("open-repository", lambda w: append_argument(w, "--enable_repository", "--max_rows=1"), IRIS),
    ("pod-tls", lambda w: None, IRIS),
    ("password-shown", lambda w: append_argument(w, "--cache_url=redis://:hunter2@cache:6379/0"), IRIS),
    ("password-shown", lambda w: w.predictor()["model"].update(env=[{"name": "PREDICTORS_CACHE_URL", "value": "redis://me:hunter2@cache"}]), IRIS),
    ("password-shown", lambda w: w.container().update(command=["sh", "-c", "predictors serve iris --cache_url=redis://:hunter2@cache"]), IRIS),
    ("route-timeout", all_of(lambda w: w.objects["HTTPRoute"].clear(), lambda w: w.predictor().update(timeout=10**400), lambda w: append_argument(w, "--request_timeout_seconds=100")), IRIS),
    ("security-context", lambda w: w.container()["securityContext"].update(privileged=True), IRIS),
    ("security-context", lambda w: w.predictor().update(hostNetwork=True), IRIS),
    ("security-context", lambda w: w.container()["securityContext"].update(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), IRIS),
    ("security-context", lambda w: w.container()["securityContext"].update(capabilities={"drop": ["KILL"]}), IRIS),
    ("security-context", lambda w: w.container()["securityContext"].update(runAsUser=0), IRIS),
    ("security-context", all_of(lambda w: w.container()["securityContext"].pop("runAsNonRoot"), lambda w: w.predictor().pop("securityContext")), IRIS),
    ("service-links", lambda w: w.predictor().pop("enableServiceLinks"), IRIS),
    ("image-latest", lambda w: w.container().update(image="registry:5000/iris"), IRIS),
    ("image-latest", lambda w: w.container().update(image="iris:latest"), IRIS),
    ("image-tag", lambda w: None, IRIS),
    ("digest", lambda w: None, IRIS),
    ("trusted-artifact", lambda w: append_argument(w, "--trust_artifact"), IRIS),
    ("trusted-artifact", lambda w: append_argument(w, "--trust_artifact=yes"), IRIS),
    ("open-repository", lambda w: append_argument(w, "--enable_repository=On"), IRIS),
    ("signature", lambda w: None, IRIS),
    ("evaluation", exports(f'model_artifact_info{{model_name="iris",model_version="1",digest="{DIGEST}",evaluated="false"}} 1.0\n'), IRIS),
    ("canary-without-traffic", lambda w: a_canary_on(w, "v0.20.0"), IRIS),
    ("no-canary", lambda w: None, IRIS),
    ("no-way-back", lambda w: w.objects["ReplicaSet"].append({"metadata": {"labels": {"serving.kserve.io/inferenceservice": "iris"}}}), IRIS),
    ("rollout-waits", lambda w: a_rollout(w, observedGeneration=1, phase="Blocked", message="no"), "inferencerollout/iris"),
    ("rollout-unattended", a_rollout, "inferencerollout/iris"),
    ("scraping", lambda w: w.one("ServingRuntime", w.predictor()["model"]["runtime"])["spec"].pop("annotations"), IRIS),
    ("alerts", lambda w: w.objects["PrometheusRule"].clear(), SPACE),
    ("alerts-unseen", lambda w: without(w, "PrometheusRule"), SPACE),
    ("dashboards", lambda w: w.objects["ConfigMap"].clear(), SPACE),
    ("logs", lambda w: w.one("DaemonSet")["metadata"].update(name="kube-proxy"), "cluster"),
    ("request-log", lambda w: append_argument(w, "--request_log_sample_ratio=0.1"), IRIS),
    ("route-timeout", lambda w: append_argument(w, "--request_timeout_seconds=inf"), IRIS),
    ("logs", lambda w: w.one("DaemonSet")["metadata"].update(name="catalog-login"), "cluster"),
    ("drift", exports("up 1\n"), IRIS),
    ("evaluation", exports('model_artifact_info{model_name="iris",evaluated="true"} 1\nmodel_artifact_info{model_name="b",evaluated="false"} 1\n'), IRIS),
]  # fmt: skip


@pytest.mark.parametrize(("check", "change", "subject"), FOUND, ids=[f"{each[0]}-{i}" for i, each in enumerate(FOUND)])
def test_is_found(check: str, change: Callable[[World], object], subject: str) -> None:
    assert subject in {each.issue.subject for each in changed(change).found(check)}


def test_every_check_is_among_them() -> None:
    assert {each[0] for each in FOUND} == {each.id for each in CHECKS}


# (check, what is changed): nothing is found at iris.
NOT_FOUND: list[tuple[str, Callable[[World], object]]] = [
    ("kserve-version", controller_image("kserve:v1.0.0")),
    ("drain-blocked", budget(minAvailable="50%")),
    ("drain-blocked", budget(minAvailable=1)),
    ("drain-blocked", budget(minAvailable="some%")),
    ("drain-blocked", budget(minAvailable="some")),
    ("drain-blocked", budget()),
    ("drain-blocked", budget(maxUnavailable="1%")),
    ("single-replica", lambda w: w.objects["HorizontalPodAutoscaler"].clear()),
    ("volume-on-one-node", all_of(lambda w: a_claim(w), lambda w: w.objects["Node"].pop())),
    ("open-port", all_of(lambda w: w.objects["NetworkPolicy"].clear(), lambda w: append_argument(w, "--token_digests_file=/etc/digests"))),
    ("no-authentication", lambda w: append_argument(w, "--jwt-issuer", "https://issuer")),
    ("no-authentication", lambda w: w.predictor()["model"].update(env=[{"name": "PREDICTORS_JWT_ISSUER", "value": "https://issuer"}])),
    ("open-repository", lambda w: append_argument(w, "--enable_repository=true", "--jwt_issuer=https://issuer")),
    ("digest", lambda w: append_argument(w, f"--artifact_digest={DIGEST}")),
    ("digest", lambda w: append_argument(w, "--model_store=/mnt/models")),
    ("drift", all_of(exports("up 1\n"), lambda w: w.container().update(command=["predictors", "serve", "--model_store=/mnt/models"]))),
    ("trusted-artifact", lambda w: append_argument(w, "--trust_artifact", f"--artifact_digest={DIGEST}")),
    ("image-tag", lambda w: w.container().update(image=f"iris@{DIGEST}")),
    ("image-tag", lambda w: w.container().update(image=f"iris:0.1.0@{DIGEST}")),
    ("image-latest", lambda w: w.container().update(image=f"iris:latest@{DIGEST}")),
    ("password-shown", lambda w: append_argument(w, "--cache_url=redis://cache:6379/0")),
    ("no-canary", a_rollout),
    ("no-canary", lambda w: a_canary_on(w, "v0.21.0")),
    ("canary-without-traffic", lambda w: a_canary_on(w, "v0.21.0")),
    ("not-ready", lambda w: w.add_pod(**container_status(state={"waiting": {"reason": "PodInitializing"}}))),
    ("restarts", lambda w: w.add_pod(**container_status(restartCount=2))),
    ("one-node", lambda w: w.add_pod() and w.add_pod()),
    ("one-node", lambda w: w.add_pod()),
    ("one-node", all_of(two_pods_on_a_node, lambda w: w.objects["Pod"][0]["status"].update(phase="Failed", reason="Evicted"))),
    ("drain-blocked", all_of(budget(minAvailable=0), lambda w: w.objects["HorizontalPodAutoscaler"].clear(), lambda w: w.predictor().update(minReplicas=0))),
    ("drain-blocked", all_of(budget(minAvailable="0%"), lambda w: w.objects["HorizontalPodAutoscaler"].clear(), lambda w: w.predictor().update(minReplicas=0))),
    ("drain-blocked", budget(minAvailable="9" * 5000)),
    ("one-node", all_of(two_pods_on_a_node, lambda w: w.objects["Node"].pop())),
    ("volume-on-one-node", all_of(a_claim, lambda w: w.one("PersistentVolumeClaim")["metadata"].update(name="other"))),
    ("volume-on-one-node", all_of(a_claim, lambda w: w.one("PersistentVolumeClaim")["spec"].clear())),
    ("volume-on-one-node", all_of(a_claim, lambda w: w.one("PersistentVolumeClaim")["spec"]["accessModes"].append("ReadOnlyMany"))),
    ("security-context", lambda w: w.container()["securityContext"].update(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]})),
    ("autoscaler-inactive", all_of(cannot_scale, lambda w: w.add_pod()["metadata"].update(creationTimestamp="2026-11-26T11:59:00Z"))),
    ("autoscaler-inactive", all_of(cannot_scale, lambda w: w.one("HorizontalPodAutoscaler", "iris-predictor")["spec"].update(maxReplicas=2))),
    ("route-timeout", lambda w: w.one("HTTPRoute")["spec"].update(rules=[{"timeouts": {"request": "0s"}}, {}])),
    ("scraping", lambda w: w.one("ServingRuntime", w.predictor()["model"]["runtime"])["spec"].pop("annotations") and w.one("PodMonitor")["spec"]["selector"].clear()),
    ("request-log", lambda w: append_argument(w, "--request_log_url=http://sink")),
    ("request-log", lambda w: append_argument(w, "--request_log_file", "/var/log/x")),
    ("termination", lambda w: append_argument(w, "--request_timeout_seconds=inf", "--drain_seconds=nan", "--grace_seconds=9")),
    ("request-log", lambda w: w.predictor().update(logger={"mode": "all"})),
    ("drift", exports('model_drift_rows{model_name="iris",model_version="1"} 0\n')),
    ("drift", exports("model_drift{ 1\n")),
    ("evaluation", exports("model_artifact_info{} 1\n")),
    ("drift", all_of(exports("up 1\n"), lambda w: w.container().update(command=["predictors", "serve", "summarizer"]))),
]  # fmt: skip


@pytest.mark.parametrize(("check", "change"), NOT_FOUND, ids=[f"{each[0]}-{i}" for i, each in enumerate(NOT_FOUND)])
def test_is_not_found(check: str, change: Callable[[World], object]) -> None:
    assert not {IRIS, HPA} & {each.issue.subject for each in changed(change).found(check)}


def test_knative_is_not_asked_for_what_it_does_itself() -> None:
    world = World("knative")
    checks = {"no-disruption-budget", "termination", "grace", "no-probes", "pod-tls", "fixed-replicas", "gateway-api"}
    for service in world.objects["InferenceService"]:
        service["spec"]["predictor"].pop("terminationGracePeriodSeconds", None)
    without(world, "Gateway")
    for runtime in world.objects["ServingRuntime"]:
        runtime["spec"]["containers"][0].pop("readinessProbe")
    assert {each.check for each in world.report().findings} & checks == set()


def test_what_is_being_deleted_is_no_model() -> None:
    world = production()
    world.one("InferenceService", "iris")["metadata"]["deletionTimestamp"] = "2026-11-26T12:00:00Z"
    assert {each.issue.subject for each in world.found("digest")} == {
        "inferenceservice/intent",
        "inferenceservice/summarizer",
    }


def test_a_rollouts_canary_is_no_model() -> None:
    world = production()
    canary = {"metadata": {"name": "iris-canary", "ownerReferences": [{"kind": "InferenceRollout", "name": "iris"}]}}
    world.objects["InferenceService"].append(canary)
    assert {each.issue.subject for each in world.found("single-replica")} == set()


def fix_of(world: World, check: str) -> str:
    [line] = [each.issue.fix.line for each in world.found(check) if each.issue.subject == IRIS]
    return line


def test_what_runs_is_what_is_pinned() -> None:
    """The digests that the fixes name are those of the image and the artifact that serve now."""
    world = production()
    sidecar = {"name": "proxy", "imageID": f"docker.io/proxy@{DIGEST}"}
    image = f"registry:5000/iris@{DIGEST}"
    world.add_pod(containerStatuses=[sidecar, {"name": "kserve-container", "imageID": f"docker-pullable://{image}"}])
    world.metrics["iris"] = f'model_artifact_info{{model_name="iris",digest="{DIGEST}",evaluated="true"}} 1.0\n'
    assert fix_of(world, "image-tag") == f"--set models.iris.image={image}"
    assert fix_of(world, "digest") == f"--set models.iris.digest={DIGEST}"


def test_a_digest_that_nobody_tells_is_left_open() -> None:
    world = production()
    world.add_pod(containerStatuses=[{"name": "kserve-container", "imageID": DIGEST}])
    assert fix_of(world, "image-tag") == "--set models.iris.image=docker.io/kserve-predictors/iris@sha256:DIGEST"
    assert fix_of(world, "digest") == "--set models.iris.digest=$(predictors artifact digest DIRECTORY)"


def test_memory_is_raised_by_half() -> None:
    world = production()
    world.add_pod(**container_status(lastState={"terminated": {"reason": "OOMKilled"}}))
    assert fix_of(world, "out-of-memory") == "--set models.iris.resources.limits.memory=576Mi"


def own_model(world: World, **container: Any) -> None:
    """A model of somebody's own, in a container, as the only one."""
    spec = {"predictor": {"containers": [{"name": "kserve-container", **container}]}}
    world.objects["InferenceService"] = [{"metadata": {"name": "iris"}, "spec": spec}]


def merged_by(world: World, check: str) -> Any:
    """`spec.predictor` of the merge patch that a check advises for a model of somebody's own."""
    return json.loads(shlex.split(fix_of(world, check))[-3])["spec"]["predictor"]


def test_a_store_is_of_no_kind() -> None:
    world = production()
    own_model(world, command=["predictors", "serve", "--model_store=/mnt/models"])
    [model] = models(world.snapshot())
    assert (model.kind, model.settings["model_store"]) == ("", "/mnt/models")


def test_drift_has_a_line_that_runs() -> None:
    world = changed(exports("up 1\n"))
    assert fix_of(world, "drift") == "predictors train iris --version NEW"
    world.container().update(command=["predictors", "serve", "sklearn"])
    words = shlex.split(fix_of(world, "drift"))
    assert words[:3] == ["predictors", "artifact", "pack"]
    assert {"--version", "-o", "--trust_artifact"} <= {*words}
    append_argument(world, "--drift_window_seconds=0.0")
    assert fix_of(world, "drift") == "--set models.iris.settings.driftWindowSeconds=3600"


def test_labels_and_annotations_that_are_there_are_written_over() -> None:
    world = production()
    world.disown()
    world.one("Namespace")["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "privileged"}
    del world.one("ServingRuntime", world.predictor()["model"]["runtime"])["spec"]["annotations"]
    [found] = world.found("namespace-level")
    assert "--overwrite" in found.issue.fix.line
    assert "--overwrite" in fix_of(world, "scraping")


def test_a_second_pod_has_room() -> None:
    world = quickstart()
    world.disown()
    world.predictor().update(minReplicas=1, maxReplicas=1)
    assert merged_by(world, "single-replica") == {"minReplicas": 2, "maxReplicas": 2}


def test_a_certificate_comes_with_its_key() -> None:
    world = production()
    world.disown()
    fix = fix_of(world, "pod-tls")
    assert "--ssl_certfile=" in fix
    assert "--ssl_keyfile=" in fix


def test_dashboards_get_the_label_by_which_they_are_found() -> None:
    world = production()
    for name in ("iris", "intent", "summarizer"):
        world.disown(name)
    world.objects["ConfigMap"].clear()
    [found] = world.found("dashboards")
    assert "app.kubernetes.io/part-of=predictors" in found.issue.fix.line


def test_a_release_of_another_chart_has_no_history_here() -> None:
    world = production()
    world.disown()
    world.one("InferenceService", "iris")["metadata"]["annotations"] = {"meta.helm.sh/release-name": "theirs"}
    world.objects["ReplicaSet"].append({"metadata": {"labels": {"serving.kserve.io/inferenceservice": "iris"}}})
    assert fix_of(world, "no-way-back") == f"kubectl get replicaset -n {NAMESPACE}"


def test_only_the_caches_url_has_its_secret() -> None:
    world = changed(lambda w: append_argument(w, "--request_log_url=http://me:hunter2@sink"))
    assert fix_of(world, "password-shown") == f"kubectl edit inferenceservice iris -n {NAMESPACE}"
    append_argument(world, "--cache_url=redis://:hunter2@cache")
    assert "cacheUrlSecret" in fix_of(world, "password-shown")


@pytest.mark.parametrize("wide", ["before", "zzz"])
def test_the_budget_for_all_models_is_kept(wide: str) -> None:
    world = production()
    everything = {"kind": "PodDisruptionBudget", "metadata": {"name": wide}, "spec": {"selector": {}}}
    world.objects["PodDisruptionBudget"].insert(0 if wide == "before" else 99, everything)
    assert fix_of(world, "drain-blocked") == f"kubectl delete poddisruptionbudget iris -n {NAMESPACE}"


def test_the_limit_is_never_less_than_the_request() -> None:
    world = production()
    world.predictor()["model"]["resources"] = {"requests": {"cpu": "1", "memory": "8Gi"}}
    assert fix_of(world, "memory-limit") == "--set models.iris.resources.limits.memory=8Gi"
    own_model(world, command=["predictors", "serve", "summarizer"])
    assert '"memory": "LIMIT"' in fix_of(world, "memory-limit")


def test_another_server_gets_no_probe_that_may_kill_it() -> None:
    world = production()
    ports = [{"name": "h2c", "containerPort": 9000}, {"name": "http1", "containerPort": 8501}]
    own_model(world, image="tensorflow/serving:2", ports=ports)
    fix = fix_of(world, "no-probes")
    assert '"path": "/PATH", "port": 8501' in fix
    assert "livenessProbe" not in fix
    own_model(world, image="tensorflow/serving:2", readinessProbe={"tcpSocket": {"port": 8501}})
    assert not world.found("no-probes")


def test_our_server_gets_all_its_probes_by_tls() -> None:
    world = production()
    world.disown()
    for probe in ("startupProbe", "livenessProbe"):
        del world.container()[probe]
    append_argument(world, "--ssl_certfile=/etc/tls/tls.crt")
    probes = merged_by(world, "no-probes")["model"]
    assert {*probes} == {"livenessProbe", "startupProbe"}
    assert {each["httpGet"]["scheme"] for each in probes.values()} == {"HTTPS"}
    assert probes["startupProbe"]["failureThreshold"] == 120


def test_what_is_restricted_takes_the_rights_away() -> None:
    world = production()
    world.disown()
    world.predictor().update(hostNetwork=True)
    world.container()["securityContext"].update(privileged=True, runAsUser=0, capabilities={"add": ["SYS_ADMIN"]})
    change = merged_by(world, "security-context")
    context = change["model"]["securityContext"]
    assert change["hostNetwork"] is None
    assert (context["privileged"], context["runAsUser"]) == (False, 65532)
    assert context["capabilities"] == {"drop": ["ALL"], "add": None}


def test_a_port_of_the_host_is_given_back() -> None:
    """Where it is declared: in the InferenceService, in its container or its model, or in the runtime."""
    ports = [{"containerPort": 8080, "hostPort": 80, "hostIP": "10.0.0.1"}, {"containerPort": 8081, "name": "grpc"}]
    left = [{"containerPort": 8080}, {"containerPort": 8081, "name": "grpc"}]
    world = production()
    world.disown()
    world.predictor()["model"]["ports"] = ports
    assert merged_by(world, "security-context")["model"]["ports"] == left
    own_model(world, ports=ports, securityContext={"capabilities": {"drop": ["ALL"]}})
    added = {"op": "add", "path": "/spec/predictor/containers/0/ports", "value": left}
    assert added in json.loads(shlex.split(fix_of(world, "security-context"))[-3])
    world = production()
    world.container()["ports"][0]["hostPort"] = 80
    assert fix_of(world, "security-context").startswith("helm ")
    world.disown()
    runtime = world.predictor()["model"]["runtime"]
    assert fix_of(world, "security-context") == f"kubectl edit servingruntime {runtime} -n {NAMESPACE}"


def test_a_port_that_the_hosts_network_brings_is_not_declared_anywhere() -> None:
    world = production()
    world.disown()
    world.predictor().update(hostNetwork=True)
    world.add_pod()["spec"]["containers"][0]["ports"][0]["hostPort"] = 8080
    [found] = world.found("security-context")
    assert "a port of the host" in found.issue.message
    change = json.loads(shlex.split(found.issue.fix.line)[-3])["spec"]["predictor"]
    assert change["hostNetwork"] is None
    assert "ports" not in change["model"]


def test_what_runs_counts_more_than_what_is_declared() -> None:
    world = production()
    world.add_pod()["spec"]["containers"][0]["image"] = "iris:latest"
    assert [each.issue.subject for each in world.found("image-latest")] == [IRIS]
