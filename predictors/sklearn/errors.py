"""Errors of this predictor alone."""

from predictors.serving.errors import ArtifactError


class LibraryMissing(ArtifactError):
    """A form of the model needs a package that is not installed; another form may not."""
