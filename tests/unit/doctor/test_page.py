"""docs/doctor.md: its table is the checks, and its roles are what is read."""

import re

import yaml

from predictors.doctor.sources import PODS, SOURCES
from predictors.doctor.table import CHECKS
from tests.live import ROOT

PAGE = (ROOT / "docs/doctor.md").read_text("utf-8")


def test_the_table_is_the_checks() -> None:
    rows = re.findall(r"^\| `[\w-]+` \| (?:risk|warning|note) \| .* \|$", PAGE, re.MULTILINE)
    assert rows == [f"| `{each.id}` | {each.severity} | {each.finds} | {each.why} | {each.remedy} |" for each in CHECKS]


def test_ids_are_unique_and_named_rightly() -> None:
    ids = [each.id for each in CHECKS]
    assert len(set(ids)) == len(ids)
    ignored = re.findall(r"--ignore ([\w,-]+)", PAGE)
    assert {each for names in ignored for each in names.split(",")} <= {*ids}


def test_the_roles_are_what_is_read() -> None:
    [block] = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    allowed = {
        (role["kind"] == "ClusterRole", group, resource)
        for role in yaml.safe_load_all(block)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    read = {(each.is_everywhere, each.group.partition("/")[0], each.plural) for each in SOURCES.values()}
    assert allowed == read | {(False, "", PODS)}
