"""Uvicorn's HTTP/1.1 protocol, with what it leaves open for a server that strangers reach.

- An offer to upgrade (h2c, as some clients make with every first request) is declined by not seeing it. Otherwise the
  parser stops at the end of the head, and the body is lost.
- A request that is not HTTP gets an answer of the same shape as every other error, and is logged.
- A head has a size limit.
- When the client goes away, the request's task is cancelled, so that no model works for nobody.
"""

import asyncio
import re
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from predictors.serving.telemetry import Call, Telemetry

MAX_HEAD_BYTES = 64 * 1024
# Where in a request's scope the application leaves its task.
TASK_KEY = "predictors.task"
_UPGRADE = re.compile(rb"(?<=\r\n)upgrade(?=[ \t]*:)", re.IGNORECASE)
_STATUS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        telemetry: where requests go that never become one.
        options: Uvicorn's own.
    """

    def __init__(self, *, telemetry: Telemetry, **options: Any) -> None:
        super().__init__(**options)
        self._telemetry = telemetry
        self._in_head = True
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._in_head:
            self._head_bytes += len(data)
            if b"pgrade" in data:
                head, end, rest = data.partition(b"\r\n\r\n")
                data = _UPGRADE.sub(b"x-grade", head) + end + rest
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"the request's head is too large; at most {MAX_HEAD_BYTES} bytes are allowed")

    def on_headers_complete(self) -> None:
        """Start the request."""
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request's body."""
        self._in_head = True
        super().on_message_complete()
        if not self.pipeline:
            self.flow.resume_reading()  # a large body pauses it, and a client that leaves would not be seen

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop working for a client that is gone."""
        super().connection_lost(exc)
        if self.cycle is not None and not self.cycle.response_complete:
            task: asyncio.Task[None] | None = self.cycle.scope.get(TASK_KEY)  # type: ignore[assignment]
            if task is not None:
                task.cancel()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not read."""
        self._refuse(400, "the request is not valid HTTP/1.1")

    def _refuse(self, status: int, message: str) -> None:
        call = Call("", None, "")
        body = orjson.dumps({"error": message})
        head = (
            b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nx-request-id: %b\r\n"
            b"connection: close\r\n\r\n"
        )
        self.transport.write(head % (status, _STATUS[status], len(body), call.id.encode()) + body)
        self.transport.close()
        call.code, call.bytes_out = str(status), len(body)
        self._telemetry.finish(call)
