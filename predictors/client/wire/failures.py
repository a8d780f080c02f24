"""What a server's refusal means: from a status, a sentence and a header to an error."""

import re
from typing import NamedTuple

from predictors.client.errors import (
    BadAnswer,
    ClientError,
    DeadlineExceeded,
    Forbidden,
    GatewayFailed,
    InvalidInput,
    NotFound,
    NotReady,
    Overloaded,
    ServerFailed,
    Unauthorized,
)

_BY_STATUS: dict[int, type[ClientError]] = {
    400: InvalidInput,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: DeadlineExceeded,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: Overloaded,
    502: GatewayFailed,
    503: NotReady,
    504: DeadlineExceeded,
}
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
# A sentence begins with the field, or quotes it: `inputs[0].data has …`, `the parameter "mode" is wrong`.
_FIELD = re.compile(r'^((?:instances|inputs|outputs|parameters|messages)\b[\w\[\].]*)|"([^"\s]{1,128})"')


class Refusal(NamedTuple):
    """What a server said instead of an answer.

    Args:
        message: its sentence.
        retry_after: seconds, if it said so.
        request_id: of the call.
        field: the part at fault, where the protocol names it.
    """

    message: str
    retry_after: float | None = None
    request_id: str = ""
    field: str = ""


def of_status(status: int, refusal: Refusal) -> ClientError:
    """The error that an HTTP status means."""
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = ServerFailed if status >= _SERVER_ERROR else InvalidInput if status >= _CLIENT_ERROR else BadAnswer
    return of_kind(kind, status, refusal)


def of_kind(kind: type[ClientError], status: int, refusal: Refusal) -> ClientError:
    """Make an error of this kind."""
    error = kind(refusal.message, status=status, retry_after=refusal.retry_after, request_id=refusal.request_id)
    if isinstance(error, InvalidInput):
        found = _FIELD.search(refusal.message)
        error.field = refusal.field or (found[1] or found[2] if found else "")
    return error
