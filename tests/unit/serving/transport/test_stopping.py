"""Stopping a listener: running requests are finished within the grace period, and nothing else delays the end."""

import asyncio

import pytest

from predictors.serving.protocols.http import Receive, Scope, Send
from tests.unit.serving.transport.client import get, post, turns, until
from tests.unit.serving.transport.logged import Logged
from tests.unit.serving.transport.loopback import Loopback
from tests.unit.serving.transport.scripted import Scripted

LONG = 60.0


def never() -> bool:
    return False


async def check_closed(loopback: Loopback) -> None:
    """Check that no new connection is accepted."""
    with pytest.raises(ConnectionError):
        async with loopback.client():
            pass


def test_requests_in_flight_are_finished(logged: Logged) -> None:
    async def scenario() -> None:
        async with (
            logged.loopback.client() as waiting,
            logged.loopback.client() as sending,
            logged.loopback.client() as idle,
        ):
            await waiting.send(get("/wait"))
            await sending.send(post("/a", 4) + b"bo")
            await turns()
            stopping = asyncio.create_task(logged.loopback.listener.stop(LONG, never))
            assert await idle.rest() == b""
            await check_closed(logged.loopback)
            await sending.send(b"dy")
            answer = await sending.answer()
            assert (answer.asked, answer.closes) == (("POST", "/a", b"body"), True)
            assert not stopping.done()
            logged.app.gate.set()
            answer = await waiting.answer()
            assert (answer.body, answer.closes) == (b"waited", True)
            await stopping
            assert await waiting.rest() == await sending.rest() == b""
        assert logged.app.cancelled == []
        await until(lambda: logged.statuses() == {"/a": "200", "/wait": "200"})

    logged.loopback.run(scenario())


def test_requests_are_cancelled_with_503_after_the_grace_period(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait"))
            await logged.loopback.listener.stop(0.1, never)
            assert logged.app.cancelled == ["/wait"]
            answer = await client.answer()
            assert (answer.status, answer.closes) == (503, True)
            assert answer.body == b'{"error":"the server ended before the answer was ready"}'
            assert await client.rest() == b""
        await until(lambda: logged.statuses() == {"/wait": "503"})

    logged.loopback.run(scenario())


def test_hurry_ends_the_grace_period(logged: Logged) -> None:
    hurried = False

    async def scenario() -> None:
        nonlocal hurried
        async with logged.loopback.client() as client:
            await client.send(get("/wait"))
            stopping = asyncio.create_task(logged.loopback.listener.stop(LONG, lambda: hurried))
            await turns(100)
            assert not logged.app.cancelled
            hurried = True
            await stopping
            assert (await client.answer()).status == 503

    logged.loopback.run(scenario())


def test_unanswered_pipelined_requests_are_logged(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait") + get("/a"))
            stopping = asyncio.create_task(logged.loopback.listener.stop(LONG, never))
            await turns()
            logged.app.gate.set()
            answer = await client.answer()
            assert (answer.body, answer.closes) == (b"waited", True)
            await stopping
            assert await client.rest() == b""
        assert [(call.path, call.code) for call in logged.loopback.refused] == [("/a", "499")]
        await until(lambda: logged.statuses() == {"/wait": "200"})

    logged.loopback.run(scenario())


def test_the_rest_of_a_refused_body_is_not_waited_for() -> None:
    """The client may miss the refusal, but the server must not wait for it."""

    async def scenario() -> None:
        async with loopback.client() as client:
            await client.send(post("/refuse-later", 10))
            stopping = asyncio.create_task(loopback.listener.stop(LONG, never))
            await turns()
            app.gate.set()
            answer = await client.answer()
            assert (answer.status, answer.closes) == (404, True)
            assert await client.rest() == b""
            await stopping

    app = Scripted()
    with Loopback(app, head_timeout_seconds=10 * LONG) as loopback:
        loopback.run(scenario())


async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
    """Ignores cancellation."""
    for _ in range(2):
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize("request_", [get("/stubborn"), get("/large"), b"GET / HTTP/1.1\r\n", post("/never-read", 10)])
def test_nothing_delays_the_end(request_: bytes) -> None:
    """Neither a request that ignores cancellation, nor a client that stops reading or sending."""

    async def scenario() -> None:
        async with loopback.client(receive_buffer=4096) as client:
            client.transport.pause_reading()
            await client.send(request_)
            await turns(20)
            await loopback.listener.stop(0.05, never)
            await until(lambda: not loopback.open)

    with Loopback(Scripted(stubborn=stubborn)) as loopback:
        loopback.run(scenario())
