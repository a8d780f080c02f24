"""Starts, latency and memory of iris as Cloud Run and Cloud Functions run it, and the CPU time of a summary:
``make bench-elsewhere``.

The container is the image's own, with the environment and limits of deploy/cloud-run/service.yaml, through docker; the
function is Google's framework over the folder that is deployed. A round starts each once. The first latency includes
opening the connection, and of the function the model's loading. Latencies are those of one client that sends one
request after the other. With ``--write`` the figures go to docs/benchmarks/elsewhere.json, which `make costs` reads.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import psutil
import yaml
from rich.console import Console

from tests.benchmarks.output import Grid, fail, progress, show_grids
from tests.functions import free_port, serve_function, write_folder
from tests.live import ARTIFACTS, JSON, ROOT, serve, wait_for

FIGURES = ROOT / "docs/benchmarks/elsewhere.json"
SERVICE = ROOT / "deploy/cloud-run/service.yaml"
DOCUMENTS = ROOT / "tests/eval/set"
BODY = json.dumps({"features": [5.1, 3.5, 1.4, 0.2]}).encode()
# Where the kernel keeps the most memory that a container has had: cgroup v2 and v1.
PEAK = "cat /sys/fs/cgroup/memory.peak 2>/dev/null || cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes"


class Round(NamedTuple):
    """One start and what followed.

    Args:
        ready: until requests are taken, seconds.
        cpu: CPU time until the first request is answered, seconds; about the same on a busy machine.
        first: latency of the first request, milliseconds.
        warm: median latency of those that followed, milliseconds.
        worst: their 99th percentile, milliseconds.
        memory: MB: the most that there was (container), or the processes' share at the end (function).
        stop: from SIGTERM to the end, seconds.
    """

    ready: float
    cpu: float
    first: float
    warm: float
    worst: float
    memory: float
    stop: float


def latencies(url: str, requests: int) -> list[float]:
    """Latencies of requests to ``/predict``, one after the other, milliseconds."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    found = []
    for _ in range(requests):
        begun = time.perf_counter()
        connection.request("POST", "/predict", BODY, JSON)
        answer = connection.getresponse()
        answer.read()
        found.append((time.perf_counter() - begun) * 1000)
        assert answer.status == 200, answer.status
    connection.close()
    return found


