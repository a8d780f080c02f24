"""The charts, rendered by helm."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.live import ROOT

CHART = ROOT / "charts" / "predictors"
CONTROLLER = ROOT / "charts" / "rollout-controller"
NAMESPACE = "models"

Object = dict[str, Any]
Values = dict[str, Any]


def scenarios(chart: Path) -> list[str]:
    """The scenarios of a chart's ci/."""
    return sorted(path.name.removesuffix("-values.yaml") for path in (chart / "ci").iterdir())


class Pod(NamedTuple):
    """A pod as the cluster sees it, once KServe has put a runtime and an InferenceService together.

    Args:
        name: of the object that it comes from.
        spec: what is said of the pod.
        containers: its containers, init containers included.
    """

    name: str
    spec: Object
    containers: list[Object]


class Rendered(list[Object]):
    """What helm rendered."""

    def of(self, kind: str) -> dict[str, Object]:
        """The objects of a kind, by name."""
        return {each["metadata"]["name"]: each for each in self if each["kind"] == kind}

    def one(self, kind: str) -> Object:
        """The only object of a kind."""
        [found] = self.of(kind).values()
        return found

    def services(self) -> dict[str, Object]:
        """The InferenceServices, by name; those too that a rollout's controller makes."""
        rollouts = self.of("InferenceRollout")
        templates = {name: each["spec"]["template"] for name, each in rollouts.items()}
        made = {name: {**each, "metadata": {**each["metadata"], "name": name}} for name, each in templates.items()}
        return self.of("InferenceService") | made

    def predictor(self, name: str) -> Object:
        """`spec.predictor` of an InferenceService."""
        predictor: Object = self.services()[name]["spec"]["predictor"]
        return predictor

    def runtimes(self) -> dict[str, Object]:
        """The runtimes, of the namespace or of the cluster."""
        return self.of("ServingRuntime") | self.of("ClusterServingRuntime")

    def adapter_rules(self) -> list[Object]:
        """The rules for prometheus-adapter."""
        [rules] = [
            each["data"]["config.yaml"] for each in self.of("ConfigMap").values() if "config.yaml" in each["data"]
        ]
        found: list[Object] = yaml.safe_load(rules)["rules"]
        return found

    def variants(self) -> Iterator[tuple[Object, Object]]:
        """Each InferenceService with the predictor of its stable version, then with its canary's."""
        for service in self.services().values():
            spec = service["spec"]
            for predictor in (spec["predictor"], *(each["predictor"] for each in spec.get("canary", []))):
                yield service, predictor

    def pods(self) -> Iterator[Pod]:
        """Every pod that comes of this."""
        for service, variant in self.variants():
            runtime = self.runtimes()[variant["model"]["runtime"]]["spec"]
            stable = service["spec"]["predictor"]
            yield Pod(service["metadata"]["name"], {**runtime, **stable}, runtime["containers"])
        for name, owner in (self.of("Job") | self.of("Deployment")).items():
            spec = owner["spec"]["template"]["spec"]
            yield Pod(name, spec, spec["containers"])
        for name, pod in self.of("Pod").items():
            yield Pod(name, pod["spec"], pod["spec"]["containers"])


class Chart:
    """A chart's directory and the helm that renders it."""

    def __init__(self, helm: str, directory: Path = CHART) -> None:
        self.helm = helm
        self.directory = directory

    def render(self, values: Values | str, namespace: str = NAMESPACE, kinds: Sequence[str] = ()) -> Rendered:
        """Render values, or a scenario of ci/, for a cluster that has some kinds more: GROUP/VERSION/KIND."""
        more = [f"--api-versions={kind}" for kind in kinds]
        result = self._run("template", values, "--namespace", namespace, *more)
        assert result.returncode == 0, result.stderr
        return Rendered(each for each in yaml.safe_load_all(result.stdout) if each)

    def refusal(self, values: Values, namespace: str = NAMESPACE) -> str:
        """What helm says when it refuses values."""
        result = self._run("template", values, "--namespace", namespace)
        assert result.returncode != 0, result.stdout
        return result.stderr

    def lint(self, scenario: str) -> str:
        """What `helm lint --strict` finds in a scenario; empty if nothing."""
        result = self._run("lint", scenario, "--strict", "--quiet")
        return "" if result.returncode == 0 else result.stdout + result.stderr

    def _run(self, command: str, values: Values | str, *options: str) -> subprocess.CompletedProcess[str]:
        given = self.directory / "ci" / f"{values}-values.yaml" if isinstance(values, str) else Path("-")
        name = [] if command == "lint" else [self.directory.name]
        return subprocess.run(
            [self.helm, command, *name, self.directory, "--values", given, *options],
            input=json.dumps(values) if isinstance(values, dict) else None,
            capture_output=True,
            text=True,
        )


def flags(arguments: list[str]) -> dict[str, str]:
    """Arguments by their flags; of a flag given twice, the last."""
    return {flag: value for flag, _, value in (argument.partition("=") for argument in arguments)}
