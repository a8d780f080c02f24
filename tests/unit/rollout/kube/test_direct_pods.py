"""Pods that answer what they should not."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from predictors.rollout.kube.api import Object, Unavailable
from predictors.rollout.kube.client import DirectPods


class Endless(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while self.path == "/metrics":
                self.wfile.write(b"x" * (1 << 20))
            self.wfile.write(b"short")
        except OSError:
            return  # nobody listens any more

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        pass


@pytest.fixture
def pod() -> Iterator[Object]:
    server = HTTPServer(("127.0.0.1", 0), Endless)
    Thread(target=server.serve_forever, daemon=True).start()
    container = {"name": "kserve-container", "ports": [{"containerPort": server.server_port}]}
    yield {"metadata": {"name": "p"}, "spec": {"containers": [container]}, "status": {"podIP": "127.0.0.1"}}
    server.shutdown()
    server.server_close()


def test_an_answer_is_read(pod: Object) -> None:
    assert DirectPods().get(pod, "/v2") == (200, "short")


def test_an_endless_answer_is_cut_off(pod: Object) -> None:
    with pytest.raises(Unavailable, match="pod p does not answer: its answer is longer than 8 MiB"):
        DirectPods().get(pod, "/metrics")
