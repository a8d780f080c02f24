"""`predictors rollout get`: where rollouts are."""

import json
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from predictors.cli.cluster import Connection, Context, Format, Kubeconfig, Namespace, Output, connected
from predictors.cli.console import print_json
from predictors.cli.rollout.lines import Lines
from predictors.cli.rollout.view import Picture, draw, overview

if TYPE_CHECKING:
    from predictors.rollout.spec import Strategy

_LOOK_SECONDS = 1.0


def get(
    name: Annotated[str, typer.Argument(help="Name of the InferenceRollout; all are listed if none is named.")] = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay, and show what changes, until Ctrl-C.")] = False,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="List those of all namespaces.")
    ] = False,
    namespace: Namespace = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Output = Format.TEXT,
) -> None:
    """Show where a rollout is: steps, versions, each check with its numbers and how sure it is, and the last events.

    [bold]All of a namespace[/bold]:
      predictors rollout get -n models
    [bold]One, live[/bold]:
      predictors rollout get iris --watch
    [bold]For a program[/bold]; with --watch, a line for each change:
      predictors rollout get iris --output json | jq .status.weight

    [bold]Exit status[/bold]: 0 it is shown, 1 there is none of that name, or the cluster
    does not answer.
    """
    if watch and not name:
        raise typer.BadParameter("--watch takes the name of one rollout")
    with connected(namespace, kubeconfig, context) as cluster:
        if not name:
            _list(cluster, "" if all_namespaces else cluster.namespace, output)
        elif watch:
            _watch(cluster, name, output)
        else:
            _show(cluster, name, output)


def _list(cluster: Connection, namespace: str, output: Format) -> None:
    from predictors.rollout.spec import KIND

    found = cluster.api.list(KIND, namespace)
    if output is Format.JSON:
        print_json(found)
    elif found:
        draw(overview(found))
    else:
        sys.stdout.write(f"no InferenceRollouts in {f'namespace {namespace}' if namespace else 'any namespace'}\n")


def _show(cluster: Connection, name: str, output: Format) -> None:
    from predictors.rollout.terminal.requests import rollout_of

    rollout = rollout_of(cluster.api, cluster.namespace, name)
    if output is Format.JSON:
        print_json(rollout)
    else:
        draw(_picture(cluster, rollout))


def _watch(cluster: Connection, name: str, output: Format) -> None:
    console = Console(highlight=False)
    looks = _looks(cluster, name)
    try:
        if output is Format.JSON:
            _print_changes(looks)
        elif console.is_terminal:
            with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
                for rollout in looks:
                    live.update(_picture(cluster, rollout), refresh=True)
        else:
            lines = Lines(_write, time.time)
            for rollout in looks:
                lines.show(rollout.get("status") or {})
    except KeyboardInterrupt:
        return


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _print_changes(looks: Iterator[dict[str, Any]]) -> None:
    version = ""
    for rollout in looks:
        if rollout["metadata"]["resourceVersion"] != version:
            version = rollout["metadata"]["resourceVersion"]
            _write(json.dumps(rollout, ensure_ascii=False) + "\n")


def _looks(cluster: Connection, name: str) -> Iterator[dict[str, Any]]:
    from predictors.cli.console import errors
    from predictors.rollout.kube.api import Unavailable
    from predictors.rollout.terminal.requests import rollout_of

    while True:
        try:
            yield rollout_of(cluster.api, cluster.namespace, name)
        except Unavailable as error:
            errors.print(f"{error}; trying again", markup=False)
        time.sleep(_LOOK_SECONDS)


def _picture(cluster: Connection, rollout: dict[str, Any]) -> Picture:
    metadata = rollout["metadata"]
    status = rollout.get("status") or {}
    events = _events(cluster, metadata)
    return Picture(metadata["namespace"], metadata["name"], status, _strategy(rollout), time.time(), events)


def _strategy(rollout: dict[str, Any]) -> "Strategy | None":
    from pydantic import ValidationError

    from predictors.rollout.spec import Strategy

    try:
        return Strategy.model_validate(rollout["spec"].get("strategy") or {})
    except ValidationError:
        return None


def _events(cluster: Connection, metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """Its events, oldest first; none, if they may not be read."""
    from predictors.rollout.kube.api import KubeError

    try:
        found = cluster.api.list("Event", metadata["namespace"])
    except KubeError:
        return []
    own = [each for each in found if each.get("involvedObject", {}).get("uid") == metadata["uid"]]
    return sorted(own, key=lambda each: str(each.get("lastTimestamp")))
