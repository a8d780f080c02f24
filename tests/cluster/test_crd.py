"""What the API server makes of InferenceRollouts: the same that the controller does."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.chart.rollouts import BAD, GOOD, OWN, Object, rollout, spec_of
from tests.cluster.definition import install_crd
from tests.cluster.namespaces import Namespaces

pytestmark = [pytest.mark.cluster]


@pytest.fixture(scope="module")
def namespace(namespaces: Namespaces) -> Iterator[str]:
    """A namespace of a cluster that has the definition."""
    install_crd()
    name = namespaces.create("crd")
    yield name
    namespaces.delete(name)


def apply(document: Object, namespace: str) -> subprocess.CompletedProcess[str]:
    """Ask the server, without an effect."""
    command = ["kubectl", "apply", "--dry-run=server", "--namespace", namespace, "--output", "json", "--filename", "-"]
    return subprocess.run(command, input=json.dumps(document), capture_output=True, text=True)


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_what_is_good_is_taken_whole(spec: Object, namespace: str) -> None:
    result = apply(rollout(spec), namespace)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["spec"] == spec  # nothing dropped, nothing added


@pytest.mark.parametrize(("spec", "reason"), [*BAD.values(), *OWN.values()], ids=[*BAD, *OWN])
def test_what_is_bad_is_refused(spec: Object, reason: str, namespace: str) -> None:
    result = apply(rollout(spec), namespace)
    assert result.returncode != 0, result.stdout
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("i" * 39, "at most 38 characters"),
        ("iris.v2", "lower-case letters, digits and dashes"),
        ("2", "beginning with a letter"),
    ],
)
def test_names(name: str, reason: str, namespace: str) -> None:
    result = apply(rollout(spec_of(), name), namespace)
    assert result.returncode != 0, result.stdout
    assert reason in result.stderr
    assert apply(rollout(spec_of(), "i" * 38), namespace).returncode == 0
