"""What is made from values.yaml and the chart is up to date."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from scripts import chart_docs, manifests
from tests.chart.chart import CHART, Chart, find_program
from tests.live import ROOT


def test_schema_and_readme_are_up_to_date() -> None:
    """`make chart-docs` makes them."""
    values = chart_docs.read_values((CHART / "values.yaml").read_text("utf-8"))
    readme = (CHART / "README.md").read_text("utf-8")
    assert (CHART / "values.schema.json").read_text("utf-8") == chart_docs.make_schema(values)
    assert readme == chart_docs.make_readme(readme, values)
    assert "`canary.trafficPercent`" in readme


def test_a_value_without_a_comment_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"image\.tag has no comment"):
        chart_docs.read_values('image:\n  # Where from.\n  registry: a\n\n  tag: ""\n')


def test_the_images_have_the_version_of_the_package() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["appVersion"] == version[1]


@pytest.mark.parametrize("scenario", manifests.SCENARIOS)
def test_manifests_are_up_to_date(chart: Chart, scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make manifests` makes them."""
    monkeypatch.setenv("HELM", chart.helm)
    directory = ROOT / "manifests" / scenario
    assert {path.name: path.read_text("utf-8") for path in directory.iterdir()} == manifests.render(scenario)


@pytest.mark.parametrize("scenario", manifests.SCENARIOS)
def test_manifests_have_nothing_of_helm(scenario: str) -> None:
    text = (ROOT / "manifests" / scenario / "predictors.yaml").read_text("utf-8")
    assert not re.search(r"helm\.sh/|managed-by", text)
    for each in yaml.safe_load_all(text):
        assert each["metadata"].get("namespace", "models") == "models"


@pytest.mark.parametrize("scenario", manifests.SCENARIOS)
def test_overlays_move_the_namespace_and_the_images(scenario: str, tmp_path: Path) -> None:
    kubectl = find_program("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed: neither in the PATH nor named by KUBECTL")
    base = ROOT / "manifests" / scenario
    kustomization = {
        "resources": [os.path.relpath(base, tmp_path)],  # kustomize takes no absolute paths
        "namespace": "other",
        "images": [{"name": "docker.io/kserve-predictors/iris", "newName": "example.com/iris", "newTag": "2"}],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), "utf-8")
    result = subprocess.run([kubectl, "kustomize", tmp_path], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    objects = [*yaml.safe_load_all(result.stdout)]
    names = {each["metadata"].get("namespace") or each["metadata"]["name"] for each in objects}
    assert names == {"other"}
    assert "example.com/iris:2" in result.stdout
    assert "docker.io/kserve-predictors/iris:" not in result.stdout
