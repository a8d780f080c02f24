"""Servers that tests share, and the artifacts they serve."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests.live import ARTIFACTS, LiveServer, serve

# Shared machines are slow at times, and a gate must give the same answer twice.
settings.register_profile("gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gate")


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The trained artifacts; `make test` sees to it that they are there."""
    missing = [kind for kind in ("iris", "intent", "summarizer") if not (ARTIFACTS / kind / "manifest.json").exists()]
    assert not missing, f"artifacts/ lacks {missing}: run `make artifacts`"
    return ARTIFACTS


@pytest.fixture(scope="session")
def server(artifacts: Path) -> Iterator[LiveServer]:
    """Iris and intent in one process."""
    with serve("iris", "intent") as live:
        yield live.wait_ready()


@pytest.fixture(scope="session")
def summarizer(artifacts: Path) -> Iterator[LiveServer]:
    """The summarizer with the real model."""
    with serve("summarizer", "--request_timeout_seconds", "300") as live:
        yield live.wait_ready()


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """A client of the shared server."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
