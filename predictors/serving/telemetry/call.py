"""The record of one request, whatever its protocol, from which the metrics and the access log are written."""

import os
import re
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from predictors.serving.access.caller import ANYONE, Caller
from predictors.serving.access.limits import Standing
from predictors.serving.telemetry.trace import Trace

CLIENT_CLOSED_REQUEST = "499"
"""nginx's code for a client that disconnected before it had its answer; only metrics and logs show it."""
_SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_ID_DIGITS = 32
# Random ids are made in blocks: each system call releases the GIL, which a model's thread may then take.
_IDS_PER_BLOCK = 256


class RequestIds:
    """Chooses request ids. Only for the event loop's thread."""

    def __init__(self) -> None:
        self._unused: list[str] = []

    def choose(self, given: str | None) -> str:
        """Return the caller's id if it is safe to log and to echo, otherwise a new one: 128 random bits in hex."""
        if given and _SAFE_ID.fullmatch(given):
            return given
        if not self._unused:
            digits = os.urandom(_IDS_PER_BLOCK * _ID_DIGITS // 2).hex()
            self._unused = [digits[start : start + _ID_DIGITS] for start in range(0, len(digits), _ID_DIGITS)]
        return self._unused.pop()


ErrorBody: TypeAlias = Callable[[str, int, str], dict[str, Any]]
"""Makes the body of an error from a message, a status and the field at fault, which may be empty."""


def plain_error(message: str, status: int, field: str) -> dict[str, Any]:
    """The body of an error in V1 and V2."""
    return {"error": message}


class Call:
    """One request and what became of it.

    Args:
        id: the request's id.
        path: the path of the URL, or ``/`` and the gRPC method.
        protocol: ``v1``, ``v2``, ``grpc``, ``openai``, ``legacy``, or empty for requests other than inference.
    """

    __slots__ = (
        "ahead", "bytes_in", "bytes_out", "cache", "caller", "code", "deadline", "error_body", "id", "model", "path",
        "protocol", "quiet", "served_by", "standing", "started", "stays_here", "trace", "version",
    )  # fmt: skip

    def __init__(self, id: str, path: str, protocol: str = "") -> None:  # noqa: A002  # the name that logs show
        self.id = id
        self.path = path
        self.protocol = protocol
        self.started = time.monotonic()
        self.deadline = 0.0
        """When the answer must be ready, seconds on the clock of `time.monotonic`."""
        self.ahead = 0
        """Requests that waited for the event loop when it arrived."""
        self.model = self.version = ""
        self.code = ""
        """HTTP status or gRPC code of the answer, empty until it is sent."""
        self.cache = ""
        """How the result cache was used: ``hit``, ``miss``, ``joined``, or empty."""
        self.stays_here = False
        """Whether the caller wants nothing of it to go elsewhere."""
        self.served_by = ""
        """What answered instead of the model itself, if anything did; the version is then empty."""
        self.bytes_in = self.bytes_out = 0
        self.quiet = False
        """Whether it stays out of the access log, as probes and scrapes that succeed do."""
        self.error_body: ErrorBody = plain_error
        self.caller: Caller = ANYONE
        self.standing: Standing | None = None
        """Where it stands with the rate limits, if any apply to it."""
        self.trace: Trace | None = None
        """The trace that it belongs to, if it is traced."""
