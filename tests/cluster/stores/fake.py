"""What a fake of a web service answers, over HTTP on every address of this machine."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit


class Reply(NamedTuple):
    """An answer.

    Args:
        status: of HTTP.
        body: left out of the answer to a HEAD.
        headers: beside the body's length.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed


class Request(NamedTuple):
    """What is asked.

    Args:
        path: decoded.
        query: the last value of each parameter.
        authorization: the header; empty if there is none.
    """

    path: str
    query: dict[str, str]
    authorization: str


class Fake:
    """A service that answers GET and HEAD.

    Args:
        answer: gives the reply to a request.

    Attributes:
        port: on every address of this machine.
    """

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(with_body=True)

            def do_HEAD(self) -> None:
                self._reply(with_body=False)

            def _reply(self, *, with_body: bool) -> None:
                url = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(url.query).items()}
                reply = answer(Request(unquote(url.path), query, self.headers.get("Authorization", "")))
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if with_body:
                    self.wfile.write(reply.body)

            def log_message(self, *arguments: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
