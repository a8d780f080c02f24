"""What the chart makes of a model's request log."""

import re

import pytest

from predictors.cli.flags import parse
from tests.chart.chart import NAMESPACE, Chart, Values, flags

HERE: Values = {"storageUri": "pvc://models/1"}
CANARY: Values = {"name": "v2", "storageUri": "pvc://models/2"}
MOUNT = {"name": "request-log", "mountPath": "/var/log/predictors"}
CLAIM = {"persistentVolumeClaim": {"claimName": "request-logs"}}


def with_log(log: Values, **fields: object) -> Values:
    return {"kserve": {"version": "0.21"}, "models": {"flowers": {**HERE, "kind": "iris", "requestLog": log, **fields}}}


def test_by_default_there_is_none(chart: Chart) -> None:
    assert not re.search("request.log", str(chart.render("minimal")))


@pytest.mark.parametrize(
    ("log", "sinks"),
    [
        ({"url": "http://broker/x"}, {"url": "http://broker/x"}),
        ({"volume": CLAIM}, {"file": "/var/log/predictors/{host}.jsonl"}),
        (
            {"url": "http://broker", "volume": CLAIM},
            {"url": "http://broker", "file": "/var/log/predictors/{host}.jsonl"},
        ),
    ],
)
def test_all_versions_log_to_the_sinks_under_the_services_name(chart: Chart, log: Values, sinks: Values) -> None:
    variants = [each for _, each in chart.render(with_log(log, canary=CANARY, modelName="iris.v4")).variants()]
    assert len(variants) == 2
    for predictor in variants:
        given = flags(predictor["model"]["args"])
        found = {name.removeprefix("--request_log_"): value for name, value in given.items() if "request_log" in name}
        assert found == {**sinks, "service": "flowers", "namespace": NAMESPACE}
        assert (MOUNT in predictor["model"]["volumeMounts"]) == ("volume" in log)
    volumes = variants[0]["volumes"]
    assert ({"name": "request-log", **CLAIM} in volumes) == ("volume" in log)


def test_what_is_logged_is_in_the_settings(chart: Chart) -> None:
    settings = {"requestLogSampleRatio": 0.05, "requestLogRedact": ["a", "b"], "requestLogService": "shop"}
    rendered = chart.render(with_log({"url": "http://broker"}, settings=settings))
    given = flags(rendered.predictor("flowers")["model"]["args"])
    options = parse(["iris"], {name[2:]: value for name, value in given.items() if "request_log" in name}).request_log
    assert options.request_log_redact == ("a", "b")
    assert options.request_log_sample_ratio == 0.05
    assert options.request_log_service == "shop"


def test_knative_has_it_too(chart: Chart) -> None:
    values = {**with_log({"volume": {"emptyDir": {}}}), "kserve": {"deploymentMode": "Knative"}}
    predictor = chart.render(values).predictor("flowers")
    assert predictor["volumes"] == [{"name": "request-log", "emptyDir": {}}]
    assert predictor["model"]["volumeMounts"] == [MOUNT]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"requestLogUrl": "http://x"}, "models.flowers.settings.requestLogUrl: use models.flowers.requestLog.url"),
        ({"requestLogFile": "/x"}, "models.flowers.settings.requestLogFile: use models.flowers.requestLog.volume"),
        (
            {"requestLogSampleRatio": 0.1},
            "models.flowers.settings.requestLogSampleRatio: nothing is logged without models.flowers.requestLog.url or",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(chart: Chart, settings: Values, sentence: str) -> None:
    assert sentence in chart.refusal(with_log({}, settings=settings))


def test_an_address_that_kserve_would_take_for_a_template_is_refused(chart: Chart) -> None:
    assert "contains {{" in chart.refusal(with_log({"url": "http://broker/{{.Name}}"}))
