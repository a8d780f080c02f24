"""The alerts: that they ask for what is exported and have runbooks; with promtool, that they fire when they should."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.dashboards.overview import FAILED
from tests.live import ROOT
from tests.monitoring.promql import metrics_in
from tests.monitoring.series import exported
from tests.programs import program

ALERTS = ROOT / "charts/predictors/files/alerts.yaml"
RUNBOOK = ROOT / "docs/runbook.md"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


def names() -> set[str]:
    return {rule["alert"] for rule in rules() if "alert" in rule}


def test_every_name_is_exported_or_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {metric for rule in rules() for metric in metrics_in(rule["expr"])}
    assert recorded <= asked
    assert asked - recorded <= exported()


def test_dashboards_and_alerts_count_the_same_failures() -> None:
    recorded = [rule["expr"] for rule in rules() if "record" in rule]
    assert recorded
    assert all(FAILED in expr for expr in recorded)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    headings = re.findall(r"^## (.+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(names())
    for rule in rules():
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_alert_is_tested() -> None:
    cases = yaml.safe_load((Path(__file__).parent / "alerts_test.yaml").read_text("utf-8"))["tests"]
    fired = {test["alertname"] for case in cases for test in case["alert_rule_test"] if test.get("exp_alerts")}
    silent = {test["alertname"] for case in cases for test in case["alert_rule_test"] if not test.get("exp_alerts")}
    assert fired == names()
    assert silent == names() - {"PredictorLoadFailed", "SummarizerSlow"}


@pytest.mark.parametrize("command", ["check", "test"])
def test_promtool_agrees(command: str, tmp_path: Path) -> None:
    tests = yaml.safe_load((Path(__file__).parent / "alerts_test.yaml").read_text("utf-8"))
    file = tmp_path / "alerts_test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], **tests}), "utf-8")
    result = subprocess.run(
        [program("promtool"), command, "rules", ALERTS if command == "check" else file], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
