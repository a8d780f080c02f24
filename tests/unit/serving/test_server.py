"""What the server does besides serving, without its ports."""

import asyncio
import logging

import pytest

from predictors.serving.dispatch.registry import Registry
from predictors.serving.dispatch.served_model import LOOK_SECONDS
from predictors.serving.server import Server
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.metrics import Metrics


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
