"""What the server does besides serving, without its ports."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.access.settings import AccessSettings
from predictors.serving.dispatch.registry import Registry
from predictors.serving.dispatch.served_model import LOOK_SECONDS
from predictors.serving.server import Server
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.transport.certificates import Authority


class Faulty(Registry):
    """Its first look fails, the second finds something, the third that the server drains."""

    looks = 0

    def __init__(self, settings: ServerSettings, metrics: Metrics) -> None:
        super().__init__((), settings, metrics)

    async def load_late(self, look_seconds: float = LOOK_SECONDS) -> bool:
        self.looks += 1
        if self.looks == 1:
            raise OSError("the disk is away")
        return self.looks == 2


def test_a_fault_never_ends_the_following_of_models(caplog: pytest.LogCaptureFixture) -> None:
    server = Server([], ServerSettings(enable_grpc=False), log_json=False, new_registry=Faulty)
    assert [asyncio.run(server._load_late()) for _ in range(2)] == [True, False]
    (fault,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert fault.message == "models cannot be followed; it is tried again in 2 s"


@pytest.mark.parametrize(
    ("host", "certificates", "tokens", "level", "says"),
    [
        ("0.0.0.0", False, False, "WARNING", "the ports are open to the network, without authentication; --host"),
        ("127.0.0.1", False, False, "INFO", "there is no authentication; --token_digests_file and --jwt_issuer turn"),
        ("0.0.0.0", False, True, "INFO", "callers need a token"),
        ("0.0.0.0", True, False, "INFO", "callers need a client certificate"),
        ("0.0.0.0", True, True, "INFO", "callers need a token and a client certificate"),
    ],
)
def test_it_says_who_may_call(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    host: str,
    certificates: bool,
    tokens: bool,
    level: str,
    says: str,
) -> None:
    authority = Authority()
    own, key = authority.issue("server").write(tmp_path)
    (tmp_path / "ca.crt").write_bytes(authority.certificate)
    (tmp_path / "digests").write_text(f"sha256:{'0' * 64} shop *\n")
    tls: dict[str, Any] = (
        {"ssl_certfile": own, "ssl_keyfile": key, "ssl_ca_certfile": tmp_path / "ca.crt"} if certificates else {}
    )
    server = Server(
        [],
        ServerSettings(host=host, enable_grpc=False, **tls),
        log_json=False,
        access=AccessSettings(token_digests_file=tmp_path / "digests" if tokens else None),
    )
    with caplog.at_level(logging.INFO):
        server._say_who_may_call()
    (record,) = caplog.records
    assert (record.levelname, record.message.startswith(says)) == (level, True)
