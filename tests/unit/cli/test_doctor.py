"""`predictors doctor` before a small API server: exit statuses, outputs, and what it asks for."""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from predictors.cli.app import app
from predictors.doctor.sources import SOURCES
from predictors.doctor.table import CHECKS
from tests.unit.doctor.clusters import NAMESPACE, production, quickstart

METRICS = "model_drift_rows 5\n"


class Cluster:
    """An API server with the objects of a world.

    Args:
        kubeconfig: where to write how it is reached.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self.world = production()
        self.asked: list[tuple[str, str]] = []
        self.forbidden: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer.answer(self.command, self.path)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # the base class calls them so

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.kubeconfig = kubeconfig
        where = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}
        context = {"name": "here", "context": {"cluster": "here", "user": "me", "namespace": NAMESPACE}}
        config = {
            "clusters": [where],
            "contexts": [context],
            "users": [{"name": "me", "user": {}}],
            "current-context": "here",
        }
        kubeconfig.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))

    def answer(self, method: str, path: str) -> tuple[int, bytes]:
        self.asked.append((method, path))
        if path.endswith("/proxy/metrics"):
            return 200, METRICS.encode()
        for kind, source in SOURCES.items():
            if path == source.path(NAMESPACE):
                if kind in self.forbidden:
                    return 403, json.dumps({"kind": "Status", "message": "you may not"}).encode()
                if kind in self.world.objects:
                    return 200, json.dumps({"items": self.world.objects[kind]}).encode()
        found = self.world.apis.get(path)
        return (404, b"404 page not found") if found is None else (200, json.dumps(found).encode())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "kubeconfig")
    yield made
    made.close()


def run(cluster: Cluster, *arguments: str) -> tuple[int, str, str]:
    """Status, standard output and standard error."""
    result = CliRunner().invoke(
        app, ["doctor", "--kubeconfig", str(cluster.kubeconfig), *arguments], env={"COLUMNS": "80"}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_production_has_no_risk(cluster: Cluster) -> None:
    cluster.world.add_pod()
    status, out, err = run(cluster)
    assert (status, err) == (0, "")
    assert "RISK" not in out
    assert "\n  digest  intent, iris, summarizer: it serves whatever is at its storage URI" in out
    assert "\n      --set models.iris.digest=$(predictors artifact digest DIRECTORY)\n" in out
    assert (
        "it completes: helm template predictors charts/predictors -n models -f VALUES.yaml --skip-tests --set …" in out
    )
    assert run(cluster, "--fail_on", "warning")[0] == 1
    assert run(cluster, "--fail_on", "warning", "--ignore", "digest")[0] == 0
    assert run(cluster, "--fail_on", "note")[0] == 1


def test_it_only_ever_reads(cluster: Cluster) -> None:
    cluster.world.add_pod()
    run(cluster)
    assert {method for method, _ in cluster.asked} == {"GET"}
    assert [path for _, path in cluster.asked if "proxy" in path] == [
        f"/api/v1/namespaces/{NAMESPACE}/pods/iris-predictor-0:8080/proxy/metrics"
    ]


def test_the_quickstart_fails(cluster: Cluster) -> None:
    cluster.world = quickstart()
    status, out, _ = run(cluster, "-n", NAMESPACE)
    assert status == 1
    assert out.startswith("RISK\n  single-replica  intent, iris, summarizer: it may have a single pod")
    assert out.rstrip().splitlines()[-1].startswith("6 risks, 3 warnings, ")


def test_json_is_for_programs(cluster: Cluster) -> None:
    cluster.world = quickstart()
    status, out, _ = run(cluster, "--output", "json")
    assert status == 1
    report = json.loads(out)
    assert report["unseen"] == []
    assert {"kserve", "drift"} <= {*report["fine"]}
    [found] = [
        each
        for each in report["findings"]
        if (each["check"], each["subject"]) == ("single-replica", "inferenceservice/iris")
    ]
    assert found == {
        "check": "single-replica",
        "severity": "risk",
        "subject": "inferenceservice/iris",
        "message": "it may have a single pod, so a drain, an eviction or a lost node interrupts it",
        "fix": "helm template predictors charts/predictors -n models -f VALUES.yaml --skip-tests --set models.iris.replicas=2 "
        "| kubectl apply -f -",
    }


def test_helms_own_release_is_upgraded(cluster: Cluster) -> None:
    for runtime in cluster.world.objects["ServingRuntime"]:
        runtime["metadata"]["annotations"] = {"meta.helm.sh/release-name": "predictors"}
    _, out, _ = run(cluster)
    assert "it completes: helm upgrade predictors charts/predictors -n models --reset-then-reuse-values --set …" in out


def test_what_may_not_be_read_is_no_success(cluster: Cluster) -> None:
    cluster.forbidden = {"Node", "DaemonSet"}
    status, out, _ = run(cluster)
    assert status == 2
    assert "COULD NOT LOOK\n  volume-on-one-node, one-node: it takes the right to list nodes in all namespaces" in out
    assert "3 could not look" in out
    assert run(cluster, "--ignore", "volume-on-one-node, one-node,logs")[0] == 0
    assert run(cluster, "--fail_on", "warning")[0] == 1


def test_of_a_cluster_that_shows_nothing_it_says_that(cluster: Cluster) -> None:
    cluster.forbidden = {*SOURCES}
    status, out, _ = run(cluster, "--output", "json")
    assert status == 2
    assert json.loads(out)["findings"] == []


def test_a_namespace_by_mistake_is_no_success(cluster: Cluster) -> None:
    cluster.world.objects["InferenceService"].clear()
    status, out, _ = run(cluster)
    assert status == 1
    assert "no-models  namespace/models: it has no InferenceService" in out


def test_verbose_names_what_is_fine(cluster: Cluster) -> None:
    assert "\nFINE\n  kserve, kserve-controller, " in run(cluster, "-v")[1]
    assert "FINE" not in run(cluster)[1]


def test_list_needs_no_cluster(cluster: Cluster) -> None:
    status, out, _ = run(cluster, "--list")
    assert (status, cluster.asked) == (0, [])
    assert all(each.id in out and each.why in out and each.remedy in out for each in CHECKS)


@pytest.mark.parametrize("arguments", [["--ignore", "nothing"], ["--fail_on", "never"], ["--output", "xml"]])
def test_wrong_usage(cluster: Cluster, arguments: list[str]) -> None:
    status, _, err = run(cluster, *arguments)
    assert (status, cluster.asked) == (2, [])
    assert arguments[0].strip("-") in err


def test_no_cluster(cluster: Cluster, tmp_path: Path) -> None:
    cluster.close()
    status, out, err = run(cluster)
    assert (status, out) == (2, "")
    assert err.startswith("error: the API server does not answer: ")
    cluster.kubeconfig = tmp_path / "none"
    status, out, err = run(cluster)
    assert (status, out) == (2, "")
    assert err.startswith("error: no cluster: ")


def test_markup_and_escapes_of_others_do_nothing(cluster: Cluster) -> None:
    message = "[red]\x1b[31mno[/red]\npods"
    conditions = [{"type": "Ready", "status": "False", "message": message}]
    cluster.world.one("InferenceService", "iris")["status"] = {"conditions": conditions}
    out = run(cluster)[1]
    assert "iris: it is not ready: [red] [31mno[/red] pods\n" in out
    assert "\x1b" not in out


def test_without_the_extra(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("predictors.rollout")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    status, _, err = run(cluster)
    assert (status, err) == (2, "error: kubernetes is not installed: install kserve-predictors[rollout]\n")
