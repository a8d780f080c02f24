"""What the gateway and the pod add to the time of a request, beside the same server on this machine."""

import statistics
import time

import httpx
import pytest

from tests.cluster.conftest import Note
from tests.cluster.gateway import V1_BODIES, Gateway
from tests.cluster.release import Release
from tests.live import LiveServer

pytestmark = pytest.mark.cluster
REQUESTS = 500


def test_what_the_gateway_adds(gateway: Gateway, installed: Release, server: LiveServer, note: Note) -> None:
    """One request after the other, by turns here and there, so that what else the machine does slows both."""
    here: list[float] = []
    there: list[float] = []
    with httpx.Client(base_url=server.url, timeout=60) as local, gateway.rest("iris", installed.namespace) as remote:
        for _ in range(REQUESTS):
            here.append(milliseconds(local))
            there.append(milliseconds(remote))
    alone, added = statistics.median(here), statistics.median(there) - statistics.median(here)
    note(
        f"an iris request, median of {REQUESTS}: {alone:.2f} ms from the server alone; gateway and pod add {added:.2f} ms"
    )


def milliseconds(client: httpx.Client) -> float:
    """How long a request takes that is answered rightly."""
    begin = time.perf_counter()
    response = client.post("/v1/models/iris:predict", json=V1_BODIES["iris"])
    taken = time.perf_counter() - begin
    assert response.status_code == 200, response.text
    assert response.json()["labels"] == ["setosa"]
    return taken * 1000
