"""One record a request; metrics and the access log are both written from it, once, at the end."""

import asyncio
import contextlib
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, BinaryIO

import orjson

from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.dispatch.served_model import Slot

_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_ID_DIGITS = 32


# Made many at a time: each call of the system lets other threads take the interpreter.
_ids: list[str] = []


def request_id(given: str | None) -> str:
    """The caller's id if it is safe to log and to send back, a new one otherwise: 128 random bits."""
    if given and _SANE_ID.fullmatch(given):
        return given
    try:
        return _ids.pop()
    except IndexError:
        digits = os.urandom(256 * _ID_DIGITS // 2).hex()
        _ids.extend(digits[start : start + _ID_DIGITS] for start in range(_ID_DIGITS, len(digits), _ID_DIGITS))
        return digits[:_ID_DIGITS]


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
        self.slot: Slot | None = None
        self.error_body: Callable[[str, int, str], dict[str, Any]] = plain_error
        self.code = ""
        self.cache: str | None = None  # hit, miss or joined, where answers are cached
        self.bytes_in = 0
        self.bytes_out = 0
        self.close = False  # whether the connection must end with the answer
        self.quiet = False  # probes and scrapes that succeed are not logged


class Telemetry:
    """Where finished calls are counted and logged. For the event loop's thread alone.

    Args:
        metrics: the server's metrics.
        json: lines as JSON, or as text for people.
        log: whether to write the access log at all.
        stream: where it goes.
    """

    def __init__(self, metrics: Metrics, json: bool, log: bool = True, stream: BinaryIO = sys.stderr.buffer) -> None:
        self.metrics = metrics
        self._format = _json_line if json else _text_line
        self._log = log
        self._stream = stream
        self._unwritten: list[bytes] = []

    def finish(self, call: Call) -> None:
        """Count and log a call that has been answered."""
        seconds = time.monotonic() - call.started
        slot = call.slot
        model, version = (slot.name, slot.version) if slot is not None else ("", "")
        if call.protocol:
            self.metrics.requests.labels(model, version, call.protocol, call.code).value += 1
            self.metrics.latency.labels(model, version, call.protocol).observe(seconds)
        if self._log and not call.quiet:
            # Lines of one turn of the event loop are written together: each write is a call of the system.
            if not self._unwritten:
                asyncio.get_running_loop().call_soon(self._write)
            self._unwritten.append(self._format(call, model, version, seconds * 1000))

    def _write(self) -> None:
        lines, self._unwritten = b"".join(self._unwritten), []
        with contextlib.suppress(OSError):  # nobody reads the log any more; the answers are still owed
            self._stream.write(lines)
            self._stream.flush()


def _json_line(call: Call, model: str, version: str, milliseconds: float) -> bytes:
    entry = {
        "time": timestamp(time.time()),
        "level": "info",
        "logger": "access",
        "id": call.id,
        "model": model,
        "version": version,
        "protocol": call.protocol,
        "path": call.path,
        "status": call.code,
        "ms": int(milliseconds * 1000) / 1000,
        "bytes_in": call.bytes_in,
        "bytes_out": call.bytes_out,
    }
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def _text_line(call: Call, model: str, version: str, milliseconds: float) -> bytes:
    return (
        f"{time.strftime('%H:%M:%S')} {call.code:>3} {milliseconds:8.1f} ms  {printable(call.path)}  "
        f"{call.bytes_in} B in  {call.bytes_out} B out  id {call.id}\n"
    ).encode()


def printable(text: str) -> str:
    """Text from outside, with nothing in it that could forge a line or steer a terminal."""
    return text.encode("unicode_escape").decode("ascii")


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return _to_the_millisecond(int(seconds * 1000))


@lru_cache(maxsize=2)
def _to_the_millisecond(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=2)
def _to_the_second(seconds: int) -> str:
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
