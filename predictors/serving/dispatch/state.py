"""The state of a model."""

import enum


class State(enum.Enum):
    """The state of a model."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    MISSING = "missing"
    """Its artifact is not there yet, and is looked for again."""
    UNLOADED = "unloaded"
