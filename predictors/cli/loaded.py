"""A predictor that a command asks itself, without a server."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from predictors.serving.model.predictor import Predictor


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
    source = Source(directory, trusted=trusted)
    predictor: Predictor[Any]
    if manifest.kind == "iris":
        from predictors.iris.model import IrisPredictor

        predictor = IrisPredictor(manifest.name, source)
    elif manifest.kind == "intent":
        from predictors.intent.model import IntentPredictor

        predictor = IntentPredictor(manifest.name, source)
    elif manifest.kind == "sklearn":
        from predictors.sklearn.model import SklearnPredictor

        predictor = SklearnPredictor(manifest.name, source)
    else:
        raise ArtifactError(f"{directory}: drift is measured for iris, intent and sklearn, not for {manifest.kind}")
    predictor.load()
    return predictor
