"""The access log: one line per request, without any of its content."""

import asyncio
import contextlib
import sys
import time
from typing import BinaryIO

import orjson

from predictors.serving.access.caller import ANYONE
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.logs import printable, timestamp

# Codes with which probes and scrapes stay out of the log; changes of readiness are logged by themselves.
_EXPECTED = frozenset(("200", "503", "OK"))


class AccessLog:
    """Writes a line for each finished call. Only for the event loop's thread.

    Args:
        json: whether lines are JSON, or text for people.
        enabled: whether anything is written.
        stream: where lines go.
    """

    def __init__(self, json: bool, enabled: bool = True, stream: BinaryIO | None = None) -> None:
        self._format = _json_line if json else _text_line
        self._enabled = enabled
        self._stream = sys.stderr.buffer if stream is None else stream
        self._unwritten: list[bytes] = []

    def write(self, call: Call) -> None:
        """Log a finished call."""
        if not self._enabled or (call.quiet and call.code in _EXPECTED):
            return
        # The lines of one iteration of the event loop are written together, since each write is a system call.
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unwritten.append(self._format(call, (time.monotonic() - call.started) * 1000))

    def _flush(self) -> None:
        lines, self._unwritten = b"".join(self._unwritten), []
        with contextlib.suppress(OSError):  # a closed log must not fail requests
            self._stream.write(lines)
            self._stream.flush()


def _json_line(call: Call, milliseconds: float) -> bytes:
    entry = {
        "time": timestamp(time.time()),
        "level": "info",
        "logger": "access",
        "id": call.id,
        "model": call.model,
        "version": call.version,
        "protocol": call.protocol,
        "path": call.path,
        "status": call.code,
        "ms": int(milliseconds * 1000) / 1000,
        "bytes_in": call.bytes_in,
        "bytes_out": call.bytes_out,
    }
    if call.caller is not ANYONE:
        entry["caller"] = call.caller.key
    if call.served_by:
        entry["served_by"] = call.served_by
    if call.trace is not None:
        entry["trace_id"], entry["span_id"] = call.trace.trace_id, call.trace.span_id
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def _text_line(call: Call, milliseconds: float) -> bytes:
    return (
        f"{time.strftime('%H:%M:%S')} {call.code:>3} {milliseconds:8.1f} ms  {printable(call.path)}  "
        f"{call.bytes_in} B in  {call.bytes_out} B out  id {call.id}\n"
    ).encode()
