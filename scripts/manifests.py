"""Render the charts into manifests/, for `kubectl apply -k` and overlays; needs helm, from $HELM or the PATH.

A scenario is a file of a chart's ci/; its first comment describes it, in kustomization.yaml too.
"""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCENARIOS = ("quickstart", "production", "canary", "knative", "rollout")
CONTROLLER = "rollout-controller"
_KUSTOMIZATION = """\
# Made from {values} by `make manifests`.
#
{about}
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{chart}.yaml]
"""


def render(scenario: str) -> dict[str, str]:
    """Render a scenario of charts/predictors, or the controller.

    Returns:
        The texts of its files, by name.

    Raises:
        FileNotFoundError: there is no helm.
        subprocess.CalledProcessError: helm refused the values; it has said why.
    """
    if scenario == CONTROLLER:
        return _render(CONTROLLER, "manifests", CONTROLLER)
    return _render("predictors", scenario, "models")


def _render(chart: str, scenario: str, namespace: str) -> dict[str, str]:
    directory = ROOT / "charts" / chart
    values = directory / "ci" / f"{scenario}-values.yaml"
    helm = os.environ.get("HELM", "helm")
    options = ("--namespace", namespace, "--values", values, "--skip-tests")
    rendered = subprocess.run(  # noqa: S603
        [helm, "template", chart, directory, *options], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    lines = values.read_text("utf-8").splitlines()
    about = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    kustomization = _KUSTOMIZATION.format(values=values.relative_to(ROOT), chart=chart, about="\n".join(about))
    return {f"{chart}.yaml": rendered, "kustomization.yaml": kustomization}


def main() -> None:
    """Write all scenarios."""
    for scenario in (*SCENARIOS, CONTROLLER):
        directory = ROOT / "manifests" / scenario
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in render(scenario).items():
            (directory / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
