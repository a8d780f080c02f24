"""How objects are written to the API server."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import kubernetes
import pytest

from predictors.rollout.kube.client import Client


@pytest.fixture
def bodies() -> Iterator[list[bytes]]:
    """What a server got; the first is its URL."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(201)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        got.append(f"http://127.0.0.1:{server.server_port}".encode())
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield got
        server.shutdown()
        thread.join()


def test_objects_are_written_as_the_server_writes_them(bodies: list[bytes]) -> None:
    """Byte by byte, or a ControllerRevision could never be patched: its data must not change, and it is compared so."""
    configuration = kubernetes.client.Configuration(host=bodies[0].decode())
    client = Client(kubernetes.client.ApiClient(configuration))
    data = {"b": [1, 0.5, None, True], "a": {"text": "x<y && z>ü\u2028", "empty": {}}}
    revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "a", "namespace": "n"}}
    client.create(revision | {"data": data})
    assert json.loads(bodies[1])["data"] == data
    written = r'"data":{"a":{"empty":{},"text":"x\u003cy \u0026\u0026 z\u003eü\u2028"},"b":[1,0.5,null,true]}'
    assert written.encode() in bodies[1]
