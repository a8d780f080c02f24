"""`predictors serve`, whose internet is a server of the test: all names in .example but one lead to it, at a public address.

The rest is what users run; the addresses that names lead to are checked as ever. Run as a program:
``python -m tests.ui.serving serve …`` with the server's port in the environment variable INTERNET_PORT.
"""

import os
from collections.abc import Sequence
from functools import partialmethod

import httpx

from predictors.cli.app import main
from predictors.serving.fetching import fetcher

PORT = "INTERNET_PORT"
_PUBLIC = "93.184.216.34"
_INSIDE = "inside.example"


async def resolve(host: str) -> Sequence[str]:
    if not host.endswith(".example"):
        return [host]
    return ["10.0.0.1"] if host == _INSIDE else [_PUBLIC]


class Wire(httpx.AsyncBaseTransport):
    """Real connections, to where the test's server really is."""

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == _PUBLIC
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=int(os.environ[PORT]))
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


if __name__ == "__main__":
    fetcher.Fetcher.__init__ = partialmethod(fetcher.Fetcher.__init__, resolve=resolve, new_transport=Wire)  # type: ignore[method-assign,assignment]
    main()
