"""Time limits for sending requests and reading responses."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from predictors.serving.protocols.http import Receive, Scope, Send
from predictors.serving.transport.connection import Connection
from tests.unit.serving.transport.client import Client, get, post, turns, until
from tests.unit.serving.transport.loopback import Loopback, respond
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
    """A listener with short timeouts for heads and writes, and a long one for idle connections."""
    with Loopback(
        app,
        send_buffer=KERNEL_BUFFER,
        head_timeout_seconds=0.2,
        write_timeout_seconds=0.2,
        keep_alive_seconds=60,
    ) as running:
        yield running


# Slow senders.


@pytest.mark.parametrize("head", [b"G", b"\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n"])
@pytest.mark.parametrize("before", [b"", get("/a")], ids=["first", "second"])
def test_an_incomplete_head_times_out(hurried: Loopback, before: bytes, head: bytes) -> None:
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


def test_a_head_sent_byte_by_byte_times_out(hurried: Loopback) -> None:
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


def test_the_keep_alive_timeout_spares_running_requests(app: Scripted) -> None:
    async def scenario() -> None:
        async with loopback.client() as idle, loopback.client() as silent, loopback.client() as waiting:
            await waiting.send(get("/wait"))
            await idle.check_goes_on()
            assert await idle.rest() == await silent.rest() == b""
            assert not waiting.ended
            app.gate.set()
            assert (await waiting.answer()).body == b"waited"

    with Loopback(app, keep_alive_seconds=1) as loopback:
        loopback.run(scenario())
        assert loopback.refused == []


# Clients that do not read their responses.


async def only_connection(loopback: Loopback) -> Connection:
    await until(lambda: loopback.open)
    (connection,) = loopback.connections.state.connections
    assert isinstance(connection, Connection)
    return connection


async def stall(loopback: Loopback, client: Client) -> Connection:
    """Send small responses to a client that does not read, until the server has to buffer one; returns the connection."""
    connection = await only_connection(loopback)
    client.transport.pause_reading()
    while not connection.unsent:
        await client.send(get("/small"))
        await turns(10)
    assert connection.unsent <= SMALL + 1000
    return connection


async def check_dropped(loopback: Loopback, client: Client) -> None:
    """Check that the server drops the connection because its client does not read."""
    await until(lambda: not loopback.open)
    assert loopback.ended("write_timeout") == 1
    client.transport.resume_reading()
    await client.rest()


def test_a_client_that_reads_nothing_of_a_large_response_is_dropped(hurried: Loopback) -> None:
    async def scenario() -> None:
        async with hurried.client(receive_buffer=KERNEL_BUFFER) as client:
            client.transport.pause_reading()
            await client.send(get("/large"))
            await check_dropped(hurried, client)

    hurried.run(scenario())


def test_a_client_that_reads_nothing_of_a_small_response_is_dropped(hurried: Loopback) -> None:
    async def scenario() -> None:
        async with hurried.client(receive_buffer=KERNEL_BUFFER) as client:
            await stall(hurried, client)
            await check_dropped(hurried, client)

    hurried.run(scenario())


def test_a_client_that_stops_reading_is_dropped(hurried: Loopback) -> None:
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
def test_a_client_that_does_not_read_its_last_response_is_dropped(hurried: Loopback, last: bytes) -> None:
    async def scenario() -> None:
        async with hurried.client(receive_buffer=KERNEL_BUFFER) as client:
            await stall(hurried, client)
            await client.send(last)
            await check_dropped(hurried, client)
            assert hurried.ended("head_timeout") == (last == b"GET")

    hurried.run(scenario())


def test_a_slow_but_steady_reader_is_kept(app: Scripted) -> None:
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
            await client.check_goes_on()

    with Loopback(app, write_timeout_seconds=0.2) as loopback:
        loopback.run(scenario())
        assert loopback.ended("write_timeout") == 0


def test_a_connection_with_unsent_data_is_not_evicted_until_it_is_read(app: Scripted) -> None:
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


def test_a_server_that_was_suspended_does_not_blame_its_clients() -> None:
    async def scenario() -> None:
        async with loopback.client() as client:
            await client.check_goes_on()
            date = state.default_headers
            time.sleep(3)  # nothing runs meanwhile, as in a process that is suspended
            await until(lambda: state.default_headers != date)
            await client.check_goes_on()
            assert await client.rest() == b""  # a client that leaves a running server alone is given up

    with Loopback(keep_alive_seconds=1) as loopback:
        state = loopback.connections.state
        loopback.run(scenario())
