"""The kinds of predictors, as arguments name them."""

import enum


class Kind(enum.StrEnum):
    """The predictors."""

    IRIS = "iris"
    INTENT = "intent"
    SUMMARIZER = "summarizer"
