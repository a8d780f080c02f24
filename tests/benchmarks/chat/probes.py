"""What is measured besides requests: memory bandwidth, the health endpoint, and the server's own counters."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator

import httpx
import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

POLLS_PER_SECOND = 50.0
STEP_SECONDS = "summarizer_step_seconds"
# Much larger than any processor's last-level cache.
_BANDWIDTH_BYTES = 2**30
_BANDWIDTH_PASSES = 8


def read_bandwidth(threads: int) -> float:
    """Bytes a second that these threads together read from memory; the best of several passes.

    Each thread takes the maximum of its own share of an array of 64-bit integers, 1 GiB in all. numpy computes it with
    vector instructions and without the GIL, so that it is bound by memory alone.
    """
    shares = np.array_split(np.ones(_BANDWIDTH_BYTES // 8, dtype=np.int64), threads)
    best = 0.0
    for _ in range(_BANDWIDTH_PASSES):
        workers = [threading.Thread(target=share.max) for share in shares]
        started = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, _BANDWIDTH_BYTES / (time.perf_counter() - started))
    return best


@contextlib.contextmanager
def health_poll(url: str) -> Iterator[list[float]]:
    """Poll ``/v2/health/live`` 50 times a second during the block; the list fills with the latencies, seconds.

    Latency counts from when a poll was due, so that a slow answer also counts for the polls that it delayed.
    """
    seconds: list[float] = []
    stop = threading.Event()
    address = httpx.URL(url)

    def poll() -> None:
        connection = http.client.HTTPConnection(address.host, address.port or 80, timeout=60)
        due = time.perf_counter()
        while not stop.is_set():
            connection.request("GET", "/v2/health/live")
            connection.getresponse().read()
            seconds.append(time.perf_counter() - due)
            due += 1 / POLLS_PER_SECOND
            stop.wait(max(0.0, due - time.perf_counter()))
        connection.close()

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        yield seconds
    finally:
        stop.set()
        poller.join()


class Disturbance:
    """How much CPU time other processes use from now on.

    Args:
        pid: the process that is measured; neither it nor this one is among the others.
    """

    def __init__(self, pid: int) -> None:
        self._own = (psutil.Process(pid), psutil.Process())
        self._started = time.monotonic(), self._others()

    def share(self) -> float:
        """Share of all cores that others have used so far, including other virtual machines (steal)."""
        started, before = self._started
        return max(0.0, self._others() - before) / (time.monotonic() - started) / (psutil.cpu_count() or 1)

    def _others(self) -> float:
        times = psutil.cpu_times()
        busy = times.user + times.system + times.nice + times.irq + times.softirq + times.steal
        return float(busy - sum(sum(process.cpu_times()[:2]) for process in self._own))


def step_seconds(url: str) -> dict[str, float]:
    """Seconds that the engine has spent in each part of its steps; empty if the server does not report them."""
    text = httpx.get(url + "/metrics").raise_for_status().text
    return {
        sample.labels["part"]: sample.value
        for family in text_string_to_metric_families(text)
        if family.name == STEP_SECONDS
        for sample in family.samples
        if sample.name.endswith("_total")
    }
