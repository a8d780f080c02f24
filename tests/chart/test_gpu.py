"""A summarizer on a GPU: what its pod asks for, and what the server is told."""

import pytest

from tests.chart.chart import Chart, flags


def test_a_gpu_is_asked_for_and_used(chart: Chart) -> None:
    rendered = chart.render("gpu")
    predictor = rendered.predictor("summarizer")
    assert flags(predictor["model"]["args"])["--gpu_layers"] == "-1"
    assert predictor["model"]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert predictor["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert predictor["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    [runtime] = rendered.runtimes().values()
    assert runtime["spec"]["containers"][0]["image"].endswith("-cuda")


@pytest.mark.parametrize("layers", [-2, "all", 1.5])
def test_a_number_of_layers_that_the_server_would_refuse_is_refused(chart: Chart, layers: object) -> None:
    models = {"summarizer": {"storageUri": "pvc://models/summarizer/1", "settings": {"gpuLayers": layers}}}
    assert "gpuLayers" in chart.refusal({"models": models})
