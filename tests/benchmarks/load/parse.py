"""Parsers for the output of wrk, oha and ghz."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from tests.benchmarks.load.errors import BenchError

_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
# oha's name for requests that were in flight when its time was up.
_CUT_OFF = "aborted due to deadline"


class Load(NamedTuple):
    """What a tool measured.

    Args:
        rate: successful answers/s.
        refused: answers/s with status 429.
        p50: median latency of successful answers, milliseconds.
        p99: the 99th percentile of the same.
        statuses: how many answers had each status; gRPC statuses by name.
    """

    rate: float
    refused: float
    p50: float
    p99: float
    statuses: Mapping[str, int]


def wrk(output: str) -> Load:
    """wrk with ``--latency``.

    Raises:
        BenchError: some answers were not successful, or it could not connect.
    """
    if bad := re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .+", output):
        raise BenchError(f"wrk saw answers that were not successful: {bad[0]}")
    requests = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    percentiles = {name: float(value) * _MILLISECONDS[unit] for name, value, unit in _WRK_LATENCY.findall(output)}
    if requests is None or rate is None or not {"50", "99"} <= percentiles.keys() or not int(requests[1]):
        raise BenchError(f"wrk had no answers:\n{output}")
    return Load(float(rate[1]), 0.0, percentiles["50"], percentiles["99"], {"2xx": int(requests[1])})


_WRK_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)


def oha(output: str, *, refusals: bool = False) -> Load:
    """oha with ``--output-format json --stats-success-breakdown``.

    Args:
        output: what it printed.
        refusals: whether answers may have status 429.

    Raises:
        BenchError: some answers were neither successful nor allowed refusals, or there were no answers.
    """
    found = json.loads(output)
    statuses: dict[str, int] = found["statusCodeDistribution"]
    allowed = {"200", "429"} if refusals else {"200"}
    errors = {error: count for error, count in found["errorDistribution"].items() if error != _CUT_OFF}
    if errors or statuses.keys() - allowed:
        raise BenchError(f"oha saw answers that were not successful: statuses {statuses}, errors {errors}")
    if not statuses.get("200"):
        raise BenchError("oha had no answers")
    seconds, latencies = found["summary"]["total"], found["latencyPercentilesSuccessful"]
    return Load(
        statuses["200"] / seconds,
        statuses.get("429", 0) / seconds,
        latencies["p50"] * 1000,
        latencies["p99"] * 1000,
        statuses,
    )


def ghz(output: str) -> Load:
    """ghz with ``--format json``.

    Raises:
        BenchError: some calls did not end with OK, or there were no calls.
    """
    found = json.loads(output)
    statuses: dict[str, int] = found["statusCodeDistribution"] or {}
    if statuses.keys() - {"OK"} or found.get("errorDistribution"):
        raise BenchError(f"ghz saw calls that were not successful: {statuses}, {found.get('errorDistribution')}")
    if not statuses.get("OK"):
        raise BenchError("ghz had no answers")
    latencies = {point["percentage"]: point["latency"] / 1e6 for point in found["latencyDistribution"]}
    return Load(found["rps"], 0.0, latencies[50], latencies[99], statuses)
