"""The examples of docs/storage.md, as a reader follows them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.gateway import V1_BODIES, Gateway
from tests.cluster.programs import CHART, ProgramFailed
from tests.cluster.release import Release, Values
from tests.live import ROOT

_PAGE = ROOT / "docs/storage.md"
_LIMIT_SECONDS = 600
_CHART = "charts/predictors"


class Reader:
    """Somebody who follows sections of the page in a namespace, and in a folder that holds their artifact.

    Args:
        cluster: where.
        gateway: leads to the models.
        namespace: in which, instead of the page's.
        values: of the cluster's own, beside those that the page sets.
        folder: where the page's relative paths begin.
    """

    def __init__(self, cluster: Cluster, gateway: Gateway, namespace: str, values: Values, folder: Path) -> None:
        self.release = Release(cluster, gateway, namespace, values, folder)
        self._folder = folder
        file = folder / f"{namespace}.json"
        file.write_text(json.dumps(values), "utf-8")
        self._changes = {
            "-n models": f"-n {namespace}",
            "namespace models": f"namespace {namespace}",
            _CHART: f"{CHART} --values {file}",
        }

    def follow(self, section: str, changes: dict[str, str]) -> None:
        """Write a section's YAML to SECTION.yaml, and run its commands.

        Args:
            section: its heading.
            changes: what is written in place of what the page has: names, addresses, keys.

        Raises:
            ProgramFailed: a command failed.
        """
        text = _section(section)
        for old, new in changes.items():
            assert old in text, f"the section {section} does not have {old!r}"
            text = text.replace(old, new)
        (self._folder / f"{section}.yaml").write_text("---\n".join(_blocks(text, "yaml")), "utf-8")
        commands = "".join(_blocks(text, "sh"))
        for old, new in self._changes.items():
            commands = commands.replace(old, new)
        self._run(commands)

    def is_served(self, model: str, version: str) -> None:
        """Check that a model of iris is served, in a version."""
        self.release.wait_ready([model])
        with self.release.gateway.rest(model, self.release.namespace) as client:
            response = client.post(f"/v1/models/{model}:predict", json=V1_BODIES["iris"])
        assert response.status_code == 200, response.text
        assert (response.json()["labels"], response.headers["x-model-version"]) == (["setosa"], version)

    def _run(self, commands: str) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self._folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
        )
        if result.returncode:
            raise ProgramFailed(f"{commands}\n{result.stdout}{result.stderr}")


def _section(heading: str) -> str:
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", _PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found, f"the page has no section {heading}"
    return found[1]


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
