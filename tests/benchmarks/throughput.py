"""Requests a second on one core, side by side with other servers: ``make bench-throughput``.

Every server runs pinned to one core, wrk on another, with as many connections as ``--connections``. Rounds are
interleaved, so that what else the machine does falls on all of them; medians are shown, with the spread. Needs wrk
(``apt-get install wrk``).
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.live import ARTIFACTS, ROOT, wait_for

PEERS = ROOT / "tests/benchmarks/peers"
ROWS = {"iris": [[5.1, 3.5, 1.4, 0.2]], "intent": ["where is my parcel it should have been here on monday"]}


class Case(NamedTuple):
    """One server answering one kind of request."""

    server: str
    model: str
    protocol: str

    @property
    def path(self) -> str:
        return f"/v2/models/{self.model}/infer" if self.protocol == "V2" else f"/v1/models/{self.model}:predict"

    @property
    def body(self) -> str:
        rows = ROWS[self.model]
        if self.protocol == "V1":
            return json.dumps({"instances": rows})
        shape, datatype = ([1, 4], "FP32") if self.model == "iris" else ([1], "BYTES")
        return json.dumps({"inputs": [{"name": "x", "shape": shape, "datatype": datatype, "data": rows}]})


class Result(NamedTuple):
    """What wrk reported: requests a second, and the 99th percentile of the latency in ms."""

    rate: float
    p99: float


CASES = (
    Case("bare ASGI", "iris", "V1"),
    Case("kserve-predictors", "iris", "V1"),
    Case("kserve-predictors", "iris", "V2"),
    Case("kserve-predictors", "intent", "V1"),
    Case("stock KServe", "iris", "V1"),
    Case("stock KServe", "intent", "V1"),
    Case("FastAPI", "iris", "V1"),
    Case("FastAPI", "intent", "V1"),
)


def command(server: str, port: int) -> list[str]:
    """How a server is started."""
    if server == "kserve-predictors":
        arguments = [
            "serve",
            "iris",
            "intent",
            "--host",
            "127.0.0.1",
            "--http_port",
            str(port),
            "--enable_grpc",
            "false",
        ]
        return [sys.executable, "-m", "predictors", *arguments, "--log_format", "json"]
    script = {"bare ASGI": "bare_asgi.py", "stock KServe": "stock_kserve.py", "FastAPI": "plain_fastapi.py"}[server]
    return [sys.executable, str(PEERS / script), str(port), str(ARTIFACTS)]


@contextlib.contextmanager
def running(server: str, core: int) -> Iterator[int]:
    """Run a server pinned to a core; its logs go to a file, as a container's do."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as log:
        pinned = ["taskset", "-c", str(core), *command(server, port)]
        process = subprocess.Popen(pinned, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_for(lambda: answers(port), server)
            yield port
        finally:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    case = Case("", "intent", "V1")
    return httpx.post(
        f"http://127.0.0.1:{port}{case.path}", content=case.body, headers={"content-type": "application/json"}
    ).is_success


def load(case: Case, port: int, core: int, seconds: float, connections: int) -> Result:
    """Have wrk send requests for some seconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            f'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.body = {json.dumps(case.body)}\n'
        )
        script.flush()
        arguments = [
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            script.name,
            f"http://127.0.0.1:{port}{case.path}",
        ]
        output = subprocess.run(
            ["taskset", "-c", str(core), "wrk", *arguments], capture_output=True, text=True, check=True
        ).stdout
    assert "Non-2xx" not in output, output
    value, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", output)[0]
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", output)[0])
    return Result(rate, float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each case is measured (default: 3)")
    parser.add_argument("--seconds", type=int, default=4, help="how long each time (default: 4)")
    parser.add_argument("--connections", type=int, default=16, help="connections that wrk keeps busy (default: 16)")
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("wrk is not installed: apt-get install wrk")
    cores = sorted(os.sched_getaffinity(0))
    results: dict[Case, list[Result]] = {case: [] for case in CASES}
    rounds = [(server, _) for _ in range(options.rounds) for server in dict.fromkeys(case.server for case in CASES)]
    for server, _ in track(rounds, "measuring", console=Console(stderr=True)):
        with running(server, cores[0]) as port:
            for case in (case for case in CASES if case.server == server):
                load(case, port, cores[-1], 1, options.connections)  # warm-up
                time.sleep(0.2)
                results[case].append(load(case, port, cores[-1], options.seconds, options.connections))
    show(results, options.rounds)
    if options.json:
        options.json.write_text(
            json.dumps([{**case._asdict(), "results": found} for case, found in results.items()], indent=2) + "\n"
        )


def show(results: dict[Case, list[Result]], rounds: int) -> None:
    """Print a table; the last columns compare each case with its peers on the same model."""
    rate = {case: statistics.median(result.rate for result in found) for case, found in results.items()}
    ceiling = rate[CASES[0]]
    table = Table("server", "model", "protocol", "requests/s", "spread", "p99, ms", "of bare ASGI", "of stock KServe", "of FastAPI",
                  title=f"one core, medians of {rounds} rounds")  # fmt: skip
    for case, found in results.items():
        rates = [result.rate for result in found]
        spread = f"{min(rates):.0f} to {max(rates):.0f}"
        p99 = statistics.median(result.p99 for result in found)
        ratios = [
            rate[case] / ceiling,
            *(rate[case] / rate[Case(peer, case.model, "V1")] for peer in ("stock KServe", "FastAPI")),
        ]
        cells = [f"{ratios[0]:.2f}", *(f"{ratio:.1f}x" for ratio in ratios[1:])]
        table.add_row(case.server, case.model, case.protocol, f"{rate[case]:.0f}", spread, f"{p99:.1f}", *cells)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
