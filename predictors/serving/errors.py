"""Errors that a client may see: each holds one sentence that says what was wrong and what is allowed.

They are raised once, where the fault is found, and mapped to a status in `app/middleware/errors.py` for REST and in
`protocols/grpc/service.py` for gRPC. Any other exception is unexpected: the client gets a request id, the log the
details.
"""


class ServingError(Exception):
    """Base of all errors that a client may see.

    Args:
        message: the sentence.
        field: the part of the body at fault, such as ``messages[0].content``, for protocols that report it separately.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidInput(ServingError):
    """The request cannot be answered as it stands."""


class MissingField(InvalidInput):
    """A field of the earlier services' paths is missing or wrong."""


class UnsupportedMediaType(ServingError):
    """The endpoint does not accept the body's type."""


class NotFound(ServingError):
    """No such path, model or version."""


class MethodNotAllowed(ServingError):
    """The path exists, but not for this method.

    Args:
        allowed: its methods, such as ``("GET", "HEAD")``.
    """

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class TooLarge(ServingError):
    """The body, its rows or a text exceed a limit."""


class ModelNotReady(ServingError):
    """The model is loading, has failed to load, or was unloaded."""


class DeadlineExceeded(ServingError):
    """The answer was not ready within the time that the caller or the server allows."""


class Overloaded(ServingError):
    """The model's queue is full.

    Args:
        retry_after_seconds: when to try again, whole seconds, at least 1.
    """

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unauthenticated(ServingError):
    """The caller does not say who it is, or not so that it can be believed.

    Args:
        code: of RFC 6750, 3.1, such as ``invalid_token``; empty if there is no token at all.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Forbidden(ServingError):
    """The caller may not do that."""


class RateLimited(ServingError):
    """The caller, or all callers together, have asked for more than the limits allow.

    Args:
        retry_after_seconds: when to try again, whole seconds, at least 1.
        limit: the name of the limit.
    """

    def __init__(self, message: str, retry_after_seconds: int, limit: str) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit


class Unavailable(ServingError):
    """The server cannot do its part for now."""


class StartupError(Exception):
    """The server cannot start; the text says what to do."""


class ArtifactError(Exception):
    """An artifact cannot be loaded; readiness reports the text, so it names files, not paths."""


class PackageMissing(ArtifactError):
    """A package that the artifact needs is not installed; the artifact may be in order."""


class ArtifactMissing(ArtifactError):
    """There is no manifest, perhaps because the volume is still being filled."""
