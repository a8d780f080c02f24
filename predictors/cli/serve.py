"""`predictors serve`: its arguments. The rest is in `startup`, which takes a second to import."""

import signal
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand

from predictors.cli.kind import DEFAULTS, Kind


class ServeCommand(TyperCommand):
    """A command that also takes each field of the settings classes as a flag."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the flags' values into ``ctx.obj`` and leave the other arguments to Typer."""
        from predictors.cli import flags

        ctx.obj, others = flags.split(args, flags.SERVE_SETTINGS)
        return super().parse_args(ctx, others)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Add a panel of flags for each settings class."""
        from predictors.cli import flags

        super().format_help(ctx, formatter)
        console = Console()
        for cls in flags.SERVE_SETTINGS:
            console.print(flags.panel(cls))


def serve(
    ctx: typer.Context,
    models: Annotated[
        list[Kind] | None, typer.Argument(help="Predictors to serve; iris, intent and summarizer if none is named.")
    ] = None,
) -> None:
    """Serve one or more predictors from one process.

    [bold]All three[/bold], from ./artifacts:
      predictors serve
    [bold]One model[/bold], as a container runs it:
      predictors serve iris --model_dir /mnt/models --model_name my-iris --http_port 8080 --grpc_port 8081
    [bold]A scikit-learn model of your own[/bold] (predictors artifact pack --help):
      predictors serve sklearn --model_dir churn-1 --model_name churn
    [bold]Several versions[/bold], from folders such as store/iris/1 and store/iris/2:
      predictors serve --model_store store

    Every flag can also be set by an environment variable: --http_port by PREDICTORS_HTTP_PORT.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _exit)  # a clean exit during startup, until the server installs its own handlers
    from predictors.cli import flags

    kinds = [str(kind) for kind in dict.fromkeys(models or DEFAULTS)]
    options = flags.parse(kinds, ctx.obj)
    if models and options.store.model_store is not None:
        raise typer.BadParameter("--model_store serves the models that its folders hold; name no predictor")
    from predictors.cli import startup

    startup.run(kinds, options)


def _exit(number: int, frame: object) -> None:
    raise SystemExit(0)
