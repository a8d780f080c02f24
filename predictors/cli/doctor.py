"""`predictors doctor`: what is missing or risky in a namespace that serves models, and in its cluster."""

from typing import Annotated

import typer

from predictors.cli.cluster import Context, Format, Kubeconfig, Namespace, Output, connected
from predictors.cli.console import print_json
from predictors.cli.findings import as_json, draw, explain
from predictors.doctor.finding import Severity

# Of a cluster that cannot be looked at; the same as of wrong usage.
_COULD_NOT_LOOK = 2


def doctor(
    namespace: Namespace = "",
    fail_on: Annotated[
        Severity, typer.Option("--fail_on", help="The least severity that gives exit status 1.")
    ] = Severity.RISK,
    ignore: Annotated[str, typer.Option(help="Checks to leave out: their ids, with commas between them.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name the checks that found nothing, too.")] = False,
    list_checks: Annotated[bool, typer.Option("--list", help="Explain the checks; no cluster is needed.")] = False,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Output = Format.TEXT,
) -> None:
    """Look for what is missing or risky in a namespace that serves models, and in its cluster; changes nothing.

    [bold]A release[/bold]:
      predictors doctor -n models
    [bold]In a pipeline[/bold], which also fails for warnings:
      predictors doctor -n models --fail_on warning --ignore gateway-tls,digest
    [bold]For a program[/bold]:
      predictors doctor -n models --output json | jq -r '.findings[].fix'

    [bold]Exit status[/bold]: 0 there is nothing as bad as --fail_on, 1 there is, 2 there is not, but
    some checks could not look, or nothing could be looked at.
    """
    from predictors.doctor.table import CHECKS

    if list_checks:
        explain(CHECKS)
        return
    ignored = {each.strip() for each in ignore.split(",") if each.strip()}
    if unknown := sorted(ignored - {each.id for each in CHECKS}):
        raise typer.BadParameter(f"there is no check {unknown[0]}; see --list", param_hint="--ignore")
    with connected(namespace, kubeconfig, context, _COULD_NOT_LOOK) as cluster:
        from predictors.doctor.examine import examine
        from predictors.doctor.look import look
        from predictors.rollout.kube.client import ProxiedPods

        report = examine(look(cluster.api, ProxiedPods(cluster.api), cluster.namespace), ignored)
    if output is Format.JSON:
        print_json(as_json(report))
    else:
        draw(report, verbose=verbose)
    raise typer.Exit(report.status(fail_on))
