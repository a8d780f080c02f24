"""Loading joblib files. They run code when loaded, so `Artifact.choose` decides whether one is."""

import io
import logging
import warnings
from typing import Any

from predictors.serving.errors import ArtifactError, PackageMissing

logger = logging.getLogger(__name__)


def load_joblib(raw: bytes) -> Any:
    """Unpickle a trusted scikit-learn model; a warning that comes with it, such as of another version, is logged.

    Raises:
        PackageMissing: scikit-learn is not installed.
        ArtifactError: the bytes are not a model it can read.
    """
    try:
        import joblib
        import sklearn  # noqa: F401  # to tell its absence from a broken file
    except ImportError:
        raise PackageMissing("a joblib file needs scikit-learn: install kserve-predictors[train]") from None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = joblib.load(io.BytesIO(raw))
    except (ImportError, AttributeError) as error:
        raise ArtifactError(f"the joblib file needs code that is not here: {error}") from error
    except Exception as error:  # unpickling can raise anything
        raise ArtifactError("the joblib file cannot be read; it may be from another scikit-learn version") from error
    for text in dict.fromkeys(_sentence(each.message) for each in caught):  # each estimator within it warns
        logger.warning("%s", text)
    return model


def _sentence(message: Warning | str) -> str:
    made_with = getattr(message, "original_sklearn_version", "")
    if not made_with:
        return str(message).partition("\n")[0]
    current = getattr(message, "current_sklearn_version", "another version")
    return f"the joblib file was made with scikit-learn {made_with}, and is read with {current}: answers may differ"
