"""How a listener ends: what runs is finished, within bounds, and nothing else holds it up."""

import asyncio

import pytest

from predictors.serving.protocols.http import Receive, Scope, Send
from tests.unit.serving.transport.logged import Logged
from tests.unit.serving.transport.loopback import Loopback, get, post, turns, until
from tests.unit.serving.transport.scripted import Scripted

LONG = 60.0


def never() -> bool:
    return False


async def check_closed(loopback: Loopback) -> None:
    """No connection is taken any more."""
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


def test_what_outlasts_the_grace_is_cancelled_and_told_so(logged: Logged) -> None:
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


def test_a_wait_that_is_hurried_ends(logged: Logged) -> None:
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


def test_pipelined_requests_behind_the_last_answer_are_accounted_for(logged: Logged) -> None:
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


async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
    """Takes no notice of being cancelled."""
    for _ in range(2):
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize("request_", [get("/stubborn"), get("/large"), b"GET / HTTP/1.1\r\n", post("/never-read", 10)])
def test_nothing_holds_up_the_end(request_: bytes) -> None:
    """A request that cannot be cancelled, a client that takes nothing, one that sends half a head or half a body."""

    async def scenario() -> None:
        async with loopback.client(receive_buffer=4096) as client:
            client.transport.pause_reading()
            await client.send(request_)
            await turns(20)
            await loopback.listener.stop(0.05, never)
            await until(lambda: not loopback.open)

    with Loopback(Scripted(stubborn=stubborn)) as loopback:
        loopback.run(scenario())
