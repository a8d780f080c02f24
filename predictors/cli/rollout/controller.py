"""`predictors rollout controller`: what runs in the cluster."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from predictors.cli.cluster import sentences
from predictors.cli.console import fail


class LogFormat(StrEnum):
    """How the controller logs."""

    JSON = "json"
    TEXT = "text"


def controller(
    namespaces: Annotated[
        list[str] | None,
        typer.Option("--namespace", "-n", help="Namespace to look after; may be given several times. All by default."),
    ] = None,
    kserve_version: Annotated[
        str, typer.Option("--kserve_version", help="KServe's version; by default as its controller's image says.")
    ] = "",
    http_port: Annotated[
        int, typer.Option("--http_port", min=0, max=65535, help="Port of /metrics, /healthz and /readyz.")
    ] = 8080,
    metrics_token_file: Annotated[
        Path | None, typer.Option("--metrics_token_file", help="File with the token that the pods' /metrics asks for.")
    ] = None,
    lease_namespace: Annotated[
        str, typer.Option("--lease_namespace", help="Where the leader's Lease is; by default the pod's own namespace.")
    ] = "",
    log_format: Annotated[
        LogFormat, typer.Option("--log_format", help="A JSON object a line, or text.")
    ] = LogFormat.JSON,
) -> None:
    """Run the controller of InferenceRollouts; charts/rollout-controller installs it.

    [bold]In a pod[/bold], for all namespaces:
      predictors rollout controller
    [bold]From a checkout[/bold], with the rights of the kubeconfig:
      predictors rollout controller --namespace models --lease_namespace models --log_format text

    Of several, one leads and the others are ready to take over. SIGTERM ends it
    after the turns that run.
    """
    with sentences():
        from predictors.rollout.controller.main import Options, run
        from predictors.serving.telemetry.logs import configure_logging

        configure_logging("info", log_format is LogFormat.JSON)
        options = Options(tuple(namespaces or ()), kserve_version, http_port, metrics_token_file, lease_namespace)
        try:
            run(options)
        except OSError as error:
            fail(str(error))
