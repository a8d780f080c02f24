"""How a response is sent, whichever layer made it."""

import contextlib

from predictors.serving.protocols.http import Request, Response, Scope, Send


async def send_response(response: Response, request: Request, scope: Scope, send: Send) -> None:
    """Send a response, whole or as it comes."""
    body, stream, headers = response.body, response.stream, response.headers
    if stream is not None and scope["http_version"] == "1.0":  # which knows no chunks
        async with contextlib.aclosing(stream):
            body, stream = b"".join([body, *[part async for part in stream]]), None
    if stream is None and response.status != 304:  # which tells the length of what the client has
        headers.append((b"content-length", b"%d" % len(body)))
    if request.close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if stream is None:
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.body", "body": body, "more_body": True})
    request.streaming = True
    async with contextlib.aclosing(stream):
        async for part in stream:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})
