"""What can go wrong with a call. Each error is one sentence that ends with what to do about it.

All have one base, `ClientError`. Whether a call may be sent again, and whether the failure speaks against the server's
health, are facts about the kind of an error, so they stand here and not where errors are caught.
"""

from typing import ClassVar


class ClientError(Exception):
    """Base of all errors of this package.

    Args:
        message: what happened, in the server's own words where it said something.
        status: the HTTP status; 0 if there was none, as with gRPC.
        retry_after: seconds after which the server would take the call; None if it did not say.
        request_id: the id of the call, by which the server's log has it.

    `attempts` is how often the call was sent.
    """

    advice: ClassVar[str] = ""
    retryable: ClassVar[bool] = False
    """Whether an idempotent call may be sent again."""
    unhealthy: ClassVar[bool | None] = False
    """Whether it counts against the server's health (see `Breaker`); None if it says nothing about the server."""

    def __init__(
        self, message: str, *, status: int = 0, retry_after: float | None = None, request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id
        self.attempts = 1

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message,), self.__dict__

    def __str__(self) -> str:
        facts = [f"request {self.request_id}"] if self.request_id else []
        facts += [f"{self.attempts} attempts"] if self.attempts > 1 else []
        sentence = "; ".join(filter(None, (self.message, self.advice)))
        return f"{sentence} ({', '.join(facts)})" if facts else sentence


class ConfigurationError(ClientError, ValueError):
    """The client cannot be made, or a call cannot be sent, with what it was given."""

    unhealthy = None


class InvalidInput(ClientError):
    """The server does not take the input as it stands.

    `field` is the part at fault, as far as the sentence begins with it or quotes it; empty otherwise.
    """

    advice = "change the input; the same call would fail again"
    field = ""


class NotFound(ClientError):
    """There is no such model, version or path."""

    advice = "check the model's name and the path in the client's URL"


class Unauthorized(ClientError):
    """The server does not know the caller."""

    advice = "check the client's token: it may be missing, wrong or expired"


class Forbidden(ClientError):
    """The caller may not use this model."""

    advice = "ask the server's operator to allow this model for the token"


class Overloaded(ClientError):
    """The server refuses for now: its queue is full, or the caller is over its rate limit."""

    advice = "send fewer calls, or allow more time for retries"
    retryable = True


class NotReady(ClientError):
    """The model is loading, failed to load or was unloaded, or nothing behind the gateway is ready."""

    advice = "try again later; if it stays, look at the model's readiness"
    retryable = unhealthy = True


class ServerFailed(ClientError):
    """The server failed unexpectedly; its log has the reason under the request's id."""

    advice = "look for the request's id in the server's log"
    unhealthy = True


class GatewayFailed(ServerFailed):
    """A proxy got no usable answer from the server."""

    advice = "try again; if it stays, look at the gateway and the server behind it"
    retryable = True


class DeadlineExceeded(ClientError):
    """There was no answer in time."""

    advice = "allow more time, or send less at once"
    retryable = True
    unhealthy: ClassVar[bool | None] = True


class DeadlinePassed(DeadlineExceeded):
    """The time was over before anything could be sent, which says nothing about the server."""

    retryable = False
    unhealthy = None


class Unreachable(ClientError):
    """No connection could be made."""

    advice = "check the client's URL, and that the server is running"
    retryable = unhealthy = True


class ConnectionLost(ClientError):
    """The connection ended before the answer was complete."""

    advice = "try again; if it stays, look at the server's log"
    retryable = unhealthy = True


class BadAnswer(ClientError):
    """What came is no answer of these servers."""

    advice = "check that the client's URL leads to a server of predictors"
    unhealthy = True


class StreamFailed(ClientError):
    """A stream ended with an error, after parts of it had arrived."""

    advice = "what arrived is valid but not complete; call again for all of it"


class CircuitOpen(ClientError):
    """Nothing was sent, since too many calls failed a moment ago; `retry_after` says when one is tried again."""

    advice = "wait until the server recovers, and do without its answer meanwhile"


class Unsupported(ClientError):
    """The call does not exist over gRPC."""

    advice = "use a client with an http:// or https:// URL for it"
    unhealthy = None
