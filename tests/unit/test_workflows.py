"""The workflows on GitHub: what they call exists, and is pinned."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))


def jobs() -> Iterator[Any]:
    for workflow in WORKFLOWS:
        yield from yaml.safe_load(workflow.read_text())["jobs"].values()


def steps() -> list[Any]:
    return [step for job in jobs() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_their_version(workflow: Path) -> None:
    uses = re.findall(r"uses: (.*)", workflow.read_text())
    assert uses
    assert [use for use in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []


def test_an_action_has_one_version() -> None:
    assert len({step["uses"].partition("@")[0] for step in steps() if "uses" in step}) == len(
        {step["uses"] for step in steps() if "uses" in step}
    )


def test_make_targets_exist() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = {each for step in steps() for each in re.findall(r"make (?:-s )?([a-z-]+)", step.get("run", ""))}
    assert {"lint", "test", "images", "sbom", "charts"} <= called
    assert called - {*targets} == set()


def test_every_image_is_released() -> None:
    [images] = [job["strategy"]["matrix"]["image"] for job in jobs() if "strategy" in job]
    assert f"IMAGES ?= {' '.join(images)}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_may_do_more_than_it_says(workflow: Path) -> None:
    content = yaml.safe_load(workflow.read_text())
    assert content["permissions"] == {}
    writes = {name for name, job in content["jobs"].items() if "write" in json.dumps(job["permissions"])}
    assert writes == ({"images", "charts"} if workflow.stem == "release" else set())


def test_syft_is_the_one_that_make_sbom_names() -> None:
    versions = {step["with"]["syft-version"] for step in steps() if "syft" in step.get("uses", "")}
    [named] = re.findall(r"cmd/syft@(\S+)\"", (ROOT / "scripts/sbom.py").read_text())
    assert versions == {named}


def test_an_image_is_built_from_what_the_dockerfile_copies_alone() -> None:
    """Each entry of .dockerignore that lets something in is copied, and nothing else is."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {source.partition("/")[0] for line in copies for source in line.split()} == allowed
