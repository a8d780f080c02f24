"""A Redis or Valkey server through which the replicas share answers. Best effort: any failure counts as a miss."""

from collections.abc import Callable
from typing import Any

from predictors.serving.cache.result_codec import UnreadableResult, decode_outputs
from predictors.serving.redis_link import RedisLink

_PREFIX = "predictors:"


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
        self._link = RedisLink("result cache", url, timeout, lambda: count("remote_error"), clock)
        self._ttl_seconds = ttl_seconds

    async def get(self, key: str) -> tuple[bytes, float] | None:
        """Look an answer up.

        Args:
            key: from `result_key`.

        Returns:
            A value that `decode_outputs` can read, and its remaining lifetime in seconds; None if there is no such
            value, or the server does not respond.
        """
        found = await self._link.ask(lambda: self._get(key))
        if found is None or found[0] is None:
            return None
        try:
            return _readable(key, found[0]), found[1] / 1000
        except UnreadableResult as error:  # the server works, and the next computation replaces the value
            self._link.report(error)
            return None

    async def put(self, key: str, value: bytes) -> None:
        """Store an answer.

        Args:
            key: from `result_key`.
            value: from `encode_outputs`, under that key.
        """
        await self._link.ask(lambda: self._link.client.set(_PREFIX + key, value, ex=self._ttl_seconds))

    async def _get(self, key: str) -> Any:
        """What is under a key, and for how many milliseconds it still is."""
        async with self._link.client.pipeline(transaction=False) as both:
            both.get(_PREFIX + key).pttl(_PREFIX + key)
            return await both.execute(raise_on_error=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()


def _readable(key: str, value: Any) -> bytes:
    """A value that can be decoded.

    Raises:
        UnreadableResult: it cannot.
    """
    if not isinstance(value, bytes):  # an error reply, such as for a key that holds a list
        raise UnreadableResult("the key holds no string")
    decode_outputs(key, value)
    return value
