"""`predictors rollout wait`: for pipelines."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from predictors.cli.cluster import Context, Kubeconfig, Namespace, connected
from predictors.cli.console import errors
from predictors.cli.rollout import exits
from predictors.cli.rollout.lines import Lines
from predictors.cli.rollout.name import Name

if TYPE_CHECKING:
    from predictors.rollout.terminal.waiting import Goal


def wait(
    name: Name,
    goal: Annotated[
        str, typer.Option("--for", metavar="promoted|paused|ended", help="What to wait for.", show_default=True)
    ] = "promoted",
    timeout: Annotated[str, typer.Option(help="For how long: 90s, 30m or 1h30m.")] = "30m",
    namespace: Namespace = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
) -> None:
    """Wait until a rollout is promoted, and print a line for each thing that happens on the way.

    [bold]In a pipeline[/bold]:
      kubectl apply -f iris.yaml && predictors rollout wait iris --timeout 1h
    [bold]Until a person is needed[/bold]:
      predictors rollout wait iris --for paused
    [bold]Until it ends[/bold], past pauses and blocks, which others see to:
      predictors rollout wait iris --for ended --timeout 24h

    A template that no controller has seen yet is waited for, so it may follow
    `kubectl apply` at once.

    [bold]Exit status[/bold]: 0 it is there, 1 there is no such rollout, or it ended
    without the pause that was waited for, 2 wrong usage, 3 it was rolled back
    or aborted, 4 the time is over, 5 it is paused or blocked: a person has to
    see to it.
    """
    with connected(namespace, kubeconfig, context) as cluster:
        from predictors.rollout.terminal.waiting import Waited, Waiting

        lines = Lines(_write, time.time)
        waiting = Waiting(cluster.api, lines.show, time.monotonic, time.sleep)
        outcome = waiting.wait(cluster.namespace, name, _goal(goal), _seconds(timeout))
    errors.print(f"{name}: {outcome.waited}: {outcome.message}", markup=False)
    status = {
        Waited.REACHED: 0,
        Waited.MISSED: exits.ERROR,
        Waited.ROLLED_BACK: exits.ROLLED_BACK,
        Waited.TIMED_OUT: exits.TIMED_OUT,
        Waited.NEEDS_A_PERSON: exits.NEEDS_A_PERSON,
    }[outcome.waited]
    raise typer.Exit(status)


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _goal(text: str) -> "Goal":
    from predictors.rollout.terminal.waiting import Goal

    try:
        return Goal(text)
    except ValueError:
        raise typer.BadParameter(f"--for takes {', '.join(Goal)}") from None


def _seconds(text: str) -> float:
    from predictors.rollout.spec import parse_duration

    try:
        return float(str(parse_duration(text)))
    except ValueError as error:
        raise typer.BadParameter(f"--timeout: {error}") from None
