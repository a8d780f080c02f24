"""Digests of images, asked from a registry on this machine."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.unit.scripts.programs import script

DIGEST = "sha256:" + "ab" * 32


class Registry(BaseHTTPRequestHandler):
    """Gives anybody a token, and then the digest of python:3.11; of `old`, none."""

    def do_HEAD(self) -> None:
        known = {"/v2/library/python/manifests/3.11": DIGEST, "/v2/library/python/manifests/old": ""}
        if self.headers["Authorization"] != "Bearer for-library/python":
            realm = f"http://{self.headers['Host']}/token"
            challenge = f'Bearer realm="{realm}",service="here",scope="library/python"'
            self.answer(401, {"WWW-Authenticate": challenge})
        elif self.path in known and "application/vnd.oci.image.index.v1+json" in self.headers["Accept"]:
            self.answer(200, {"Docker-Content-Digest": known[self.path]} if known[self.path] else {})
        else:
            self.answer(404, {})

    def do_GET(self) -> None:
        self.answer(200, {}, b'{"token": "for-library/python"}' if self.path.endswith("library%2Fpython") else b"{}")

    def answer(self, code: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("localhost", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_registry_says_the_digest(registry: str) -> None:
    result = script("image_digest.py", f"{registry}/library/python:3.11")
    assert (result.returncode, result.stdout) == (0, f"{registry}/library/python:3.11@{DIGEST}\n")


@pytest.mark.parametrize("tag", ["missing", "old"])
def test_what_the_registry_does_not_know_is_refused(registry: str, tag: str) -> None:
    result = script("image_digest.py", f"{registry}/library/python:{tag}")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"the registry did not say what {registry}/library/python:{tag} is: ")


@pytest.mark.parametrize("image", ["python", "docker.io/library/python", f"docker.io/library/python:3@{DIGEST}"])
def test_an_image_without_registry_or_tag_is_refused(image: str) -> None:
    result = script("image_digest.py", image)
    assert (result.returncode, result.stderr) == (1, f"{image} is not of the form REGISTRY/NAME:TAG\n")
