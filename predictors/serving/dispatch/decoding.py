"""Where requests are decoded: small ones on the event loop, large ones on a thread, so that probes are answered.

One thread for all of them: with more, the event loop would have to wait for each of them in turn.
"""

import asyncio
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from predictors.serving.errors import DeadlineExceeded
from predictors.serving.telemetry.call import Call

P = ParamSpec("P")
T = TypeVar("T")

LARGE_BYTES = 64 * 1024
"""A request of this size or less takes a few milliseconds at most, whatever is in it."""


class DecodingThread:
    """Decodes large requests, one after the other."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="decoding")  # starts with the first large request

    async def decode(self, call: Call, decode: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a decoder at once, or on the thread if the request is large.

        Args:
            call: the request.
            decode: must use nothing that belongs to the event loop.
            args, kwargs: what it is given.

        Raises:
            DeadlineExceeded: it was not done in time.
        """
        if call.bytes_in <= LARGE_BYTES:
            return decode(*args, **kwargs)
        return await self.run(call.deadline, decode, *args, **kwargs)

    async def run(self, deadline: float, decode: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a decoder on the thread.

        Args:
            deadline: of the request, seconds on the clock of `time.monotonic`.
            decode: must use nothing that belongs to the event loop.
            args, kwargs: what it is given.

        Raises:
            DeadlineExceeded: it was not done in time.
        """
        work = functools.partial(decode, *args, **kwargs)
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except TimeoutError:
            raise DeadlineExceeded("the request was not decoded before the deadline") from None
