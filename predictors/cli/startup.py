"""Run the server: what `predictors serve` does once its flags are understood."""

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import typer

from predictors.cli import banner
from predictors.cli.flags import Options
from predictors.cli.kind import Kind
from predictors.cli.predictor import predictor_class
from predictors.serving.errors import StartupError
from predictors.serving.model.predictor import Predictor
from predictors.serving.server import NewRegistry, Server
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
    root = options.store.model_store
    on_ready = None if log_json else partial(banner.show, options.server)
    try:
        predictors = [_configured(kind, options) for kind in kinds] if root is None else []
        new_registry = None if root is None else _store(root, options)
        server = Server(predictors, options.server, log_json, on_ready, options.access, new_registry)
        server.watch_drift(options.drift)
        server.log_requests(options.request_log)
        server.run()
    except StartupError as error:
        logger.error("%s", error)
        raise typer.Exit(1) from None


def _configured(kind: str, options: Options) -> Predictor[Any]:
    """Make the predictor of a kind that the flags describe."""
    artifacts = options.artifacts
    directory = artifacts.model_dir or artifacts.artifacts_dir / kind
    source = Source(directory, artifacts.artifact_digest, artifacts.trust_artifact, artifacts.signature_key)
    return _new_predictor(kind, artifacts.model_name or kind, source, options)


def _store(root: Path, options: Options) -> NewRegistry:
    from predictors.serving.store.registry import StoreRegistry

    artifacts = options.artifacts

    def new_predictor(kind: str, name: str, directory: Path, version: str) -> Predictor[Any]:
        if kind not in list(Kind):
            raise ValueError(f"there is no predictor {kind[:64]}; there are {', '.join(Kind)}")
        source = Source(directory, "", artifacts.trust_artifact, artifacts.signature_key, version)
        return _new_predictor(kind, name, source, options)

    return partial(StoreRegistry, root, options.store, new_predictor)


def _new_predictor(kind: str, name: str, source: Source, options: Options) -> Predictor[Any]:
    own = {"intent": (options.intent,), "summarizer": (options.summarizer, options.fallback)}
    return predictor_class(kind)(name, source, *own.get(kind, ()))
