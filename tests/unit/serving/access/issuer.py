"""An issuer of JWTs, and an HTTPS server for its keys."""

import base64
import http.server
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.serving.transport.certificates import Authority

ISSUER, AUDIENCE = "https://issuer.example", "predictors"


class Issuer:
    """Makes tokens and publishes keys.

    Args:
        algorithm: with which it signs.
        bits: of RSA keys.
    """

    def __init__(self, algorithm: str = "RS256", bits: int = 2048) -> None:
        self.algorithm = algorithm
        self.private: Any
        if algorithm.startswith("ES"):
            self.private = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(65537, bits)

    def jwk(self, kid: str = "one", **fields: Any) -> dict[str, Any]:
        """The public key, as a member of a JWKS."""
        name = "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else self.algorithm
        entry = jwt.get_algorithm_by_name(name).to_jwk(self.private.public_key(), as_dict=True)
        entry.pop("key_ops", None)
        return {**entry, "kid": kid, "use": "sig", **fields}

    def pem(self) -> bytes:
        """The public key as PEM."""
        return bytes(self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def token(self, kid: str | None = "one", *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token that is valid for an hour, unless claims say otherwise; None takes a claim away."""
        now = time.time()
        all_claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "shop", "iat": now, "exp": now + 3600, **claims}
        given = {name: value for name, value in all_claims.items() if value is not None}
        named = {} if kid is None else {"kid": kid}
        return jwt.encode(given, self.private, self.algorithm, headers={**named, **(headers or {})})


def jwks(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"keys": entries}).encode()


def segment(value: Any) -> str:
    """A part of a JWT."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class KeyServer:
    """Serves a JWKS by HTTPS.

    Args:
        directory: for its certificates.
    """

    def __init__(self, directory: Path) -> None:
        self.answer: tuple[int, bytes] = (200, jwks())
        self.headers: dict[str, str] = {}
        self.asked = 0
        """How often it was asked."""
        self.open = threading.Event()
        """While it is not set, nothing is answered."""
        self.open.set()
        authority = Authority()
        self.authority = directory / "authority.pem"
        self.authority.write_bytes(authority.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("keys").write(directory))
        this = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                this.asked += 1
                this.open.wait(60)
                status, body = this.answer
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **this.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                pass  # clients that leave early are a part of the tests

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_address[1]}/keys"


@contextmanager
def key_server(directory: Path) -> Iterator[KeyServer]:
    """Run a server for keys until the block ends."""
    keys = KeyServer(directory)
    thread = threading.Thread(target=keys.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield keys
    finally:
        keys.open.set()
        keys.server.shutdown()
        keys.server.server_close()
        thread.join()
