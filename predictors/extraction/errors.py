"""Why a document cannot be read."""


class Unreadable(ValueError):
    """A document cannot be read; the message says why, in one sentence."""


class UnknownType(Unreadable):
    """No document of this type can be read; the message names those that can."""
