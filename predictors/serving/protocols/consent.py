"""Whether a request may be answered elsewhere when the model cannot answer it."""

NO_FALLBACK = "x-no-fallback"
"""The header by which a caller refuses that."""


def keeps_here(given: str | None) -> bool:
    """Whether the header's value refuses; in doubt it does.

    Args:
        given: the value, or None if there is no such header.
    """
    return given is not None and given.strip().lower() not in ("false", "0")
