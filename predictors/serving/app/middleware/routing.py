"""Finds the route of a request: its handler, its protocol, and the form of its errors."""

from collections.abc import Awaitable

from predictors.serving.app.routing import Router
from predictors.serving.errors import MethodNotAllowed, NotFound
from predictors.serving.protocols.http import AsgiApp, Receive, Request, Scope, Send


class RoutingMiddleware:
    """Routes each request once; the layers further in use ``scope["route"]``.

    Args:
        app: the next layer.
        router: finds routes.
    """

    def __init__(self, app: AsgiApp, router: Router) -> None:
        self._app = app
        self._router = router

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request. Not a coroutine itself, since nothing is left to do afterwards.

        Raises:
            NotFound: no such path.
            MethodNotAllowed: the path is for other methods.
        """
        request: Request = scope["request"]
        try:
            route, request.params = self._router.match(request.method, request.path)
        except (NotFound, MethodNotAllowed):
            request.error_body = self._router.error_body(request.path)
            raise
        request.protocol, request.quiet, request.error_body = route.protocol, route.quiet, route.error_body
        scope["route"] = route
        return self._app(scope, receive, send)
