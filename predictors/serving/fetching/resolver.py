"""Finds the addresses of names, on threads of its own.

The system's resolver cannot be interrupted, and may take half a minute. On the threads that the rest of the server
shares, a few such names would hold up everything else; and the process could not end before they do.
"""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from threading import Thread

from predictors.serving.errors import Overloaded

_MOST_AT_ONCE = 8


class Resolver:
    """Asks the system's resolver."""

    def __init__(self) -> None:
        self._running = 0  # lookups that have not ended, whether or not anyone waits for them still

    async def __call__(self, host: str) -> Sequence[str]:
        """The IP addresses of a host.

        Raises:
            OSError, UnicodeError: there are none.
            Overloaded: too many names are being looked up.
        """
        if self._running >= _MOST_AT_ONCE:
            raise Overloaded(f"{_MOST_AT_ONCE} names are being looked up, the most at once; try again in 5 s", 5)
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Sequence[str]] = loop.create_future()

        def settle(result: Sequence[str] | Exception) -> None:
            self._running -= 1
            if found.cancelled():
                return
            if isinstance(result, Exception):
                found.set_exception(result)
            else:
                found.set_result(result)

        def look() -> None:
            result = _addresses(host)
            with contextlib.suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(settle, result)

        self._running += 1
        Thread(target=look, name="resolver", daemon=True).start()
        return await found


def _addresses(host: str) -> Sequence[str] | Exception:
    try:
        return [str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        return error
