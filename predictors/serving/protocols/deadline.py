"""Deadlines: how long a request may take, by the server's setting and the caller's header."""

from predictors.serving.errors import InvalidInput

HEADER = "x-request-timeout-ms"
_LONGEST_MS = 24 * 3600 * 1000


def allowed_seconds(setting: float, given: str | None) -> float:
    """The time allowed for a request.

    Args:
        setting: the server's limit, seconds.
        given: the value of the caller's header, milliseconds, which can only shorten it.

    Raises:
        InvalidInput: the header is not a positive whole number.
    """
    if given is None:
        return setting
    if not (
        given.isascii() and given.isdigit() and len(given) <= len(str(_LONGEST_MS)) and 0 < int(given) <= _LONGEST_MS
    ):
        raise InvalidInput(f"{HEADER} must be a whole number from 1 to {_LONGEST_MS}")
    return min(setting, int(given) / 1000)
