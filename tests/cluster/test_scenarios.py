"""Each scenario of the chart is accepted by the real API server, its webhooks included, without being made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.definition import install_crd
from tests.cluster.namespaces import Namespaces
from tests.cluster.programs import CHART, helm, kubectl

pytestmark = pytest.mark.cluster
SCENARIOS = sorted((CHART / "ci").glob("*-values.yaml"))


@pytest.fixture(scope="module")
def namespace(namespaces: Namespaces) -> Iterator[str]:
    """One for all, since nothing is made in it."""
    install_crd()
    name = namespaces.create("scenarios")
    yield name
    namespaces.delete(name)


@pytest.mark.parametrize("values", SCENARIOS, ids=lambda path: path.name)
def test_a_scenario_is_accepted(namespace: str, tmp_path: Path, values: Path) -> None:
    # What a scenario puts into another namespace goes into this one: the other one is not here.
    elsewhere = [f"--set=monitoring.{part}.namespace={namespace}" for part in ("adapterRule", "dashboards")]
    rendered = tmp_path / "rendered.yaml"
    text = helm("template", "predictors", CHART, "--namespace", namespace, "--values", values, "--no-hooks", *elsewhere)
    rendered.write_text(text, "utf-8")
    accepted = kubectl("apply", "--dry-run=server", "--namespace", namespace, "--filename", rendered).splitlines()
    kinds = ("inferenceservice.serving.kserve.io/", "inferencerollout.rollouts.predictors.dev/")
    assert any(line.startswith(kinds) for line in accepted)
    assert all("(server dry run)" in line for line in accepted)
