"""A predictor that a command asks itself, without a server."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictors.cli.predictor import predictor_class

if TYPE_CHECKING:
    from predictors.serving.model.predictor import Predictor

_MEASURED = ("iris", "intent", "sklearn")


def load_predictor(directory: Path, trusted: bool) -> "Predictor[Any]":
    """Load the artifact in a directory, as a server would, except those of language models.

    Args:
        directory: the artifact's.
        trusted: whether files that run code may be loaded.

    Raises:
        ArtifactError: it cannot be loaded, or is a language model's.
    """
    from predictors.serving.artifacts.manifest import read_manifest
    from predictors.serving.errors import ArtifactError
    from predictors.serving.settings import Source

    manifest, _ = read_manifest(directory)
    if manifest.kind not in _MEASURED:
        raise ArtifactError(f"{directory}: drift is measured for iris, intent and sklearn, not for {manifest.kind}")
    predictor = predictor_class(manifest.kind)(manifest.name, Source(directory, trusted=trusted))
    predictor.load()
    return predictor
