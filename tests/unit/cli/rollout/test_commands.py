"""Exit statuses and outputs of the commands, before a simulated cluster."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from predictors.cli.app import app
from predictors.rollout.kube import client
from predictors.rollout.kube.api import Api
from tests.rollout.clock import Clock
from tests.rollout.pilot import NAME, V1, V2, rollout
from tests.rollout.world import NAMESPACE, World, inference_service

SOUND = json.dumps(rollout("pair", V1))
BROKEN = json.dumps(rollout("pair", V1, pauseBefore=[7]))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(Clock(), kserve="0.20", seed=1)

    def connect(kubeconfig: str = "", context: str = "") -> Api:
        return made.api

    monkeypatch.setattr(client, "connect", connect)
    monkeypatch.setattr(client, "default_namespace", lambda kubeconfig, context: NAMESPACE)
    return made


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Status, standard output and standard error."""
    result = CliRunner().invoke(app, ["rollout", *arguments], input=stdin, env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("command", ["get", "promote", "pause", "resume", "abort", "retry", "undo", "history", "wait"])
def test_there_is_none_of_that_name(command: str) -> None:
    status, out, _ = run(command, "nobody")
    assert (status, out) == (1, "")


def test_get(world: World) -> None:
    world.store.create(json.loads(SOUND))
    assert run("get")[:2] == run("get", "-n", NAMESPACE)[:2]
    assert NAME in run("get")[1]
    assert json.loads(run("get", NAME, "--output", "json")[1])["spec"] == json.loads(SOUND)["spec"]
    assert "not seen by a controller" in run("get", NAME)[1]
    assert run("get", "--watch")[0] == 2


def test_get_of_nothing(world: World) -> None:
    assert run("get")[:2] == (0, f"no InferenceRollouts in namespace {NAMESPACE}\n")
    assert run("get", "-A")[1] == "no InferenceRollouts in any namespace\n"


def test_wait_runs_out_of_time(world: World) -> None:
    world.store.create(json.loads(SOUND))
    status, _, err = run("wait", NAME, "--timeout", "0s")
    assert status == 4
    assert "is rollout-controller running?" in err


@pytest.mark.parametrize(
    ("phase", "goal", "status"),
    [
        ("RolledBack", "promoted", 3),
        ("Paused", "promoted", 5),
        ("Blocked", "promoted", 5),
        ("Paused", "paused", 0),
        ("Healthy", "promoted", 4),
    ],
)
def test_wait_says_by_its_status_what_it_found(world: World, phase: str, goal: str, status: int) -> None:
    world.store.create(json.loads(SOUND))
    seen = {"status": {"phase": phase, "observedGeneration": 1, "message": "so it is"}}
    world.store.patch("InferenceRollout", NAMESPACE, NAME, seen, subresource="status")
    found = run("wait", NAME, "--for", goal, "--timeout", "0s")
    assert found[0] == status
    assert "so it is" in found[2]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "arguments",
    [
        ["wait", NAME, "--for", "nothing"],
        ["wait", NAME, "--timeout", "soon"],
        ["run", NAME],
        ["run", NAME, "--abort", "--storage-uri", V2],
        ["get", NAME, "--output", "xml"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments)[0] == 2


def test_a_dry_run_writes_nothing(world: World) -> None:
    world.api.server.create(inference_service(NAME, V1))
    world.clock.advance(60)
    status, out, _ = run("run", NAME, "--storage-uri", V2, "--steps", "10,100", "--dry-run")
    assert status == 0
    assert f"from {V1} to {V2}" in out
    assert "pair routing" in out
    assert "Next: preparing the routes. Nothing was written." in out
    assert world.api.writes == []


def test_a_run_that_cannot_be_is_said_in_a_sentence(world: World) -> None:
    status, _, err = run("run", NAME, "--storage-uri", V2)
    assert (status, err) == (1, f"error: there is no InferenceService {NAME} in namespace {NAMESPACE}\n")
    status, _, err = run("run", NAME, "--storage-uri", V2, "--steps", "20,10")
    assert status == 1
    assert "the weights must rise" in err


def test_lint(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(SOUND)
    bad.write_text(f"# a comment\n{BROKEN}")
    assert run("lint", str(good))[0] == 0
    assert run("lint", "--strict", str(good))[0] == 1
    status, out, _ = run("lint", str(good), str(bad))
    assert status == 1
    assert f"{bad}:2: error: spec.strategy: pauseBefore: no step has the weight 7" in out
    [checked] = json.loads(run("lint", "-", "--output", "json", stdin=SOUND)[1])
    assert {each["severity"] for each in checked["problems"]} == {"warning"}


@pytest.mark.parametrize(("stdin", "says"), [("kind: Secret", "no InferenceRollout"), ("a: [", "line 1: not YAML")])
def test_lint_of_something_else(stdin: str, says: str) -> None:
    status, _, err = run("lint", "-", stdin=stdin)
    assert status == 1
    assert says in err


def test_lint_of_no_file() -> None:
    status, _, err = run("lint", "/nowhere.yaml")
    assert (status, err) == (
        1,
        "error: /nowhere.yaml cannot be read: [Errno 2] No such file or directory: '/nowhere.yaml'\n",
    )


@pytest.mark.parametrize("package", ["kubernetes", "yaml"])
def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    for name in [each for each in sys.modules if each.startswith("predictors.rollout")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    arguments = ["get"] if package == "kubernetes" else ["lint", "-"]
    status, _, err = run(*arguments, stdin=SOUND)
    assert (status, err) == (1, f"error: {package} is not installed: install kserve-predictors[rollout]\n")
