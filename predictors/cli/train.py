"""`predictors train` and `predictors fetch`: make an artifact, by training or by download."""

import enum
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from predictors.cli.console import errors, plain_errors
from predictors.cli.manifest import show_made
from predictors.cli.writing import Version, check_version, writing

if TYPE_CHECKING:
    from predictors.serving.model.training import Trained


class Trainable(enum.StrEnum):
    """The predictors with a training script."""

    IRIS = "iris"
    INTENT = "intent"


def train(
    model: Annotated[Trainable, typer.Argument(help="Predictor to train.")],
    out: Annotated[Path | None, typer.Option(help="Artifact directory to write; artifacts/<model> by default.")] = None,
    version: Version = "1",
) -> None:
    """Train a scikit-learn model and write its artifact, with evaluation metrics in the manifest."""
    check_version(version)
    directory = out or Path("artifacts") / model
    with plain_errors(), writing(directory):
        module = importlib.import_module(f"predictors.{model}.train")
        with errors.status(f"training {model}…"):
            trained: Trained = module.train(directory, version)
    show_made(trained.directory, trained.manifest, trained.digest)


def fetch(
    out: Annotated[Path, typer.Option(help="Artifact directory to write.")] = Path("artifacts/summarizer"),
    version: Version = "1",
) -> None:
    """Download the summarizer's default model (SmolLM2-135M-Instruct, 145 MB as Q8_0) and write its artifact."""
    from predictors.serving.errors import ArtifactError
    from predictors.summarizer.fetch import FetchError
    from predictors.summarizer.fetch import fetch as fetch_model
    from predictors.summarizer.llama.library import load_library
    from predictors.summarizer.llama.quantize import QuantizeError

    check_version(version)
    with plain_errors(ArtifactError, FetchError, QuantizeError), writing(out):
        load_library()  # if it is missing, say so before the download
        fetched = fetch_model(out, version)
    show_made(fetched.directory, fetched.manifest, fetched.digest)
