"""Run the server: what `predictors serve` does once its flags are understood."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import typer

from predictors.cli import banner
from predictors.cli.flags import Options
from predictors.serving.errors import StartupError
from predictors.serving.model.predictor import Predictor
from predictors.serving.server import Server
from predictors.serving.settings import Source
from predictors.serving.telemetry.logs import configure_logging, use_json

logger = logging.getLogger(__name__)


def run(kinds: Sequence[str], options: Options) -> None:
    """Serve until a signal ends it.

    Args:
        kinds: the predictors, each once.
        options: all settings.

    Raises:
        typer.Exit: with status 1, if the server cannot start.
    """
    log_json = use_json(options.server.log_format)
    configure_logging(options.server.log_level, log_json)
    on_ready = None if log_json else partial(banner.show, options.server)
    try:
        predictors = [_new_predictor(kind, options) for kind in kinds]
        Server(predictors, options.server, log_json, on_ready, options.access).run()
    except StartupError as error:
        logger.error("%s", error)
        raise typer.Exit(1) from None


def _new_predictor(kind: str, options: Options) -> Predictor[Any]:
    """Make one predictor, importing the module of no other."""
    artifacts = options.artifacts
    directory = artifacts.model_dir or artifacts.artifacts_dir / kind
    source = Source(directory, artifacts.artifact_digest, artifacts.trust_artifact, artifacts.signature_key)
    name = artifacts.model_name or kind
    if kind == "iris":
        from predictors.iris.model import IrisPredictor

        return IrisPredictor(name, source)
    if kind == "intent":
        from predictors.intent.model import IntentPredictor

        return IntentPredictor(name, source, options.intent)
    if kind == "sklearn":
        from predictors.sklearn.model import SklearnPredictor

        return SklearnPredictor(name, source)
    from predictors.summarizer.model import SummarizerPredictor

    return SummarizerPredictor(name, source, options.summarizer, options.fallback)
