"""What each part of the server that can be turned on costs a request to iris: ``make bench-features``.

All servers run at once, on one core, and take turns, in another order each round: one connection sends the same requests to
each, 16 at a time for the CPU time, then one by one for the latency. CPU time counts all threads of the server; each figure
is the median over the rounds, and each ratio the median of the rounds' own ratios to the server with everything off.
"""

import argparse
import contextlib
import os
import random
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console

from predictors.serving.access.token_file import line_of
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.servers import Live, Ports, Server, running
from tests.benchmarks.output import Grid, fail, progress, show_grids
from tests.benchmarks.starting import check_import
from tests.live import ARTIFACTS, ROOT
from tests.redis_server import RedisServer, find_redis
from tests.web import web_server

OFF = "everything off"
BEFORE = "everything off, before"
TOKEN = "a-token-for-the-benchmark"
BODY = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
DEPTH = 16
REQUEST = (
    f"POST /v1/models/iris:predict HTTP/1.1\r\nhost: iris\r\nauthorization: Bearer {TOKEN}\r\n"
    f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
).encode() + BODY
OK = b"HTTP/1.1 200 "
FAILURE = re.compile(rb"HTTP/1\.1 [45]")


class Around(NamedTuple):
    """What a server has around it.

    Args:
        folder: for its files.
        sink: address of a server that takes whatever is sent.
        redis: address of a Redis.
    """

    folder: Path
    sink: str
    redis: str


def alone(folder: Path) -> list[str]:
    """Arguments that serve iris."""
    return ["iris", "--model_dir", str(ARTIFACTS / "iris")]


def store(folder: Path) -> list[str]:
    """Arguments that serve iris from a store, where it is the only model."""
    versions = folder / "store" / "iris"
    versions.mkdir(parents=True)
    (versions / "1").symlink_to(ARTIFACTS / "iris")
    return ["--model_store", str(versions.parent), "--model_loading", "eager"]


class Feature(NamedTuple):
    """Something that can be turned on.

    Args:
        name: in the table.
        flags: that turn it on.
        model: arguments that say what is served; gets a folder for files.
    """

    name: str
    flags: Callable[[Around], Sequence[str]]
    model: Callable[[Path], Sequence[str]] = alone


def tokens(folder: Path) -> list[str]:
    """Flags that let only callers with the benchmark's token in."""
    path = folder / "tokens"
    path.write_text(line_of(TOKEN, "benchmark", "*"))
    return ["--token_digests_file", str(path)]


def limits(folder: Path) -> list[str]:
    """Flags that count each caller's requests, of which nobody sends too many."""
    return [*tokens(folder), "--client_requests_per_minute", "100000000"]


def request_log(folder: Path) -> list[str]:
    """Flags that log requests to a file; the share of them follows."""
    return ["--request_log_file", str(folder / "requests.jsonl"), "--request_log_sample_ratio"]


FEATURES = (
    Feature(OFF, lambda around: []),
    Feature("everything off, again", lambda around: []),  # what differs here is chance, or how a process lies in memory
    Feature("tokens", lambda around: tokens(around.folder)),
    Feature("tokens, limits in process", lambda around: limits(around.folder)),
    Feature("tokens, limits in Redis", lambda around: [*limits(around.folder), "--limits_url", around.redis]),
    Feature("a model store", lambda around: [], store),
    Feature("request log, 1% to a file", lambda around: [*request_log(around.folder), "0.01"]),
    Feature("request log, all to a file", lambda around: [*request_log(around.folder), "1"]),
    Feature("request log, all to an address", lambda around: ["--request_log_url", around.sink]),
    Feature("drift", lambda around: ["--drift_window_seconds", "3600"]),
    Feature("traces, of 1%", lambda around: ["--otlp_endpoint", around.sink, "--trace_sample_ratio", "0.01"]),
    Feature("traces, of all", lambda around: ["--otlp_endpoint", around.sink, "--trace_sample_ratio", "1"]),
)


