"""`predictors rollout undo` and `history`: earlier revisions."""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from predictors.cli.cluster import Context, Format, Kubeconfig, Namespace, Output, connected
from predictors.cli.console import print_json
from predictors.cli.rollout.name import Name

_WIDE = 200


def undo(
    name: Name,
    to: Annotated[str, typer.Option(help="Revision, or its first digits, as `history` shows them.")] = "",
    namespace: Namespace = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
) -> None:
    """Go back to an earlier revision: its template is written, and a rollout to it begins, with all steps and checks.

    [bold]To the version before[/bold]:
      predictors rollout undo iris
    [bold]To a certain one[/bold]:
      predictors rollout undo iris --to 3fa94b1c

    Where the InferenceRollout comes from Git, change it there too, or the next
    sync rolls forward again. While a rollout is under way, `abort` is faster:
    the stable version still has its pods.

    [bold]Exit status[/bold]: 0 the template is written, 1 it is not.
    """
    with connected(namespace, kubeconfig, context) as cluster:
        from predictors.rollout.terminal.requests import rollout_of
        from predictors.rollout.terminal.revisions import earlier, restore

        rollout = rollout_of(cluster.api, cluster.namespace, name)
        found = earlier(cluster.api, rollout, to)
        restore(cluster.api, rollout, found.template)
    sys.stdout.write(
        f"{name} goes back to revision {found.revision} ({found.storage_uri}).\n"
        "If it comes from Git, change it there too; the next sync would undo this.\n"
    )


def history(
    name: Name,
    namespace: Namespace = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Output = Format.TEXT,
) -> None:
    """Show how earlier rollouts ended, and the revisions that `undo --to` can go back to.

    [bold]What became of each version[/bold]:
      predictors rollout history iris

    [bold]Exit status[/bold]: 0 it is printed, 1 there is no such InferenceRollout.
    """
    with connected(namespace, kubeconfig, context) as cluster:
        from predictors.rollout.terminal.requests import rollout_of
        from predictors.rollout.terminal.revisions import kept

        rollout = rollout_of(cluster.api, cluster.namespace, name)
        revisions = kept(cluster.api, rollout)
    ended = (rollout.get("status") or {}).get("history") or []
    if output is Format.JSON:
        print_json({"history": ended, "revisions": [each._asdict() for each in revisions]})
        return
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=_WIDE)
    console.print(_ended(ended) if ended else "no rollout has ended yet")
    console.print(_kept(revisions))


def _ended(entries: list[dict[str, Any]]) -> Table:
    table = Table("ENDED", "REVISION", "VERSION", "RESULT", "REASON", "STORAGE URI", box=None, pad_edge=False)
    for each in entries:
        keys = ("endedAt", "revision", "version", "result", "reason", "storageUri")
        table.add_row(*(_plain(each.get(key)) for key in keys))
    return table


def _kept(revisions: list[Any]) -> Table:
    table = Table("KEPT", "REVISION", "STORAGE URI", box=None, pad_edge=False)
    for each in revisions:
        table.add_row(each.created, each.revision, _plain(each.storage_uri))
    return table


def _plain(value: object) -> str:
    from rich.markup import escape

    return escape(str(value or "-"))
