"""`predictors doctor` on a cluster: what it finds is so, the lines that it prints fix it, and its page's roles are enough."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Releases
from tests.cluster.programs import kubectl, run
from tests.cluster.release import Release
from tests.live import ROOT
from tests.waiting import until

pytestmark = pytest.mark.cluster
MODEL, USER = "iris", "predictors-doctor"
# One pod, and a port that is open to the cluster, as in manifests/quickstart.
VALUES = {"modelVolume": {"create": True}, "models": {MODEL: {}}, "networkPolicy": {"enabled": False}}


class Report(NamedTuple):
    """What the command printed as JSON.

    Args:
        status: its exit status.
        findings, unseen: as they are there.
    """

    status: int
    findings: list[dict[str, Any]]
    unseen: list[dict[str, Any]]

    def fixes(self, check: str) -> list[str]:
        """The lines that fix what a check found."""
        return [each["fix"] for each in self.findings if each["check"] == check]

    @property
    def checks(self) -> set[str]:
        """Ids of those that found something."""
        return {each["check"] for each in self.findings}


def examine(namespace: str, *options: str, kubeconfig: str = "") -> Report:
    command = [sys.executable, "-m", "predictors", "doctor", "-n", namespace, "--output", "json", *options]
    environment = os.environ | ({"KUBECONFIG": kubeconfig} if kubeconfig else {})
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode in (0, 1, 2), result.stderr
    assert result.stdout, result.stderr
    report = json.loads(result.stdout)
    return Report(result.returncode, report["findings"], report["unseen"])


@pytest.fixture(scope="module")
def release(releases: Releases) -> Iterator[Release]:
    with releases("doctor", VALUES) as made:
        made.wait_ready([MODEL])
        yield made


@pytest.fixture(scope="module")
def found(release: Release) -> Report:
    """What is found in it at first."""
    return examine(release.namespace)


def test_what_is_found(found: Report) -> None:
    assert found.status == 1
    assert {each["check"] for each in found.findings if each["severity"] == "risk"} == {"single-replica", "open-port"}
    assert found.checks >= {"digest", "fixed-replicas", "no-way-back"}
    assert not found.checks & {
        "not-ready",
        "gateway",
        "gateway-api",
        "kserve",
        "requests",
        "memory-limit",
        "termination",
    }
    assert not found.checks & {"no-disruption-budget", "security-context", "route-timeout", "scraping", "service-links"}
    assert found.unseen == []


def test_the_lines_fix_it(cluster: Cluster, release: Release, found: Report) -> None:
    """As they stand, one after the other."""
    for check in ("open-port", "single-replica"):
        [line] = found.fixes(check)
        assert line.startswith(f"helm upgrade {release.name} charts/predictors -n {release.namespace} ")
        run("sh", "-c", line)
    until(lambda: len(cluster.pods(release.namespace, MODEL)) == 2, "the second pod")
    until(
        lambda: not examine(release.namespace).checks & {"open-port", "single-replica", "not-ready"},
        "the findings to go",
    )
    after = examine(release.namespace)
    assert after.status == 0
    assert found.checks - after.checks >= {"open-port", "single-replica"}


def test_a_pod_that_is_not_ready_says_why(release: Release) -> None:
    wrong = "sha256:" + "0" * 64
    release.upgrade({"models": {MODEL: {"digest": wrong}}})

    def reasons() -> list[str]:
        return [each["message"] for each in examine(release.namespace).findings if each["check"] == "not-ready"]

    until(lambda: any(f"but {wrong} is pinned" in each for each in reasons()), "the reason")
    release.upgrade({})
    until(lambda: not reasons(), "the pods of before")


@pytest.fixture(scope="module")
def user(cluster: Cluster, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A kubeconfig with the rights of the page."""
    [block] = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/doctor.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    namespace, scratch = release.namespace, tmp_path_factory.mktemp("user")
    role, cluster_role = yaml.safe_load_all(block)
    role["metadata"]["namespace"] = namespace
    name = cluster_role["metadata"]["name"] = f"{USER}-{namespace}"
    for each in (role, cluster_role):
        (scratch / "role.json").write_text(json.dumps(each), "utf-8")
        kubectl("apply", "-f", scratch / "role.json")
    kubectl("create", "serviceaccount", USER, "-n", namespace)
    account = f"--serviceaccount={namespace}:{USER}"
    kubectl("create", "rolebinding", USER, "-n", namespace, f"--role={USER}", account)
    kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", account)
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    token = kubectl("create", "token", USER, "-n", namespace)
    config["users"] = [{"name": each["name"], "user": {"token": token.strip()}} for each in config["users"]]
    path: Path = scratch / "kubeconfig"
    path.write_text(json.dumps(config), "utf-8")
    yield str(path)
    kubectl("delete", "clusterrolebinding,clusterrole", name)


def test_the_roles_of_the_page_are_enough(release: Release, user: str) -> None:
    seen, all_rights = examine(release.namespace, kubeconfig=user), examine(release.namespace)
    assert seen.unseen == []
    assert seen.findings == all_rights.findings


def test_a_right_that_is_missing_is_named(release: Release, user: str) -> None:
    remove = '[{"op": "remove", "path": "/rules/1"}]'  # pods/proxy
    kubectl("patch", "role", USER, "-n", release.namespace, "--type", "json", "-p", remove)
    report = examine(release.namespace, "--ignore", "single-replica,open-port", kubeconfig=user)
    assert report.status == 2
    right = f"it takes the right to get pods/proxy in namespace {release.namespace}"
    assert report.unseen == [{"check": each, "reason": right} for each in ("evaluation", "drift")]
    assert (
        examine(release.namespace, "--ignore", "single-replica,open-port,evaluation,drift", kubeconfig=user).status == 0
    )
    assert examine("kube-system", kubeconfig=user).status == 2
