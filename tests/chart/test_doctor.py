"""The lines that the doctor advises: values that the chart has, and commands whose flags their programs know."""

import copy
import json
import re
import shlex
import subprocess
from functools import cache
from typing import Any

import pytest

from predictors.doctor.examine import examine
from predictors.doctor.finding import Issue
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.table import CHECKS
from tests.chart.chart import CHART, Chart, Rendered, find_program
from tests.unit.doctor.clusters import DIGEST, World, production, quickstart
from tests.unit.doctor.test_checks import FOUND

_PROGRAMS = ("kubectl", "helm", "predictors", "echo", "jq")


@cache
def advised(*, is_charts: bool) -> list[tuple[Issue, World]]:
    """Every issue that there is, and where, for models that are the chart's or somebody's own."""
    found = []
    for _, change, _ in FOUND:
        world = production()
        if not is_charts:
            for model in ("iris", "intent", "summarizer"):
                world.disown(model)
        change(world)
        found += [(each.issue, world) for each in world.report().findings]
    return found


def test_values_are_the_charts(chart: Chart) -> None:
    """helm itself takes them, with the schema and the chart's own refusals."""
    lines = {issue.fix.line for issue, _ in advised(is_charts=True) if issue.fix.frame}
    assert len(lines) > 40
    common = ["--set", "kserve.version=0.21", "--values", str(CHART / "ci/production-values.yaml")]
    given = " ".join(sorted(lines)).replace("$(predictors artifact digest DIRECTORY)", DIGEST)
    command = [chart.helm, "template", "predictors", str(chart.directory), *common, *shlex.split(given)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def commands() -> list[list[str]]:
    """Each command that is advised, in words; both sides of a pipe."""
    lines = {str(issue.fix) for is_charts in (True, False) for issue, _ in advised(is_charts=is_charts)}
    words = [shlex.split(line) for line in sorted(lines)]
    found: list[list[str]] = []
    for line in words:
        for end in ("|", "&&"):
            if end in line:
                found.append(line[line.index(end) + 1 :])
                line = line[: line.index(end)]
        found.append(line)
    return found


def test_commands_are_commands(chart: Chart) -> None:
    """Their programs parse them: with --help behind, nothing is done. Of each shape, one."""
    kubectl = find_program("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed")
    seen = set()
    for words in commands():
        assert words[0] in _PROGRAMS, words
        shape = tuple(word.partition("=")[0] if word.startswith("-") else word for word in words[:2]) + tuple(
            sorted(word.partition("=")[0] for word in words if word.startswith("-"))
        )
        if words[0] not in ("kubectl", "helm") or shape in seen:
            continue
        seen.add(shape)
        program = kubectl if words[0] == "kubectl" else chart.helm
        result = subprocess.run([program, *words[1:], "--help"], capture_output=True, text=True)
        assert result.returncode == 0, (words, result.stderr)
        assert f"{words[0]} {words[1]}" in result.stdout, words
    assert len(seen) > 15


def test_patches_can_be_applied() -> None:
    """A JSON patch that adds below a field that is not there, or takes away what is not there, is refused."""
    patches = 0
    for issue, world in advised(is_charts=False):
        words = shlex.split(issue.fix.line)
        if words[:3] == ["kubectl", "patch", "inferenceservice"]:
            patches += 1
            service = copy.deepcopy(world.one("InferenceService", words[3]))
            for operation in json.loads(words[words.index("-p") + 1]):
                apply(operation, service)
    assert patches > 100


def apply(operation: dict[str, Any], thing: Any) -> None:
    """JSON patch, RFC 6902, as far as the doctor uses it; raises what stands in the way."""
    *parents, last = operation["path"].strip("/").split("/")
    for each in parents:
        thing = thing[int(each)] if isinstance(thing, list) else thing[each]
    key: Any = int(last) if isinstance(thing, list) and last != "-" else last
    if operation["op"] == "remove":
        del thing[key]
    elif operation["op"] == "replace" or last != "-":
        assert operation["op"] == "add" or thing[key] is not None
        thing[key] = operation["value"]
    else:
        thing.append(operation["value"])


def test_remedies_name_values_that_exist() -> None:
    """In the table of the page, too."""
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))["properties"]
    named = [
        span
        for check in CHECKS
        for span in re.findall(r"`((?:models\.NAME|monitoring|networkPolicy)\.[\w.]+)`", check.remedy)
    ]
    assert len(named) > 15
    for path in named:
        place = {"properties": schema}
        for each in path.replace("models.NAME", "defaults").split("."):
            if "properties" in place or not place.get("additionalProperties"):
                assert each in place["properties"], path
                place = place["properties"][each]


def test_what_is_checked_in_is_what_helm_renders(chart: Chart) -> None:
    """The tests of the checks look at manifests/; this looks at the chart as it is now."""
    worlds: dict[str, World] = {"production": production(), "quickstart": quickstart()}
    for scenario, world in worlds.items():
        rendered: Rendered = chart.render(scenario)
        fresh = {
            **world.objects,
            **{kind: [*rendered.of(kind).values()] for kind in ("ServingRuntime", "PodDisruptionBudget")},
        }
        snapshot = world.snapshot()
        again = Snapshot(snapshot.namespace, fresh, apis=snapshot.apis)
        assert [each.check for each in examine(again).findings] == [each.check for each in world.report().findings]
