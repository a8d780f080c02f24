"""A listener that runs a scripted application behind the error and access log middleware."""

import io
import json
from typing import Any

from predictors.serving.app.middleware.access_log import AccessLogMiddleware
from predictors.serving.app.middleware.errors import ErrorMiddleware
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import RequestIds
from tests.unit.serving.transport.loopback import Loopback, TlsSides
from tests.unit.serving.transport.scripted import Scripted


class Logged:
    """A listener that runs a scripted application behind the error and access log middleware.

    Args:
        tls: as for a `Loopback`.
    """

    def __init__(self, tls: TlsSides | None = None) -> None:
        self.app = Scripted()
        self.log = io.BytesIO()
        errors = ErrorMiddleware(self.app, lambda: self.loopback.listener.ending)
        self.loopback = Loopback(
            AccessLogMiddleware(errors, AccessLog(json=True, stream=self.log), RequestIds(), 2**20), tls=tls
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def statuses(self) -> dict[str, str]:
        """The statuses in the access log, by path."""
        paths = [line["path"] for line in self.lines]
        assert len(set(paths)) == len(paths), "a request is logged twice"
        return {line["path"]: line["status"] for line in self.lines}
