"""The process's logs: JSON lines, or text on a terminal."""

import logging
import sys
import time
from functools import lru_cache

import orjson

from predictors.serving.telemetry.trace import CURRENT


def configure_logging(level: str, json: bool) -> None:
    """Send all logs of this process to standard error, as JSON lines or as text."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")
    handler.setFormatter(_JsonFormatter() if json else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, which may hold keys


def use_json(log_format: str) -> bool:
    """Resolve the setting `log_format`: whether lines are JSON."""
    return log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())


def printable(text: str) -> str:
    """Escape text from outside, so that it can neither forge a log line nor control a terminal."""
    return text.encode("unicode_escape").decode("ascii")


def timestamp(seconds: float) -> str:
    """Format seconds since 1970 as RFC 3339 in UTC, with milliseconds."""
    return _to_the_millisecond(int(seconds * 1000))


@lru_cache(maxsize=2)
def _to_the_millisecond(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{_to_the_second(seconds)}.{fraction:03d}Z"


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
        trace = CURRENT.get()  # of whoever logs: handlers format at once
        if trace is not None:
            entry["trace_id"], entry["span_id"] = trace.trace_id, trace.span_id
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()
