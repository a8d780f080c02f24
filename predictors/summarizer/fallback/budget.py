"""How much may be asked of the endpoint in an hour."""

import time
from collections import deque
from collections.abc import Callable

_HOUR_SECONDS = 3600.0


class Budget:
    """Requests and tokens of the last hour. Only for the event loop's thread.

    Args:
        requests: most of them in any hour.
        tokens: once so many were used in an hour, nothing more is asked; None for any number.
        clock: monotonic seconds.
    """

    def __init__(self, requests: int, tokens: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_requests, self._most_tokens = requests, tokens
        self._clock = clock
        self._requests: deque[float] = deque()
        self._tokens: deque[tuple[float, int]] = deque()
        self._used = 0

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be asked now."""
        before = self._clock() - _HOUR_SECONDS
        while self._requests and self._requests[0] <= before:
            self._requests.popleft()
        while self._tokens and self._tokens[0][0] <= before:
            self._used -= self._tokens.popleft()[1]
        return len(self._requests) >= self._most_requests or (
            self._most_tokens is not None and self._used >= self._most_tokens
        )

    def take_request(self) -> None:
        """Count a request that is about to be sent."""
        self._requests.append(self._clock())

    def take_tokens(self, tokens: int) -> None:
        """Count what an answer used."""
        self._tokens.append((self._clock(), tokens))
        self._used += tokens
