"""Finds out who calls, and lets in who may."""

from collections.abc import Sequence

from predictors.serving.access.addresses import UNIX
from predictors.serving.access.door import Door
from predictors.serving.app.routing import Access
from predictors.serving.protocols.http import AsgiApp, Receive, Request, Scope, Send


class AccessMiddleware:
    """Notes on each request who sent it, before any of its body is read. What a caller may use, the data plane judges.

    Args:
        app: the next layer.
        door: knows callers.
    """

    def __init__(self, app: AsgiApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Unauthenticated, InvalidInput, Unavailable: see `Door.admit`.
        """
        request: Request = scope["request"]
        access = scope["route"].access
        if access is Access.CALLERS:
            client = scope["client"]
            request.caller = await self._door.admit(
                _values(scope, request, b"authorization"),
                UNIX if client is None else client[0],
                _values(scope, request, b"x-forwarded-for"),
            )
        elif access is Access.SCRAPERS:
            self._door.admit_scraper(_values(scope, request, b"authorization"))
        await self._app(scope, receive, send)


def _values(scope: Scope, request: Request, name: bytes) -> Sequence[str]:
    """All values of a header, in their order."""
    value = request.headers.get(name)
    if value is None:
        return ()
    if len(request.headers) == len(scope["headers"]):  # no header is there twice
        return (value.decode("latin-1"),)
    return [each.decode("latin-1") for key, each in scope["headers"] if key == name]
