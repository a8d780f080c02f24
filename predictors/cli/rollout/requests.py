"""`predictors rollout promote`, `pause`, `resume`, `abort` and `retry`: requests to the controller."""

import sys
import time

from predictors.cli.cluster import Context, Kubeconfig, Namespace, connected
from predictors.cli.console import fail
from predictors.cli.rollout.name import Name

_DONE = {
    "promote": "goes on",
    "pause": "stays where it is",
    "resume": "goes on",
    "abort": "goes back to the stable version",
    "retry": "begins again",
}


def promote(name: Name, namespace: Namespace = "", kubeconfig: Kubeconfig = "", context: Context = "") -> None:
    """Let a rollout go on that waits for a person (pauseBefore).

    [bold]Let it go on[/bold], and wait for the end:
      predictors rollout promote iris && predictors rollout wait iris

    [bold]Exit status[/bold]: 0 the controller has done it, 1 it has not, and says why.
    """
    _ask("promote", name, namespace, kubeconfig, context)


def pause(name: Name, namespace: Namespace = "", kubeconfig: Kubeconfig = "", context: Context = "") -> None:
    """Stop a rollout at the weight that it has. Checks go on, and a failure still rolls back.

    [bold]Stop here[/bold]:
      predictors rollout pause iris

    [bold]Exit status[/bold]: 0 the controller has done it, 1 it has not, and says why.
    """
    _ask("pause", name, namespace, kubeconfig, context)


def resume(name: Name, namespace: Namespace = "", kubeconfig: Kubeconfig = "", context: Context = "") -> None:
    """Go on after a pause; after a failure that paused it (onFailure: pause), the canary is judged anew.

    [bold]Go on[/bold]:
      predictors rollout resume iris

    [bold]Exit status[/bold]: 0 the controller has done it, 1 it has not, and says why.
    """
    _ask("resume", name, namespace, kubeconfig, context)


def abort(name: Name, namespace: Namespace = "", kubeconfig: Kubeconfig = "", context: Context = "") -> None:
    """Take all of the traffic back to the stable version, and remove the canary. No request is lost.

    [bold]Go back[/bold], and wait until it is done (exit status 3):
      predictors rollout abort iris; predictors rollout wait iris

    [bold]Exit status[/bold]: 0 the controller has begun, 1 it has not, and says why.
    """
    _ask("abort", name, namespace, kubeconfig, context)


def retry(name: Name, namespace: Namespace = "", kubeconfig: Kubeconfig = "", context: Context = "") -> None:
    """Try the template again that was rolled back.

    [bold]Try again[/bold]:
      predictors rollout retry iris

    [bold]Exit status[/bold]: 0 the controller has begun, 1 it has not, and says why.
    """
    _ask("retry", name, namespace, kubeconfig, context)


def _ask(do: str, name: str, namespace: str, kubeconfig: str, context: str) -> None:
    with connected(namespace, kubeconfig, context) as cluster:
        from predictors.rollout.terminal.requests import DONE, Requests

        outcome = Requests(cluster.api, time.monotonic, time.sleep).send(cluster.namespace, name, do)
        if outcome != DONE:
            fail(f"{name}: {outcome}")
    sys.stdout.write(f"{name} {_DONE[do]}\n")
