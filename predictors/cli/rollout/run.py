"""`predictors rollout run`: a rollout of an InferenceService, driven from here."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from predictors.cli.cluster import Connection, Context, Format, Kubeconfig, Namespace, Output, connected
from predictors.cli.console import errors, fail, print_json
from predictors.cli.rollout import exits
from predictors.cli.rollout.people import Log, Onlooker

if TYPE_CHECKING:
    from predictors.rollout.driver import Job
    from predictors.rollout.terminal.drive import End

_STDIN = "-"
# Of a status, what only a controller needs.
_INTERNAL = ("conditions", "engine", "history", "lastRequest", "observedGeneration", "startedAt")


def run(
    name: Annotated[str, typer.Argument(help="Name of the InferenceService.", show_default=False)],
    storage_uri: Annotated[str, typer.Option(help="Where the new version's artifact is.")] = "",
    digest: Annotated[str, typer.Option(help="Digest of its manifest, sha256:…; needed where one is pinned.")] = "",
    steps: Annotated[str, typer.Option(help="Weights in percent, up to 100; by default 5,25,50,100.")] = "",
    hold: Annotated[str, typer.Option(help="How long each of them lasts at least: 30s, 5m.")] = "",
    pause_before: Annotated[str, typer.Option(help="Weights that a person has to let it go on to.")] = "",
    routing: Annotated[str, typer.Option(help="auto, canary, pair or knative; auto: as the cluster can.")] = "",
    on_failure: Annotated[str, typer.Option(help="rollback or pause.")] = "",
    evidence_limit: Annotated[str, typer.Option(help="How long a step may wait for a verdict after its hold.")] = "",
    drain: Annotated[
        str, typer.Option(help="How long a version without traffic is kept for the requests it has.")
    ] = "",
    prometheus_url: Annotated[str, typer.Option(help="Measure by a Prometheus, not by the pods' own metrics.")] = "",
    interval: Annotated[str, typer.Option(help="Between two measurements.")] = "",
    strategy: Annotated[
        str, typer.Option(help="YAML file of a spec.strategy, for the rest; - is standard input.")
    ] = "",
    promote: Annotated[
        bool, typer.Option("--promote", help="Let it go on to the weight that it waits at (--pause-before).")
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Take the traffic back from a canary that was left, and remove it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Begin without a question.")] = False,
    namespace: Namespace = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    output: Output = Format.TEXT,
) -> None:
    """Give a new version of an InferenceService its traffic step by step, without InferenceRollouts or a controller.

    [bold]From a terminal or a CI job[/bold]:
      predictors rollout run iris --storage-uri s3://models/iris/2 --steps 10,50,100 --hold 1m
    [bold]With a person before all of the traffic[/bold]; in CI it ends with status 5 there, and a later job goes on:
      predictors rollout run iris --storage-uri s3://models/iris/2 --pause-before 100
      predictors rollout run iris --storage-uri s3://models/iris/2 --pause-before 100 --promote
    [bold]Look first[/bold]:
      predictors rollout run iris --storage-uri s3://models/iris/2 --dry-run

    Everything it needs to know is in the cluster. Interrupted anywhere, the
    traffic stays as it is; the same command goes on from there, and --abort
    goes back. A hold and its checks begin again then; numbers of pods that were
    raised for the canary, or by an HPA, may stay raised. It needs the right to
    read and change InferenceServices and HTTPRoutes, to read Deployments,
    Services and pods, and pods/proxy for their metrics.

    [bold]Exit status[/bold]: 0 promoted (or it was before; with --abort: the canary is
    gone), 1 an error, 2 wrong usage, 3 rolled back, 5 it waits for a person,
    130 interrupted.
    """
    if bool(storage_uri) == abort:
        raise typer.BadParameter("give --storage-uri, or --abort" if not abort else "--abort takes no --storage-uri")
    with connected(namespace, kubeconfig, context) as cluster:
        from predictors.rollout.terminal.order import Order, job_of
        from predictors.rollout.terminal.strategy import Wishes, strategy_of

        fields = {
            "routing": routing,
            "onFailure": on_failure,
            "evidenceLimit": evidence_limit,
            "drain": drain,
        }
        metrics = {"prometheusUrl": prometheus_url, "interval": interval}
        wishes = Wishes(steps, hold, pause_before, tuple(fields.items()), tuple(metrics.items()))
        wanted = strategy_of(_read(strategy), wishes)
        job = job_of(cluster.api, Order(cluster.namespace, name, wanted, storage_uri, digest))
        if dry_run:
            _preview(cluster, job)
            return
        if not yes and _is_somebody_there():
            typer.confirm(f"{_summary(job)}\nBegin?", abort=True)
        end = _drive(cluster, job, int(promote), output)
    _finish(end, job, output)


def _drive(cluster: Connection, job: "Job", promotions: int, output: Format) -> "End":
    from predictors.rollout.kube.client import ProxiedPods
    from predictors.rollout.terminal.drive import Terminal

    interactive = _is_somebody_there() and output is Format.TEXT
    stream = sys.stderr if output is Format.JSON else sys.stdout
    try:
        with Onlooker(job) if interactive else Log(stream) as person:
            terminal = Terminal(cluster.api, ProxiedPods(cluster.api), person, time.time, time.sleep)
            return terminal.drive(job, promotions)
    except (KeyboardInterrupt, typer.Abort):
        errors.print(
            "Interrupted. The traffic stays as it is; the same command goes on from here, and "
            f"`predictors rollout run {job.target.name} --abort` goes back to the stable version.",
            markup=False,
        )
        raise typer.Exit(exits.INTERRUPTED) from None


def _finish(end: "End", job: "Job", output: Format) -> None:
    from predictors.rollout.terminal.drive import Ending

    name = job.target.name
    if output is Format.JSON:
        status = {key: value for key, value in end.status.items() if key not in _INTERNAL}
        print_json({"ending": str(end.ending), "message": end.message, "status": status})
    match end.ending:
        case Ending.DONE:
            errors.print(f"{name}: done: {end.message}", markup=False)
        case Ending.ROLLED_BACK:
            errors.print(f"{name}: rolled back: {end.message}", markup=False)
            raise typer.Exit(exits.ROLLED_BACK)
        case Ending.WAITING:
            errors.print(f"{name}: {end.message}. It stays like this; {_how_to_go_on(end)}", markup=False)
            raise typer.Exit(exits.NEEDS_A_PERSON)
        case Ending.BLOCKED:
            fail(f"{name}: {end.message}")


def _how_to_go_on(end: "End") -> str:
    from predictors.rollout.terminal.drive import is_failed

    if is_failed(end.status):
        return "the same command judges it anew and goes on, --abort goes back"
    return "the same command with --promote goes on, --abort goes back"


def _preview(cluster: Connection, job: "Job") -> None:
    from predictors.rollout.driver import Driver
    from predictors.rollout.engine.state import Memo, Phase
    from predictors.rollout.kube.client import ProxiedPods

    turn = Driver(cluster.api, ProxiedPods(cluster.api), time.time).turn(job, Memo())
    if turn.decision.phase is Phase.BLOCKED:
        fail(f"{job.target.name}: {turn.decision.message}")
    sys.stdout.write(f"{_summary(job)}\nNext: {turn.decision.message}. Nothing was written.\n")


def _summary(job: "Job") -> str:
    from predictors.rollout.routing.objects import storage_uri
    from predictors.rollout.spec import format_duration

    target, strategy = job.target, job.spec.strategy
    before, after = storage_uri(target.stable or {}), storage_uri(target.wanted)
    change = f"from {before} to {after}" if before != after else f"stays with {after}, without a canary"
    steps = ", ".join(
        f"{step.weight}%" + (f" for {format_duration(step.hold)}" if step.hold else "") for step in strategy.steps
    )
    gates = ", ".join(f"{weight}%" for weight in sorted(strategy.pause_before))
    return (
        f"{target.name} in namespace {target.namespace}: {change}, as revision {target.revision}, "
        f"by {job.routing} routing.\nSteps: {steps}." + (f" A person lets it go on to {gates}." if gates else "")
    )


def _read(file: str) -> str:
    if not file:
        return ""
    try:
        return sys.stdin.read() if file == _STDIN else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")


def _is_somebody_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
