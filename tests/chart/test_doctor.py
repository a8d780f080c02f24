"""The lines that the doctor advises: values that the chart has, and commands whose flags their programs know."""

import copy
import json
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from predictors.doctor.examine import examine
from predictors.doctor.finding import Issue
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.table import CHECKS
from tests.chart.chart import CHART, Chart, Rendered
from tests.programs import find_program
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
            patch = json.loads(words[words.index("-p") + 1])
            if words[words.index("--type") + 1] == "merge":
                merge(patch, service)
            else:
                for operation in patch:
                    apply(operation, service)
    assert patches > 100


def apply(operation: dict[str, Any], thing: Any) -> None:
    """JSON patch, RFC 6902, as far as the doctor uses it; raises what stands in the way."""
    *parents, last = operation["path"].strip("/").split("/")
    for each in parents:
        thing = thing[int(each)] if isinstance(thing, list) else thing[each]
    if operation["op"] == "test" and isinstance(thing, dict):
        assert thing.get(last) == operation["value"]
        return
    key: Any = int(last) if isinstance(thing, list) and last != "-" else last
    if operation["op"] == "test":
        assert thing[key] == operation["value"]
    elif operation["op"] == "remove":
        del thing[key]
    elif operation["op"] == "replace" or last != "-":
        assert operation["op"] == "add" or thing[key] is not None
        thing[key] = operation["value"]
    else:
        thing.append(operation["value"])


def merge(patch: dict[str, Any], thing: dict[str, Any]) -> None:
    """JSON merge patch, RFC 7396."""
    for key, value in patch.items():
        if value is None:
            thing.pop(key, None)
        elif isinstance(value, dict):
            thing[key] = thing[key] if isinstance(thing.get(key), dict) else {}
            merge(value, thing[key])
        else:
            thing[key] = value


def own(container: dict[str, Any], place: str, tmp_path: Path) -> tuple[World, Path]:
    """A model of somebody's own as the only one, and the file that it is in."""
    spec = {"predictor": {"model": container} if place == "model" else {"containers": [container]}}
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "own"},
        "spec": spec,
    }
    world = production()
    world.objects["InferenceService"] = [service]
    file = tmp_path / "own.json"
    file.write_text(json.dumps(service))
    return world, file


def patched(world: World, file: Path, *checks: str) -> tuple[Any, list[bool]]:
    """Let kubectl itself apply all lines of one report, one after the other; the container, and which were taken."""
    kubectl = find_program("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed")
    taken = []
    for check in checks:
        for found in world.found(check):
            words = shlex.split(found.issue.fix.line)
            assert words[:4] == ["kubectl", "patch", "inferenceservice", "own"]
            patch = [*words[4:-2], "--local", "-f", str(file), "-o", "json"]
            result = subprocess.run([kubectl, "patch", *patch], capture_output=True, text=True)
            taken.append(result.returncode == 0)
            if taken[-1]:
                file.write_text(result.stdout)
            else:
                assert "test failed" in result.stderr
    predictor = json.loads(file.read_text())["spec"]["predictor"]
    return predictor["model"] if "model" in predictor else predictor["containers"][0], taken


@pytest.mark.parametrize("place", ["model", "containers"])
def test_lines_of_one_report_do_not_undo_each_other(place: str, tmp_path: Path) -> None:
    container = {"name": "kserve-container", "image": "docker.io/kserve-predictors/iris:1"}
    after, taken = patched(
        *own(container, place, tmp_path), "requests", "memory-limit", "digest", "signature", "pod-tls"
    )
    resources = after["resources"]
    if place == "model":
        assert all(taken[:3])
        assert {*resources["requests"]} == {"cpu", "memory"}
        assert resources["limits"] == {"memory": "LIMIT"}
    else:
        assert taken[:3] == [True, False, False]
        assert resources == {"requests": {"cpu": "100m"}}
    # The first is there, and the others are refused rather than put in its place.
    assert after["args"] == ["--artifact_digest=sha256:DIGEST"]
    assert taken[3:] == [True, False, False]


@pytest.mark.parametrize(
    ("arguments", "left", "taken"),
    [
        (["--enable_repository", "--trust_artifact", "--http_port=8080"], ["--trust_artifact", "--http_port=8080"], [True, False]),
        (["--http_port=8080", "--trust_artifact", "true"], ["--http_port=8080"], [True]),
        (["--grace_seconds", "5", "--http_port=8080"], ["--grace_seconds=60", "--http_port=8080"], [True]),
        (["--grace-seconds=5"], ["--grace_seconds=60"], [True]),
    ],
)  # fmt: skip
def test_arguments_are_found_where_they_are(
    arguments: list[str], left: list[str], taken: list[bool], tmp_path: Path
) -> None:
    container = {"image": "docker.io/kserve-predictors/iris:1", "args": arguments}
    world, file = own(container, "model", tmp_path)
    world.objects["NetworkPolicy"].clear()
    after, were_taken = patched(world, file, "open-repository", "trusted-artifact", "grace")
    assert (after["args"], were_taken) == (left, taken)


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