class Turn(NamedTuple):
    """What one server did in one turn.

    Args:
        cpu: CPU time of a request, microseconds.
        p50: median latency of requests sent one by one, microseconds.
    """

    cpu: float
    p50: float


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a Redis until the block ends; gives its address.

    Raises:
        BenchError: it is not installed.
    """
    binary = find_redis()
    if binary is None:
        raise BenchError(
            "limits in Redis need redis-server, which is not installed; install it, or name it by REDIS_SERVER"
        )
    with tempfile.TemporaryDirectory() as folder:
        shared = RedisServer(Path(folder), binary)
        try:
            yield shared.url("redis")
        finally:
            shared.stop()


def server(feature: Feature, sink: str, redis_url: str) -> Server:
    """Iris with a feature turned on."""

    def command(ports: Ports, folder: Path) -> list[str]:
        serve = [sys.executable, "-m", "predictors", "serve", *feature.model(folder), "--log_format", "json"]
        where = ["--host", "127.0.0.1", "--http_port", str(ports.http), "--enable_grpc", "false"]
        off = ["--drift_window_seconds", "0"]  # unless the feature's own flags, which come later, turn it on
        return [*serve, *where, *off, *feature.flags(Around(folder, sink, redis_url))]

    # Its probes need no token.
    return Server(feature.name, "", "", (), command, "/v2/health/ready")


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of all threads so far, to the nanosecond: the first figure of each thread's schedstat."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def ask(connection: socket.socket, count: int) -> None:
    """Send that many requests at once, and wait for their answers.

    Raises:
        BenchError: one was not answered, or not with 200.
    """
    connection.sendall(REQUEST * count)
    answered, tail = 0, b""
    while answered < count:
        received = connection.recv(65536)
        heads = tail + received
        if not received or FAILURE.search(heads):
            raise BenchError(f"a request was not answered with 200: {heads.decode(errors='replace')}")
        answered += heads.count(OK)
        tail = heads[1 - len(OK) :]  # in which there may be a part of one


def turn(live: Live, requests: int) -> Turn:
    """Ask one server."""
    with socket.create_connection(("127.0.0.1", live.ports.http)) as connection:
        ask(connection, DEPTH)
        begun = cpu_seconds(live.process)
        for _ in range(requests // DEPTH):
            ask(connection, DEPTH)
        cpu = (cpu_seconds(live.process) - begun) / (requests // DEPTH * DEPTH)
        times = []
        for _ in range(max(1, requests // 4)):
            started = time.perf_counter()
            ask(connection, 1)
            times.append(time.perf_counter() - started)
        return Turn(cpu * 1e6, statistics.median(times) * 1e6)


def measure(rounds: int, requests: int, before: Path | None, say: Callable[[str], None]) -> dict[str, list[Turn]]:
    """What each server did, in each round."""
    first, *_, last = sorted(os.sched_getaffinity(0)) * 2
    os.sched_setaffinity(0, {last})
    with contextlib.ExitStack() as stack:
        sink = f"http://127.0.0.1:{stack.enter_context(web_server(_Sink))}"
        redis_url = stack.enter_context(redis())
        plans = [(feature, ROOT) for feature in FEATURES]
        if before is not None:
            check_import(before)
            plans.insert(1, (FEATURES[0]._replace(name=BEFORE), before))
        started: dict[str, Live] = {}
        for feature, checkout in plans:
            say(f"starting: {feature.name}")
            live = stack.enter_context(running(server(feature, sink, redis_url), first, checkout))
            turn(live, requests)  # until it is warm
            started[feature.name] = live
        found: dict[str, list[Turn]] = {name: [] for name in started}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for name in random.Random(number).sample([*started], len(started)):
                found[name].append(turn(started[name], requests))
    return found


def grid(found: dict[str, list[Turn]]) -> Grid:
    """The table."""

    def cells(name: str) -> Iterator[str]:
        turns = found[name]
        for figure in ("cpu", "p50"):
            values = [getattr(each, figure) for each in turns]
            off = [getattr(each, figure) for each in found[OFF]]
            yield f"{statistics.median(values):.0f}"
            yield f"{statistics.median(value / base for value, base in zip(values, off, strict=True)):.3f}"

    columns = ("server", "CPU, µs a request", "ratio", "p50, µs", "ratio")
    return Grid("one core, medians", columns, [(name, *cells(name)) for name in found])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each server (default: 15)")
    parser.add_argument("--requests", type=int, default=3200, help="requests of a turn (default: 3200)")
    parser.add_argument("--before", type=Path, help="a checkout of other code, to compare with everything off")
    options = parser.parse_args()
    try:
        found = measure(options.rounds, options.requests, options.before, progress())
    except BenchError as error:
        fail(str(error))
    show_grids([grid(found)], Console(width=100))


if __name__ == "__main__":
    main()
