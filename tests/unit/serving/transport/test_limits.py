"""How long clients may take, and how many of them there may be."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from predictors.serving.protocols.http import Receive, Scope, Send
from predictors.serving.transport.connection import Connection
from predictors.serving.transport.connections import Watched
from tests.unit.serving.transport.loopback import Client, Loopback, get, post, respond, turns, until
from tests.unit.serving.transport.scripted import LARGE, Scripted

SMALL, MEDIUM = 4000, 160_000
KERNEL_BUFFER = 4096


async def small(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, bytes(SMALL))


async def medium(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, bytes(MEDIUM))


@pytest.fixture
def app() -> Scripted:
    return Scripted(small=small, medium=medium)


@pytest.fixture
def hurried(app: Scripted) -> Iterator[Loopback]:
    """A listener that waits for a moment only, unless nothing is under way."""
    limits = {"head_timeout_seconds": 0.2, "write_timeout_seconds": 0.2, "keep_alive_seconds": 60}
    with Loopback(app, send_buffer=KERNEL_BUFFER, **limits) as running:
        yield running


async def check_answer(client: Client) -> None:
    await client.send(get("/a"))
    assert (await client.answer()).status == 200


# Clients that are slow to send.


@pytest.mark.parametrize("head", [b"G", b"\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n"])
@pytest.mark.parametrize("before", [b"", get("/a")], ids=["first", "second"])
def test_a_head_that_does_not_arrive_in_time(hurried: Loopback, before: bytes, head: bytes) -> None:
    async def scenario() -> None:
        async with hurried.client() as client:
            await client.send(before, head)
            if before:
                assert (await client.answer()).status == 200
            answer = await client.answer()
            assert (answer.status, answer.closes) == (408, True)
            assert answer.body == b'{"error":"the request\'s head did not arrive within 0.2 s"}'
            assert await client.rest() == b""

    hurried.run(scenario())
    assert hurried.ended("head_timeout") == 1
    assert [call.code for call in hurried.refused] == ["408"]


def test_a_head_of_a_byte_at_a_time(hurried: Loopback) -> None:
    async def scenario() -> None:
        async with hurried.client() as client:
            await client.send(b"GET / HTTP/1.1\r\nx-slow: ")
            while not client.ended:
                await client.send(b"a")
            assert (await client.answer()).status == 408

    hurried.run(scenario())


@pytest.mark.parametrize("header", [(), ("connection: close",)], ids=["keep-alive", "close"])
def test_the_rest_of_a_refused_body_is_not_waited_for(hurried: Loopback, header: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with hurried.client() as client:
            await client.send(post("/never-read", 10, *header))
            assert (await client.answer()).status == 404
            assert await client.rest() == b""

    hurried.run(scenario())
    assert hurried.ended("head_timeout") == 1
    assert hurried.refused == []


def test_an_idle_connection_is_closed_and_a_waiting_one_is_not(app: Scripted) -> None:
    async def scenario() -> None:
        async with loopback.client() as idle, loopback.client() as silent, loopback.client() as waiting:
            await waiting.send(get("/wait"))
            await check_answer(idle)
            assert await idle.rest() == await silent.rest() == b""
            assert not waiting.ended
            app.gate.set()
            assert (await waiting.answer()).body == b"waited"

    with Loopback(app, keep_alive_seconds=1) as loopback:
        loopback.run(scenario())
        assert loopback.refused == []


# Clients that do not take their answers.


async def only_connection(loopback: Loopback) -> Connection:
    await until(lambda: loopback.open)
    (connection,) = loopback.connections.state.connections
    assert isinstance(connection, Connection)
    return connection


async def stall(loopback: Loopback, client: Client) -> Connection:
    """Have small answers sent to a client that takes none, until the server has to keep one; gives its connection."""
    connection = await only_connection(loopback)
    client.transport.pause_reading()
    while not connection.unsent:
        await client.send(get("/small"))
        await turns(10)
    assert connection.unsent <= SMALL + 1000
    return connection


async def check_dropped(loopback: Loopback, client: Client) -> None:
    """The server drops the connection, for the reason that its client takes nothing."""
    await until(lambda: not loopback.open)
    assert loopback.ended("write_timeout") == 1
    client.transport.resume_reading()
    await client.rest()


def test_a_client_that_takes_nothing_of_a_large_answer(hurried: Loopback) -> None:
    async def scenario() -> None:
        async with hurried.client(receive_buffer=KERNEL_BUFFER) as client:
            client.transport.pause_reading()
            await client.send(get("/large"))
            await check_dropped(hurried, client)

    hurried.run(scenario())


def test_a_client_that_takes_nothing_of_a_small_answer(hurried: Loopback) -> None:
    async def scenario() -> None:
        async with hurried.client(receive_buffer=KERNEL_BUFFER) as client:
            await stall(hurried, client)
            await check_dropped(hurried, client)

    hurried.run(scenario())


def test_a_client_that_takes_most_of_an_answer_and_then_nothing(hurried: Loopback) -> None:
    async def scenario() -> None:
        async with hurried.client(receive_buffer=KERNEL_BUFFER) as client:
            client.transport.pause_reading()
            await client.send(get("/medium"))
            connection = await only_connection(hurried)
            await until(lambda: connection.unsent)
            while connection.unsent > MEDIUM / 10:
                client.transport.resume_reading()
                await turns(1)
                client.transport.pause_reading()
            assert connection.unsent > 0
            await check_dropped(hurried, client)

    hurried.run(scenario())


@pytest.mark.parametrize(
    "last", [get("/small", "connection: close"), get("/a", version="1.0"), b"garbage\r\n\r\n", b"GET"]
)
def test_a_client_that_does_not_take_its_last_answer(hurried: Loopback, last: bytes) -> None:
    async def scenario() -> None:
        async with hurried.client(receive_buffer=KERNEL_BUFFER) as client:
            await stall(hurried, client)
            await client.send(last)
            await check_dropped(hurried, client)

    hurried.run(scenario())


def test_a_client_that_takes_its_answer_slowly_is_not_dropped(app: Scripted) -> None:
    async def scenario() -> None:
        async with loopback.client() as client:
            begun = time.monotonic()
            await client.send(get("/large"))
            while time.monotonic() < begun + 0.5:
                client.transport.resume_reading()
                await turns(1)
                client.transport.pause_reading()
                await asyncio.sleep(0.005)
            client.transport.resume_reading()
            assert len((await client.answer()).body) == LARGE
            await check_answer(client)

    with Loopback(app, write_timeout_seconds=0.2) as loopback:
        loopback.run(scenario())
        assert loopback.ended("write_timeout") == 0


# Many clients.


def test_for_one_more_connection_the_one_that_was_idle_for_the_longest_makes_room(app: Scripted) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            first, second, third = [await stack.enter_async_context(loopback.client()) for _ in range(3)]
            for client in (second, third, first, third):
                await check_answer(client)
            for oldest in (second, first, third):
                await check_answer(await stack.enter_async_context(loopback.client()))
                assert await oldest.rest() == b""
                assert loopback.open == 3

    with Loopback(app, max_connections=3) as loopback:
        loopback.run(scenario())
        assert loopback.ended("evicted") == 3
        assert loopback.ended("refused") == 0


@pytest.mark.parametrize("busy", [get("/wait"), b"GET", post("/a", 10), post("/never-read", 10)])
def test_where_none_is_idle_one_more_connection_is_refused(app: Scripted, busy: bytes) -> None:
    async def scenario() -> None:
        async with loopback.client() as client, loopback.client() as other:
            await client.send(busy)
            await check_answer(other)
            await other.send(busy)
            async with loopback.client() as refused:
                answer = await refused.answer()
                assert (answer.status, answer.headers["retry-after"], answer.closes) == (503, "1", True)
                assert answer.body == b'{"error":"the server has too many connections; try again later"}'
                assert await refused.rest() == b""
            assert not client.ended
            assert not other.ended

    with Loopback(app, max_connections=2) as loopback:
        loopback.run(scenario())
        assert loopback.ended("refused") == 1
        assert [call.code for call in loopback.refused] == ["503"]


def test_a_connection_whose_client_has_an_answer_to_take_does_not_make_room_until_it_has(app: Scripted) -> None:
    async def scenario() -> None:
        async with loopback.client(receive_buffer=KERNEL_BUFFER) as client:
            connection = await stall(loopback, client)
            async with loopback.client() as refused:
                assert (await refused.answer()).status == 503
            client.transport.resume_reading()
            await until(lambda: not connection.unsent)
            admitted = False
            while not admitted:
                async with loopback.client() as other:
                    await other.send(get("/a"))
                    admitted = (await other.answer()).status == 200
            assert await client.rest()

    with Loopback(app, send_buffer=KERNEL_BUFFER, max_connections=1, write_timeout_seconds=1) as loopback:
        loopback.run(scenario())
        assert loopback.ended("evicted") == 1
        assert loopback.ended("write_timeout") == 0


class Counted(OrderedDict[Watched, float]):
    """A queue that counts how many of its connections are looked at."""

    looked_at = 0
    sweeps = 0

    def __getitem__(self, key: Watched) -> float:
        self.looked_at += 1
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[Watched]:
        for each in super().__iter__():
            self.looked_at += 1
            yield each

    def __reversed__(self) -> Any:
        self.sweeps += 1
        return super().__reversed__()

    def items(self) -> Any:
        for each in super().__iter__():
            self.looked_at += 1
            yield each, super().__getitem__(each)


@pytest.mark.parametrize("count", [10, 300])
def test_a_look_after_the_connections_costs_the_same_however_many_there_are(count: int) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(count):
                client = await stack.enter_async_context(loopback.client())
                await check_answer(client)
            seen = idle.sweeps
            await until(lambda: idle.sweeps >= seen + 2)
            sweeps, looked_at = idle.sweeps, idle.looked_at
            await until(lambda: idle.sweeps >= sweeps + 10)
            assert len(idle) == count
            assert idle.looked_at - looked_at <= 3 * (idle.sweeps - sweeps)

    with Loopback(head_timeout_seconds=0.1) as loopback:
        idle = loopback.connections.idle = Counted()
        loopback.run(scenario())
