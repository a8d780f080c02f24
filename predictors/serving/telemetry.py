"""One record a request; metrics and the access log are both written from it, once, at the end."""

import contextlib
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TextIO

import orjson

from predictors.serving.metrics import Metrics
from predictors.serving.slot import Slot

_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def request_id(given: str | None) -> str:
    """The caller's id if it is safe to log and to send back, a new one otherwise."""
    if given and _SANE_ID.fullmatch(given):
        return given
    return os.urandom(16).hex()


def plain_error(message: str, status: int, field: str) -> dict[str, Any]:
    """The body of an error, in the shape of V1 and V2."""
    return {"error": message}


class Call:
    """What is known of a request so far.

    Args:
        protocol: ``v1``, ``v2``, ``grpc``, ``legacy``, or empty for what is not inference.
        given_id: the caller's request id, if any.
    """

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "cache",
        "close",
        "code",
        "deadline",
        "error_body",
        "id",
        "path",
        "protocol",
        "quiet",
        "slot",
        "started",
    )

    def __init__(self, protocol: str, given_id: str | None, path: str) -> None:
        self.protocol = protocol
        self.id = request_id(given_id)
        self.path = path
        self.started = time.monotonic()
        self.deadline = self.started  # seconds on the clock of time.monotonic
        self.slot: Slot | None = None
        self.error_body: Callable[[str, int, str], dict[str, Any]] = plain_error
        self.code = ""
        self.cache: str | None = None  # hit, miss or joined, where answers are cached
        self.bytes_in = 0
        self.bytes_out = 0
        self.close = False  # whether the connection must end with the answer
        self.quiet = False  # probes and scrapes that succeed are not logged


class Telemetry:
    """Where finished calls are counted and logged.

    Args:
        metrics: the server's metrics.
        json: lines as JSON, or as text for people.
        log: whether to write the access log at all.
        stream: where it goes.
    """

    def __init__(self, metrics: Metrics, json: bool, log: bool = True, stream: TextIO = sys.stderr) -> None:
        self.metrics = metrics
        self._json = json
        self._log = log
        self._stream = stream
        # Looking labels up takes longer than counting; there are as many entries as series.
        self._series: dict[tuple[str, str, str, str], tuple[Any, Any]] = {}

    def finish(self, call: Call) -> None:
        """Count and log a call that has been answered."""
        seconds = time.monotonic() - call.started
        model = call.slot.name if call.slot else ""
        version = call.slot.version if call.slot else ""
        if call.protocol:
            count, latency = self._find_series(model, version, call.protocol, call.code)
            count.inc()
            latency.observe(seconds)
        if self._log and not call.quiet:
            self._write(call, model, version, seconds * 1000)

    def _find_series(self, model: str, version: str, protocol: str, code: str) -> tuple[Any, Any]:
        key = (model, version, protocol, code)
        series = self._series.get(key)
        if series is None:
            series = self.metrics.requests.labels(*key), self.metrics.latency.labels(model, version, protocol)
            self._series[key] = series
        return series

    def _write(self, call: Call, model: str, version: str, milliseconds: float) -> None:
        if self._json:
            line = orjson.dumps(
                {
                    "time": timestamp(time.time()),
                    "level": "info",
                    "logger": "access",
                    "id": call.id,
                    "model": model,
                    "version": version,
                    "protocol": call.protocol,
                    "path": call.path,
                    "status": call.code,
                    "ms": round(milliseconds, 3),
                    "bytes_in": call.bytes_in,
                    "bytes_out": call.bytes_out,
                }
            ).decode()
        else:
            line = (
                f"{time.strftime('%H:%M:%S')} {call.code:>3} {milliseconds:8.1f} ms  {printable(call.path)}  "
                f"{call.bytes_in} B in  {call.bytes_out} B out  id {call.id}"
            )
        with contextlib.suppress(OSError):  # nobody reads the log any more; the answer is still owed
            self._stream.write(line + "\n")


def printable(text: str) -> str:
    """Text from outside, with nothing in it that could forge a line or steer a terminal."""
    return text.encode("unicode_escape").decode("ascii")


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return f"{_whole_seconds(int(seconds))}.{int(seconds * 1000) % 1000:03d}Z"


@lru_cache(maxsize=2)
def _whole_seconds(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()


def configure_logging(level: str, json: bool) -> None:
    """Send all logs of this process to standard error, as JSON lines or as text."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")
    handler.setFormatter(_JsonFormatter() if json else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
