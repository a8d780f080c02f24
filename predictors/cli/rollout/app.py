"""`predictors rollout`: its commands."""

import typer

from predictors.cli.rollout.controller import controller
from predictors.cli.rollout.get import get
from predictors.cli.rollout.lint import lint
from predictors.cli.rollout.requests import abort, pause, promote, resume, retry
from predictors.cli.rollout.run import run
from predictors.cli.rollout.undo import history, undo
from predictors.cli.rollout.wait import wait

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Give a new model version its traffic step by step, on evidence. Installed as kubectl-predictors, "
    "all of this is `kubectl predictors rollout …` too.",
)
for command in (get, promote, pause, resume, abort, retry, undo, history, lint, wait, run, controller):
    app.command()(command)
