"""The kinds of predictors, as arguments name them."""

import enum


class Kind(enum.StrEnum):
    """The predictors."""

    IRIS = "iris"
    INTENT = "intent"
    SUMMARIZER = "summarizer"
    SKLEARN = "sklearn"


DEFAULTS = (Kind.IRIS, Kind.INTENT, Kind.SUMMARIZER)
"""Those that have a model of their own, and are served if none is named."""
