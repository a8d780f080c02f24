"""Each inference request is counted exactly once, however it ends; other requests are not counted."""

import asyncio

import pytest

from predictors.serving.protocols.http import Request, Response
from tests.unit.serving.app.harness import Harness, run

SECONDS = "model_request_latency_seconds"


async def infer(request: Request) -> Response:
    request.model, request.version = "m", "2"
    await asyncio.sleep(float(request.headers.get(b"x-seconds", b"0")))
    return Response(200, b"answer")


def test_the_time_runs_until_the_answer_is_sent() -> None:
    harness = Harness(infer)
    for seconds in ("0", "0.02"):
        assert harness.ask("POST", "/infer", headers={"x-seconds": seconds}).status_code == 200
    labels = {"model_name": "m", "model_version": "2", "protocol": "test"}
    assert harness.counted() == {("m", "2", "test", "200"): 2}
    assert harness.value(f"{SECONDS}_count", **labels) == 2
    assert 0.02 <= harness.value(f"{SECONDS}_sum", **labels) < 60


@pytest.mark.parametrize("path", ["/infer", "/nowhere"])
def test_only_inference_is_counted(path: str) -> None:
    harness = Harness(infer, protocol="")
    harness.ask("POST", path)
    assert harness.counted() == {}
    assert len(harness.lines) == 1


def test_codes_are_counted_apart() -> None:
    async def refuse(request: Request) -> Response:
        raise RuntimeError("unforeseen")

    harness = Harness(infer, refuse)
    for path in ("/infer", "/refuse", "/infer"):
        harness.ask("POST", path)
    assert harness.counted() == {("m", "2", "test", "200"): 2, ("", "", "test", "500"): 1}


def test_servers_do_not_share_metrics() -> None:
    first, second = Harness(infer), Harness(infer)
    first.ask("POST", "/infer")
    run(second.call("/infer", {"type": "http.request"}))
    run(second.call("/infer", {"type": "http.request"}))
    assert list(first.counted().values()) == [1]
    assert list(second.counted().values()) == [2]
