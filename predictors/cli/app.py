"""The `predictors` command and its subcommands."""

import os
import sys
from pathlib import Path

import typer

from predictors import __version__
from predictors.cli import artifact, gguf
from predictors.cli.call import CallCommand, call
from predictors.cli.doctor import doctor
from predictors.cli.drift import app as drift
from predictors.cli.rollout.app import app as rollout
from predictors.cli.serve import ServeCommand, serve
from predictors.cli.summarize import summarize
from predictors.cli.token import token
from predictors.cli.train import fetch, train

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Iris, intent and GGUF summarizer predictors for KServe.",
    add_completion=False,
)
app.command(cls=ServeCommand)(serve)
app.command()(train)
app.command()(fetch)
app.command(cls=CallCommand)(call)
app.command()(summarize)
app.command()(token)
app.command()(doctor)
app.add_typer(artifact.app, name="artifact")
app.add_typer(gguf.app, name="gguf")
app.add_typer(drift, name="drift")
app.add_typer(rollout, name="rollout")


@app.command()
def version() -> None:
    """Print the version."""
    sys.stdout.write(__version__ + "\n")


def main() -> None:
    """Run the command line: as `predictors`, or as `kubectl predictors`, which kubectl runs by that program's name."""
    _open_standard_streams()
    is_plugin = Path(sys.argv[0]).name == "kubectl-predictors"
    app(prog_name="kubectl predictors" if is_plugin else "predictors")


def _open_standard_streams() -> None:
    """Open what a supervisor has left closed: otherwise a file or a connection gets its number, and what is written."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))
