"""Commits of actions' versions, looked up in a repository on this machine that stands for GitHub's."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.scripts.programs import script

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture
def github(tmp_path: Path) -> dict[str, str]:
    """The environment in which https://github.com/ is a folder with acme/build, tagged v1 (plain) and v2 (with a message)."""
    repository = tmp_path / "github/acme/build"
    repository.mkdir(parents=True)
    subprocess.run([*GIT, "init", "--quiet"], cwd=repository, check=True)
    for number, tag in enumerate((["tag", "v1"], ["tag", "--annotate", "v2", "--message", "two"])):
        subprocess.run([*GIT, "commit", "--quiet", "--allow-empty", "-m", str(number)], cwd=repository, check=True)
        subprocess.run([*GIT, *tag], cwd=repository, check=True)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/github/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }


def commit(tmp_path: Path, tag: str) -> str:
    command = [*GIT, "rev-parse", f"{tag}^{{commit}}"]
    return subprocess.run(
        command, cwd=tmp_path / "github/acme/build", check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize("action", ["acme/build", "acme/build/part/of"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_version_becomes_its_commit(tmp_path: Path, github: dict[str, str], action: str, version: str) -> None:
    workflow = tmp_path / "ci.yaml"
    workflow.write_text(f"steps:\n  - uses: {action}@main # {version}\n  - run: true # v1\n")
    result = script("pin_actions.py", workflow, **github)
    line = f"uses: {action}@{commit(tmp_path, version)} # {version}"
    assert workflow.read_text() == f"steps:\n  - {line}\n  - run: true # v1\n"
    assert (result.returncode, result.stdout) == (0, f"{workflow}: {line}\n")
    assert script("pin_actions.py", workflow, **github).stdout == ""  # nothing is left to do


@pytest.mark.parametrize("action", ["acme/build@main # v3", "acme/nothing@main # v1"])
def test_what_cannot_be_looked_up_is_left_as_it_was(tmp_path: Path, github: dict[str, str], action: str) -> None:
    workflow = tmp_path / "ci.yaml"
    workflow.write_text(f"- uses: {action}\n")
    result = script("pin_actions.py", workflow, **github)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{action.partition('@')[0]} has no tag {action[-2:]}, or cannot be reached")
    assert workflow.read_text() == f"- uses: {action}\n"
