"""A Redis or Valkey server through which the replicas share answers. Best effort: any failure counts as a miss."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from predictors.serving.cache.result_codec import UnreadableResult, decode_outputs

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PREFIX = "predictors:"
_CONNECTIONS = 8
_QUIET_SECONDS = 5.0
_LOG_EVERY_SECONDS = 60.0


class Shared:
    """The answers on a shared server; methods raise nothing but cancellation.

    Args:
        url: of the server: ``redis://``, ``rediss://``, ``valkey://`` or ``unix://``.
        ttl_seconds: how long the server keeps an answer, at least 1.
        timeout: for one exchange, connecting included, seconds.
        count: called with each ``remote_error``.
        clock: monotonic seconds.

    Raises:
        ValueError: the url cannot be used, or the client's package is missing; the text does not quote the url.
    """

    def __init__(
        self, url: str, ttl_seconds: int, timeout: float, count: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self._client = _client(url)
        self._ttl_seconds = ttl_seconds
        self._timeout = timeout
        self._count = count
        self._clock = clock
        self._quiet_until = 0.0  # 0 while the server answers
        self._silent_until = float("-inf")

    async def get(self, key: str) -> tuple[bytes, float] | None:
        """Look an answer up.

        Args:
            key: from `result_key`.

        Returns:
            A value that `decode_outputs` can read, and its remaining lifetime in seconds; None if there is no such
            value, or the server does not respond.
        """
        return await self._guard(lambda: self._get(key))

    async def put(self, key: str, value: bytes) -> None:
        """Store an answer.

        Args:
            key: from `result_key`.
            value: from `encode_outputs`, under that key.
        """
        await self._guard(lambda: self._client.set(_PREFIX + key, value, ex=self._ttl_seconds))

    async def _get(self, key: str) -> tuple[bytes, float] | None:
        async with self._client.pipeline(transaction=False) as both:
            both.get(_PREFIX + key).pttl(_PREFIX + key)
            value, milliseconds = await both.execute(raise_on_error=False)
        if value is None:
            return None
        if not isinstance(value, bytes):  # an error reply, such as for a key that holds a list
            raise UnreadableResult("the key holds no string")
        decode_outputs(key, value)
        return value, milliseconds / 1000

    async def _guard(self, exchange: Callable[[], Awaitable[T]]) -> T | None:
        now = self._clock()
        if now < self._quiet_until:
            return None
        if self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS  # only this request tests whether the server is back
        try:
            answer = await self._in_time(exchange())
        except UnreadableResult as error:
            answer = None  # the server works, and the next computation replaces the value
            self._report(error)
        except Exception as error:  # noqa: BLE001  # whatever the client raises counts as a miss
            self._quiet_until = self._clock() + _QUIET_SECONDS
            self._report(error)
            return None
        self._quiet_until = 0.0
        return answer

    async def _in_time(self, exchange: Awaitable[T]) -> T:
        async with asyncio.timeout(self._timeout):
            return await exchange

    def _report(self, error: Exception) -> None:
        self._count("remote_error")
        now = self._clock()
        if now >= self._silent_until:
            self._silent_until = now + _LOG_EVERY_SECONDS
            # Only the type: the text may hold the address and with it a password. The client wraps most errors in one
            # type, so the cause says more, unless it is the cancellation behind a timeout.
            kind = type(error.__cause__ if isinstance(error.__cause__, Exception) else error).__name__
            logger.warning("the shared result cache failed (%s); requests go on without it", kind)

    async def close(self) -> None:
        """Close the connections."""
        try:
            await self._in_time(self._client.connection_pool.disconnect())
        except Exception as error:  # noqa: BLE001  # as above
            self._report(error)


def _client(url: str) -> Any:
    scheme, _, rest = url.partition("://")
    if scheme not in ("redis", "rediss", "valkey", "unix"):
        raise ValueError("the address of a shared cache must begin with redis://, rediss://, valkey:// or unix://")
    try:
        from redis.asyncio import BlockingConnectionPool, Redis
    except ImportError:
        raise ValueError("a shared cache needs the package redis: install kserve-predictors[cache]") from None
    address = f"{'redis' if scheme == 'valkey' else scheme}://{rest}"
    try:
        # Waiting for a connection is part of the exchange's timeout, so it needs no limit of its own.
        pool = BlockingConnectionPool.from_url(address, max_connections=_CONNECTIONS, timeout=None)
    except ValueError:  # its text may quote the password
        raise ValueError(f"the address of the shared cache is not a valid {scheme}:// address") from None
    return Redis(connection_pool=pool)
