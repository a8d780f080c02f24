"""The versions of libraries that a model was made with, beside those that are here."""

import logging
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from predictors.serving.artifacts.manifest import Manifest

logger = logging.getLogger(__name__)


def warn_of_versions(manifest: Manifest) -> None:
    """Warn if a model was made with another minor version of scikit-learn, which promises nothing across them.

    The golden examples, which are computed at every load, decide whether it is served.
    """
    made, here = manifest.library_versions.get("scikit-learn", ""), installed("scikit-learn")
    if made and here and _minor(made) != _minor(here):
        logger.warning(
            "the model was made with scikit-learn %s, and %s is installed: its golden examples decide whether it is "
            "served; to be sure, install scikit-learn %s, or pack the model again",
            made,
            here,
            made,
        )


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    return {name: found for name in packages if (found := installed(name))}


def installed(package: str) -> str:
    """The version of a package; empty if it is not installed."""
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return ""


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
