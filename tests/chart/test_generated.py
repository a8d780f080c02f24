"""What is made from values.yaml and the charts is up to date."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from scripts import chart_docs, manifests
from tests.chart.chart import CHART, Chart
from tests.live import ROOT
from tests.programs import find_program

ALL = (*manifests.SCENARIOS, manifests.CONTROLLER)


@pytest.mark.parametrize("directory", chart_docs.CHARTS, ids=lambda path: path.name)
def test_schema_and_readme_are_up_to_date(directory: Path) -> None:
    """`make chart-docs` makes them."""
    values = chart_docs.read_values((directory / "values.yaml").read_text("utf-8"))
    readme = (directory / "README.md").read_text("utf-8")
    assert (directory / "values.schema.json").read_text("utf-8") == chart_docs.make_schema(values)
    assert readme == chart_docs.make_readme(readme, values)
    assert "| `image.tag` |" in readme


def test_fields_of_a_model_are_a_table_of_their_own() -> None:
    readme = (CHART / "README.md").read_text("utf-8")
    assert "| `canary.trafficPercent` |" in readme
    assert "`defaults.canary" not in readme


def test_a_value_without_a_comment_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"image\.tag has no comment"):
        chart_docs.read_values('image:\n  # Where from.\n  registry: a\n\n  tag: ""\n')


@pytest.mark.parametrize("directory", chart_docs.CHARTS, ids=lambda path: path.name)
def test_the_images_have_the_version_of_the_package(directory: Path) -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert yaml.safe_load((directory / "Chart.yaml").read_text("utf-8"))["appVersion"] == version[1]


@pytest.mark.parametrize("scenario", ALL)
def test_manifests_are_up_to_date(chart: Chart, scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make manifests` makes them."""
    monkeypatch.setenv("HELM", chart.helm)
    directory = ROOT / "manifests" / scenario
    assert {path.name: path.read_text("utf-8") for path in directory.iterdir()} == manifests.render(scenario)


def test_the_controllers_manifest_has_nothing_of_helm() -> None:
    text = (ROOT / "manifests" / manifests.CONTROLLER / f"{manifests.CONTROLLER}.yaml").read_text("utf-8")
    assert not re.search(r"helm\.sh/|managed-by", text)


@pytest.mark.parametrize("scenario", manifests.SCENARIOS)
def test_manifests_have_nothing_of_helm(scenario: str) -> None:
    text = (ROOT / "manifests" / scenario / "predictors.yaml").read_text("utf-8")
    assert not re.search(r"helm\.sh/(?!resource-policy)|managed-by", text)  # a policy means nothing to others
    for each in yaml.safe_load_all(text):
        assert each["metadata"].get("namespace", "models") == "models"


def overlay(scenario: str, image: str, scratch: Path) -> str:
    """A scenario in the namespace `other`, with the tag 2 of an image of another registry."""
    kubectl = find_program("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed: neither in the PATH nor named by KUBECTL")
    kustomization = {
        # kustomize takes no absolute paths
        "resources": [os.path.relpath(ROOT / "manifests" / scenario, scratch)],
        "namespace": "other",
        "images": [{"name": f"docker.io/kserve-predictors/{image}", "newName": f"example.com/{image}", "newTag": "2"}],
    }
    (scratch / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), "utf-8")
    result = subprocess.run([kubectl, "kustomize", scratch], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert f"example.com/{image}:2" in result.stdout
    assert f"docker.io/kserve-predictors/{image}:" not in result.stdout
    return result.stdout


@pytest.mark.parametrize("scenario", manifests.SCENARIOS)
def test_overlays_move_the_namespace_and_the_images(scenario: str, tmp_path: Path) -> None:
    objects = [*yaml.safe_load_all(overlay(scenario, "iris", tmp_path))]
    names = {each["metadata"].get("namespace") or each["metadata"]["name"] for each in objects}
    assert names == {"other"}


def test_overlays_move_the_controller(tmp_path: Path) -> None:
    objects = [*yaml.safe_load_all(overlay(manifests.CONTROLLER, manifests.CONTROLLER, tmp_path))]
    assert {each["metadata"]["namespace"] for each in objects if "namespace" in each["metadata"]} == {"other"}
    for binding in (each for each in objects if each["kind"].endswith("Binding")):
        assert [subject["namespace"] for subject in binding["subjects"]] == ["other"]
