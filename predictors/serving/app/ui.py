"""What the page behind ``/ui`` needs of the server beside its files and the models: documents by their addresses."""

import asyncio
import base64

import orjson

from predictors.serving.dataplane import DataPlane
from predictors.serving.errors import Forbidden, InvalidInput
from predictors.serving.fetching.fetcher import Document, Fetcher
from predictors.serving.protocols.http import JSON, Request, Response
from predictors.serving.protocols.json_body import parse_object


class UiHandlers:
    """The page's own requests.

    Args:
        plane: knows the models, and who may use them.
        fetcher: gets documents; None if the server gets none.
    """

    def __init__(self, plane: DataPlane, fetcher: Fetcher | None) -> None:
        self._plane = plane
        self._fetcher = fetcher

    async def root(self, request: Request) -> Response:
        """``GET /``: leads browsers to the page; for others it is liveness, as KServe has it."""
        answer = Response.json({"status": "alive"})
        if b"text/html" in request.headers.get(b"accept", b""):
            answer = Response(303, headers=[(b"location", b"ui")])
        answer.headers.append((b"vary", b"accept"))
        return answer

    async def features(self, request: Request) -> Response:
        """``GET /ui/features``: what there is on this server."""
        return Response.json({"fetch": self._fetcher is not None})

    async def fetch(self, request: Request) -> Response:
        """``POST /ui/fetch`` with ``url`` and ``model``: a document, for a model that the caller may use.

        It counts as a request to that model, and there must be room for one, as for the summary that will follow.
        """
        assert self._fetcher is not None  # noqa: S101  # otherwise there is no route
        _require_own_page(request)
        request.require_json()
        payload = await self._plane.parse(request, parse_object, await request.body(), "url", "model")
        url, model = _text(payload.get("url"), "url"), _text(payload.get("model"), "model")
        await self._plane.open(request, model)
        document = await self._fetcher.fetch(url.strip(), request.deadline)
        return Response(200, await asyncio.to_thread(_encode, document), [JSON])


def _encode(document: Document) -> bytes:
    """Write an answer; milliseconds for a large document, so on a thread."""
    data = base64.b64encode(document.data).decode("ascii")
    return orjson.dumps({"url": document.url, "content_type": document.content_type, "data": data})


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInput(f'the field "{field}" must be a text', field)
    return value


def _require_own_page(request: Request) -> None:
    """Pass only what a page of this server sends, or a program: no other page may use its visitors for this.

    Browsers say where a request comes from in Sec-Fetch-Site, or in Origin alone where nothing is encrypted.

    Raises:
        Forbidden: it comes from another page.
    """
    site, origin = request.header(b"sec-fetch-site"), request.header(b"origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = origin is None or origin.partition("://")[2] == request.header(b"host")
    if not ours:
        raise Forbidden("only the page of this server may have it fetch documents")
