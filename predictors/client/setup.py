"""What both clients are made of."""

import os
import random
import re
import time
from dataclasses import replace
from math import inf
from typing import NamedTuple

from predictors.client.errors import ConfigurationError
from predictors.client.policy.breaker import Breaker
from predictors.client.policy.budget import Budget
from predictors.client.policy.course import Course, Shared
from predictors.client.policy.settings import Policy, check_timeout
from predictors.client.target import Connections, Target, Tls, Token, TokenSource
from predictors.client.trace import Trace, TraceHeaders, trace_headers
from predictors.client.transports.attempt import Attempt

# What servers take as an id; they would make another one of anything else.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


class Origin(NamedTuple):
    """Where a call comes from: what all its attempts say of that.

    Args:
        request_id: by which logs have the call.
        trace: the headers of the caller's trace.
    """

    request_id: str
    trace: TraceHeaders

    @classmethod
    def of(cls, request_id: str, trace: Trace | None) -> "Origin":
        """What a new call says, asked on the caller's own thread: attempts may run on others, which know no trace.

        Args:
            request_id: the caller's; empty for a new one.
            trace: gives the headers.

        Raises:
            ConfigurationError: one of them cannot be sent.
        """
        return cls(choose_request_id(request_id), trace_headers(trace))


class Setup:
    """The settings of a client, and what its calls share.

    Args:
        url: of the server.
        token: says who calls.
        policy: deadlines, retries, hedging, breaker.
        tls: what is trusted and shown.
        connections: how to connect.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(
        self, url: str, token: Token | None, policy: Policy | None, tls: Tls | None, connections: Connections | None
    ) -> None:
        self.target = Target.parse(url)
        self.policy = policy or Policy()
        self.tls = tls or Tls()
        self.connections = connections or Connections()
        self._token = TokenSource(token)
        budget = Budget(self.policy.retry_ratio, self.policy.retry_burst)
        self._shared = Shared(self.policy, budget, Breaker(self.policy.breaker), random.random)
        # A stream takes as long as it takes, and to ask for it twice at once would be a waste.
        streams = replace(self.policy, hedge_after=None, attempt_timeout=inf)
        self._shared_by_streams = replace(self._shared, policy=streams)

    def course(self, timeout: float | None, request_id: str) -> Course:
        """Begin a call."""
        return Course(self._shared, time.monotonic(), self._timeout(timeout), request_id)

    def stream_course(self, timeout: float | None, request_id: str) -> Course:
        """Begin a call whose answer is a stream; it ends with the first part."""
        return Course(self._shared_by_streams, time.monotonic(), self._timeout(timeout), request_id)

    def attempt(self, seconds: float, origin: Origin) -> Attempt:
        """Begin an attempt; the token is read now.

        Raises:
            ConfigurationError: there is no token where one should be.
        """
        return Attempt(seconds, origin.request_id, self._token.header(), origin.trace)

    def _timeout(self, given: float | None) -> float:
        return self.policy.timeout if given is None else check_timeout(given)


def choose_request_id(given: str) -> str:
    """The id of a call: the caller's, or a new one.

    Raises:
        ConfigurationError: servers would not take it.
    """
    if given and not _REQUEST_ID.fullmatch(given):
        raise ConfigurationError("a request id has 1 to 128 letters, digits or any of ._:/+=@-")
    return given or os.urandom(16).hex()
