"""Disconnects: the work is cancelled, and every request is logged once."""

import pytest

from tests.unit.serving.transport.client import Client, get, post, turns, until
from tests.unit.serving.transport.logged import Logged


async def leave(client: Client) -> None:
    client.transport.close()
    await turns(10)


def test_a_disconnect_cancels_the_request(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait"))
            assert logged.app.begun == ["/wait"]
            await leave(client)
            assert logged.app.cancelled == ["/wait"]
        await until(lambda: logged.statuses() == {"/wait": "499"})

    logged.loopback.run(scenario())


@pytest.mark.parametrize("length", [0, 1000, 200_000, 2_000_000])
def test_a_disconnect_is_noticed_whatever_the_size_of_the_body(logged: Logged, length: int) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(post("/read-and-wait", length), bytes(length))
            await turns(100)
            await leave(client)
            await until(lambda: logged.app.cancelled)
        await until(lambda: logged.statuses() == {"/read-and-wait": "499"})

    logged.loopback.run(scenario())


@pytest.mark.parametrize("sent", [b"", b"bo"], ids=["nothing", "a part"])
def test_a_disconnect_while_the_body_is_awaited(logged: Logged, sent: bytes) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(post("/a", 4), sent)
            await leave(client)
        await until(lambda: logged.statuses() == {"/a": "499"})

    logged.loopback.run(scenario())


def test_a_disconnect_right_after_the_request(logged: Logged) -> None:
    """The server finds the request and the end of the connection together."""

    async def scenario() -> None:
        async with logged.loopback.client() as client:
            client.transport.write(post("/a", 4) + b"bo")
            client.transport.close()
        await until(lambda: logged.statuses() == {"/a": "499"})

    logged.loopback.run(scenario())


def test_pipelined_requests_are_logged_after_a_disconnect(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait") + post("/a", 4) + b"body" + post("/b", 4))
            await leave(client)
        assert logged.app.begun == logged.app.cancelled == ["/wait"]
        assert [(call.path, call.code) for call in logged.loopback.refused] == [("/a", "499"), ("/b", "499")]
        await until(lambda: logged.statuses() == {"/wait": "499"})

    logged.loopback.run(scenario())


@pytest.mark.parametrize("tls", ["plain"], indirect=True)  # TLS transports buffer more before they pause writing
def test_a_disconnect_while_writing_is_blocked(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client(receive_buffer=4096) as client:
            client.transport.pause_reading()
            await client.send(get("/large") + get("/stream"))
            await until(lambda: logged.app.begun == ["/large", "/stream"])
            client.transport.abort()
        await until(lambda: logged.app.cancelled == ["/stream"])
        await until(lambda: logged.statuses() == {"/large": "200", "/stream": "499"})

    logged.loopback.run(scenario())


@pytest.mark.parametrize("tls", ["plain"], indirect=True)  # TLS has no half-closed connections
def test_a_half_closed_connection_counts_as_a_disconnect(logged: Logged) -> None:
    """A half-closed connection cannot be told from one whose client has gone."""

    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait"))
            client.transport.write_eof()
            assert await client.rest() == b""
        assert logged.app.cancelled == ["/wait"]
        await until(lambda: logged.statuses() == {"/wait": "499"})

    logged.loopback.run(scenario())


def test_other_clients_are_not_affected(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as stays:
            await stays.send(get("/wait"))
            for _ in range(10):
                async with logged.loopback.client() as client:
                    await client.send(get("/wait"))
            logged.app.gate.set()
            assert (await stays.answer()).body == b"waited"
        await until(lambda: len(logged.lines) == 11)
        assert sorted(line["status"] for line in logged.lines) == ["200"] + ["499"] * 10

    logged.loopback.run(scenario())
