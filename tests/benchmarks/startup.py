"""How long a cold start takes and how much memory the server then holds: ``make bench-startup``.

Each round starts a new process and ends after one answered request per model. Seconds count from the start of the
process; memory is the resident set after those requests.
"""

import argparse
import statistics
import time

import httpx
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.live import serve

REQUESTS = {
    "iris": [[5.1, 3.5, 1.4, 0.2]],
    "intent": ["where is my parcel"],
    "summarizer": ["You agree to pay 9 euros a month. You can cancel with 30 days of notice."],
}
COMBINATIONS = (("iris", "intent"), ("summarizer",), ("iris", "intent", "summarizer"))


def measure(models: tuple[str, ...]) -> tuple[float, float, float]:
    """Start once: seconds until the port is open, seconds until all models are ready, MB resident."""
    started = time.monotonic()
    with serve(*models) as live:
        is_open = time.monotonic() - started
        live.wait_ready()
        ready = time.monotonic() - started
        for model in models:
            httpx.post(
                f"{live.url}/v1/models/{model}:predict", json={"instances": REQUESTS[model]}, timeout=300
            ).raise_for_status()
        return is_open, ready, psutil.Process(live.process.pid).memory_info().rss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts per combination of models (default: 5)")
    rounds = parser.parse_args().rounds
    table = Table(
        "models", "port open, s", "ready, s", "slowest, s", "memory, MB", title=f"medians of {rounds} cold starts"
    )
    for models in COMBINATIONS:
        results = [measure(models) for _ in track(range(rounds), " + ".join(models), console=Console(stderr=True))]
        is_open, ready, memory = (statistics.median(column) for column in zip(*results, strict=True))
        slowest = max(result[1] for result in results)
        table.add_row(" + ".join(models), f"{is_open:.2f}", f"{ready:.2f}", f"{slowest:.2f}", f"{memory:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
