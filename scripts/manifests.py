"""Render the chart into manifests/, for `kubectl apply -k` and overlays; needs helm, from $HELM or the PATH.

A scenario is a file of the chart's ci/; its first comment describes it, in kustomization.yaml too.
"""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts" / "predictors"
SCENARIOS = ("quickstart", "production", "canary", "knative")
_KUSTOMIZATION = """\
# Made from charts/predictors/ci/{scenario}-values.yaml by `make manifests`.
#
{about}
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [predictors.yaml]
"""


def render(scenario: str) -> dict[str, str]:
    """Render a scenario.

    Returns:
        The texts of its files, by name.

    Raises:
        FileNotFoundError: there is no helm.
        subprocess.CalledProcessError: helm refused the values; it has said why.
    """
    values = CHART / "ci" / f"{scenario}-values.yaml"
    helm = os.environ.get("HELM", "helm")
    options = ("--namespace", "models", "--values", values, "--skip-tests")
    rendered = subprocess.run(  # noqa: S603
        [helm, "template", "predictors", CHART, *options], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    lines = values.read_text("utf-8").splitlines()
    about = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    return {
        "predictors.yaml": rendered,
        "kustomization.yaml": _KUSTOMIZATION.format(scenario=scenario, about="\n".join(about)),
    }


def main() -> None:
    """Write all scenarios."""
    for scenario in SCENARIOS:
        directory = ROOT / "manifests" / scenario
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in render(scenario).items():
            (directory / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
