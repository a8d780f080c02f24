"""Loading joblib files. They run code when loaded, so `Artifact.choose` decides whether one is."""

import io
from typing import Any

from predictors.serving.errors import ArtifactError


def load_joblib(raw: bytes) -> Any:
    """Unpickle a trusted scikit-learn model.

    Raises:
        ArtifactError: scikit-learn is not installed, or the bytes are not a model it can read.
    """
    try:
        import joblib
        import sklearn  # noqa: F401  # to tell its absence from a broken file
    except ImportError:
        raise ArtifactError("a joblib file needs scikit-learn: install kserve-predictors[train]") from None
    try:
        return joblib.load(io.BytesIO(raw))
    except Exception as error:  # unpickling can raise anything
        raise ArtifactError("the joblib file cannot be read; it may be from another scikit-learn version") from error
