"""The limit of request bytes held in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from predictors.serving.protocols.http import Request, Response
from tests.unit.serving.app.harness import Harness, run

LIMIT = 10_000
TOO_MUCH = {"error": "the server holds too much unread data; try again in 1 s"}


def held(harness: Harness) -> int:
    return int(harness.value("http_request_bytes_held"))


async def read(request: Request) -> Response:
    return Response(200, b"%d" % len(await request.body()))


async def parts(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield bytes(size)


@pytest.mark.parametrize(
    ("sizes", "status"), [((LIMIT,), 200), ((4000, 6000), 200), ((4000, 6001), 429), ((10_001,), 429)]
)
def test_a_body_beyond_the_limit_is_refused(sizes: tuple[int, ...], status: int) -> None:
    harness = Harness(read, max_held_bytes=LIMIT)
    answer = harness.ask("POST", "/read", content=parts(*sizes))
    assert answer.status_code == status
    if status == 429:
        assert answer.json() == TOO_MUCH
        assert answer.headers["retry-after"] == "1"
    assert held(harness) == 0


def test_held_bytes_are_shared_by_all_requests_in_flight() -> None:
    gate = asyncio.Event()

    async def wait(request: Request) -> Response:
        body = await request.body()
        await gate.wait()
        return Response(200, b"%d" % len(body))

    async def scenario() -> None:
        async with harness.client() as client:
            first = asyncio.create_task(client.post("/wait", content=bytes(6000)))
            while held(harness) != 6000:
                await asyncio.sleep(0)
            refused = await client.post("/wait", content=bytes(4001))
            assert (refused.status_code, refused.json()) == (429, TOO_MUCH)
            assert held(harness) == 6000
            second = asyncio.create_task(client.post("/wait", content=bytes(4000)))
            while held(harness) != 10_000:
                await asyncio.sleep(0)
            gate.set()
            assert [(await each).text for each in (first, second)] == ["6000", "4000"]
            assert held(harness) == 0
            assert (await client.post("/wait", content=bytes(LIMIT))).status_code == 200

    harness = Harness(wait, max_held_bytes=LIMIT)
    run(scenario())


def test_held_bytes_are_released_after_failures_and_disconnects() -> None:
    async def fail(request: Request) -> Response:
        await request.body()
        raise RuntimeError("unforeseen")

    harness = Harness(read, fail, max_held_bytes=LIMIT)
    assert harness.ask("POST", "/fail", content=bytes(6000)).status_code == 500
    assert held(harness) == 0
    part = {"type": "http.request", "body": bytes(6000), "more_body": True}
    run(harness.call("/read", part, {"type": "http.disconnect"}))
    assert held(harness) == 0
    assert [line["status"] for line in harness.lines] == ["500", "499"]


def test_the_limit_of_a_single_body() -> None:
    harness = Harness(read, max_body_bytes=2000)
    message = {"error": "the body is too large; at most 2000 bytes are allowed"}
    for content in (bytes(2001), parts(1000, 1001)):
        answer = harness.ask("POST", "/read", content=content)
        assert (answer.status_code, answer.json()) == (413, message)
    assert harness.ask("POST", "/read", content=bytes(2000)).status_code == 200
    assert held(harness) == 0
