"""Servers that tests share, and the artifacts they serve."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path, PosixPath

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests.live import ARTIFACTS, LiveServer, require_artifact, serve

# No deadline, since machines may be busy; no random examples, so that two runs give the same result.
settings.register_profile("gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gate")


class Artifacts(PosixPath):
    """The artifacts directory; a model's artifact must exist once a test names it."""

    def __truediv__(self, key: str | PathLike[str]) -> Path:  # type: ignore[override]  # of this class alone
        require_artifact(Path(key).parts[0])
        return ARTIFACTS / key


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The artifacts directory, as `make artifacts` fills it."""
    return Artifacts(ARTIFACTS)


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
