"""What both kinds of gRPC transports have in common."""

from collections.abc import Iterable, Mapping
from typing import Any

import grpc

from predictors.client.errors import ConfigurationError
from predictors.client.target import Connections, Target, Tls
from predictors.client.transports.attempt import TIMEOUT_HEADER, Attempt

# gRPC itself waits up to two minutes before it connects again, which is longer than calls last.
_RECONNECT_MS = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1_000))
# A connection whose other end is gone without a word is found out by a ping that stays unanswered; otherwise calls
# would be sent into it, and time out, for many minutes. Short calls may miss the ping, so that it needs none under way.
KEEPALIVE = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


def options(target: Target, connections: Connections) -> tuple[tuple[str, Any], ...]:
    """The channel's options."""
    chosen: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", connections.most_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.enable_retries", 0),  # this package decides about them
        ("grpc.use_local_subchannel_pool", 1),  # otherwise clients of one address would share its failures
        ("grpc.primary_user_agent", "predictors-client"),
        *_RECONNECT_MS,
        *KEEPALIVE,
    ]
    if connections.host:
        chosen.append(("grpc.default_authority", connections.host))
        if target.secure:
            chosen.append(("grpc.ssl_target_name_override", connections.host.partition(":")[0]))
    return tuple(chosen)


def credentials(target: Target, tls: Tls) -> Any:
    """TLS, if the URL asks for it."""
    return grpc.ssl_channel_credentials(*tls.pems()) if target.secure else None


def metadata(attempt: Attempt) -> list[tuple[str, str]]:
    """What an attempt sends beside its message."""
    sent = [("x-request-id", attempt.request_id)]
    if attempt.timeout_ms:
        sent.append((TIMEOUT_HEADER, attempt.timeout_ms))
    if attempt.authorization:
        sent.append(("authorization", attempt.authorization))
    return [*sent, *attempt.trace]


def refused(error: Exception) -> ConfigurationError:
    """The error for a call that gRPC does not begin, as when its channel is closed."""
    return ConfigurationError(f"gRPC does not send the call ({error}); make a new client if this one is closed")


def texts(given: Iterable[tuple[str, Any]] | None) -> Mapping[str, str]:
    """Trailers as texts."""
    return {key: value for key, value in given or () if isinstance(value, str)}