def docker(*arguments: str) -> str:
    result = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        fail(f"docker {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def container(image: str, requests: int) -> Round:
    """Start the image as Cloud Run does, ask it, and end it."""
    [spec] = yaml.safe_load(SERVICE.read_text())["spec"]["template"]["spec"]["containers"]
    port = free_port()
    names = {"PORT": str(port), "K_SERVICE": "iris", "K_REVISION": "iris-00001-abc", "K_CONFIGURATION": "iris"}
    environment = names | {entry["name"]: entry["value"] for entry in spec["env"]}
    limits = spec["resources"]["limits"]
    flags = [f"--env={name}={value}" for name, value in environment.items()]
    flags += [f"--cpus={limits['cpu']}", f"--memory={limits['memory'].removesuffix('i').lower()}", "--network=host"]
    begun = time.monotonic()
    name = docker("run", "--detach", *flags, image)
    try:
        url = f"http://127.0.0.1:{port}"
        probe = url + spec["startupProbe"]["httpGet"]["path"]
        wait_for(lambda: httpx.get(probe).is_success, "the container")
        ready = time.monotonic() - begun
        [first] = latencies(url, 1)
        ticks = docker("exec", name, "cat", "/proc/1/stat").rpartition(")")[2].split()[11:13]  # proc(5): utime, stime
        cpu = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        warm = latencies(url, requests)
        memory = int(docker("exec", name, "sh", "-c", PEAK)) / 1e6
        begun = time.monotonic()
        docker("stop", "--time", "10", name)
        stop = time.monotonic() - begun
        status = docker("inspect", "--format", "{{.State.ExitCode}}", name)
        assert status == "0", f"the container ended with status {status}"
    finally:
        docker("rm", "--force", name)
    return Round(ready, cpu, first, statistics.median(warm), percentile(warm), memory, stop)


def function(requests: int) -> Round:
    """Start the function as its platform does, ask it, and end it."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        with serve_function(write_folder(Path(folder), ARTIFACTS / "iris")) as live:
            ready = time.monotonic() - begun
            [first] = latencies(live.url, 1)
            process = psutil.Process(live.pid)
            family = [process, *process.children(recursive=True)]
            cpu = sum(sum(each.cpu_times()[:2]) for each in family)
            warm = latencies(live.url, requests)
            memory = sum(each.memory_full_info().pss for each in family) / 1e6
            begun = time.monotonic()
        stop = time.monotonic() - begun
    return Round(ready, cpu, first, statistics.median(warm), percentile(warm), memory, stop)


def percentile(values: list[float]) -> float:
    """The 99th."""
    return statistics.quantiles(values, n=100)[-1]


def summarizer_seconds(mode: str) -> float:
    """The server's CPU time for a summary, seconds: the mean over the documents of `make eval`."""
    texts = [path.read_text() for path in sorted(DOCUMENTS.glob("*/document.*"))]
    with serve("summarizer", "--cache", "off", "--request_timeout_seconds", "600") as live:
        live.wait_ready()
        process = psutil.Process(live.process.pid)
        before = process.cpu_times()
        for text in texts:
            asked = {"instances": [text], "parameters": {"mode": mode}}
            httpx.post(f"{live.url}/v1/models/summarizer:predict", json=asked, timeout=600).raise_for_status()
        after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / len(texts)


def medians(measure: Callable[[], Round], rounds: int) -> Round:
    return Round(*map(statistics.median, zip(*(measure() for _ in range(rounds)), strict=True)))


def grid(found: dict[str, Round]) -> Grid:
    """The table of the figures."""
    columns = (
        "iris as",
        "ready, s",
        "CPU time of the start, s",
        "first, ms",
        "warm p50, ms",
        "warm p99, ms",
        "memory, MB",
        "SIGTERM to end, s",
    )
    rows = [
        (
            name,
            f"{r.ready:.2f}",
            f"{r.cpu:.2f}",
            f"{r.first:.1f}",
            f"{r.warm:.2f}",
            f"{r.worst:.2f}",
            f"{r.memory:.0f}",
            f"{r.stop:.2f}",
        )
        for name, r in found.items()
    ]
    return Grid("medians", columns, rows)


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="docker.io/kserve-predictors/iris:0.1.0", help="image of iris")
    parser.add_argument("--rounds", type=int, default=5, help="starts of each (default: 5)")
    parser.add_argument("--requests", type=int, default=500, help="requests of each round (default: 500)")
    parser.add_argument(
        "--modes", nargs="*", default=["fast"], help="of summaries (default: fast); none leaves them out"
    )
    parser.add_argument("--write", action="store_true", help=f"also write {FIGURES.relative_to(ROOT)}")
    options = parser.parse_args(None if arguments is None else list(arguments))
    say = progress()
    found = {}
    say("the container")
    found["container"] = medians(lambda: container(options.image, options.requests), options.rounds)
    say("the function")
    found["function"] = medians(lambda: function(options.requests), options.rounds)
    show_grids([grid(found)], Console(width=120))
    summaries = {}
    for mode in options.modes:
        say(f"summaries, mode {mode}")
        summaries[mode] = summarizer_seconds(mode)
        print(f"a summary, mode {mode}: {summaries[mode]:.2f} s of CPU time")
    if options.write:
        figures: dict[str, Any] = {name: each._asdict() for name, each in found.items()}
        FIGURES.write_text(json.dumps({**figures, "summary_cpu_seconds": summaries}, indent=2) + "\n")


if __name__ == "__main__":
    main()
