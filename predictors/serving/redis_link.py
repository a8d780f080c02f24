"""A Redis or Valkey server that the replicas share. Best effort: while it is away, everything goes on without it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

_CONNECTIONS = 8
_QUIET_SECONDS = 5.0
_LOG_EVERY_SECONDS = 60.0


class RedisLink:
    """The way to the server; methods raise nothing but cancellation.

    Args:
        what: is shared through it, for what is said of it, such as ``cache``.
        url: of the server: ``redis://``, ``rediss://``, ``valkey://`` or ``unix://``.
        timeout: for one exchange, connecting included, seconds.
        count: called at each failure.
        clock: monotonic seconds.

    Raises:
        ValueError: the url cannot be used, or the client's package is missing; the text does not quote the url.
    """

    def __init__(
        self, what: str, url: str, timeout: float, count: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self.client = _client(what, url)
        """Of redis-py."""
        self._what = what
        self._timeout = timeout
        self._count = count
        self._clock = clock
        self._quiet_until = 0.0  # 0 while the server answers
        self._silent_until = float("-inf")

    async def ask(self, exchange: Callable[[], Awaitable[T]]) -> T | None:
        """Run an exchange with the server; None if it fails, or if the server has just failed."""
        now = self._clock()
        if now < self._quiet_until:
            return None
        if self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS  # only this request tests whether the server is back
        try:
            answer = await self._in_time(exchange())
        except Exception as error:  # noqa: BLE001  # whatever the client raises counts as no answer
            self._quiet_until = self._clock() + _QUIET_SECONDS
            self.report(error)
            return None
        self._quiet_until = 0.0
        return answer

    async def _in_time(self, exchange: Awaitable[T]) -> T:
        async with asyncio.timeout(self._timeout):
            return await exchange

    def report(self, error: Exception) -> None:
        """Count a failure, and log it unless one was logged a moment ago."""
        self._count()
        now = self._clock()
        if now >= self._silent_until:
            self._silent_until = now + _LOG_EVERY_SECONDS
            # Only the type: the text may hold the address and with it a password. The client wraps most errors in one
            # type, so the cause says more, unless it is the cancellation behind a timeout.
            kind = type(error.__cause__ if isinstance(error.__cause__, Exception) else error).__name__
            logger.warning("the shared %s failed (%s); requests go on without it", self._what, kind)

    async def close(self) -> None:
        """Close the connections."""
        try:
            await self._in_time(self.client.connection_pool.disconnect())
        except Exception as error:  # noqa: BLE001  # as above
            self.report(error)


def _client(what: str, url: str) -> Any:
    scheme, _, rest = url.partition("://")
    if scheme not in ("redis", "rediss", "valkey", "unix"):
        raise ValueError(f"the address of a shared {what} must begin with redis://, rediss://, valkey:// or unix://")
    try:
        from redis.asyncio import BlockingConnectionPool, Redis
    except ImportError:
        raise ValueError(f"a shared {what} needs the package redis: install kserve-predictors[cache]") from None
    address = f"{'redis' if scheme == 'valkey' else scheme}://{rest}"
    try:
        # Waiting for a connection is part of the exchange's timeout, so it needs no limit of its own.
        pool = BlockingConnectionPool.from_url(address, max_connections=_CONNECTIONS, timeout=None)
    except ValueError:  # its text may quote the password
        raise ValueError(f"the address of the shared {what} is not a valid {scheme}:// address") from None
    return Redis(connection_pool=pool)
