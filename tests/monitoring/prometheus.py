"""A real Prometheus that scrapes what a test names."""

import math
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.live import PATIENCE_SECONDS
from tests.programs import program
from tests.waiting import until

# Often, so that tests need not wait; and the window that rates look at, which holds many scrapes.
_SCRAPE, RATE_WINDOW = "1s", "1m"


class Prometheus:
    """A running Prometheus, by its HTTP API."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series of an instant query that have a number; fails with Prometheus' own text where it is no PromQL."""
        answer = self._http.get("/api/v1/query", params={"query": expr}).json()
        assert answer["status"] == "success", f"{expr}\n{answer.get('error')}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return [each for each in found if math.isfinite(float(each["value"][1]))]


@contextmanager
def prometheus(directory: Path, targets: Sequence[str]) -> Iterator[Prometheus]:
    """Run Prometheus until the block ends.

    Args:
        directory: for its configuration and its data.
        targets: HOST:PORT of each /metrics.
    """
    configuration = directory / "prometheus.yaml"
    jobs = [{"job_name": "predictors", "static_configs": [{"targets": [*targets]}]}]
    configuration.write_text(yaml.safe_dump({"global": {"scrape_interval": _SCRAPE}, "scrape_configs": jobs}), "utf-8")
    process = subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={directory / 'data'}",
            "--web.listen-address=127.0.0.1:0",
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stderr.readline, "")), daemon=True)  # type: ignore[union-attr]  # it is piped
    reader.start()

    def listening() -> str:
        assert process.poll() is None, "".join(lines)
        return next((found[1] for found in (re.search(r"Listening on.* address=(\S+)", x) for x in lines) if found), "")

    try:
        url = "http://" + until(listening, "Prometheus to listen", pause=0.05)
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as http:
            yield Prometheus(http)
    finally:
        process.terminate()
        process.wait()
        reader.join()
        process.stderr.close()  # type: ignore[union-attr]
