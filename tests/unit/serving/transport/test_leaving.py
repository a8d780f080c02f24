"""Clients that leave: the work for them ends, and each of their requests is accounted for."""

import pytest

from tests.unit.serving.transport.logged import Logged
from tests.unit.serving.transport.loopback import Client, get, post, turns, until


async def leave(client: Client) -> None:
    client.transport.close()
    await turns(10)


def test_the_work_for_a_client_that_leaves_is_cancelled(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait"))
            assert logged.app.begun == ["/wait"]
            await leave(client)
            assert logged.app.cancelled == ["/wait"]
        await until(lambda: logged.statuses() == {"/wait": "499"})

    logged.loopback.run(scenario())


@pytest.mark.parametrize("length", [0, 1000, 200_000, 2_000_000])
def test_the_work_on_a_body_is_cancelled_too(logged: Logged, length: int) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(post("/read-and-wait", length), bytes(length))
            await turns(100)
            await leave(client)
            await until(lambda: logged.app.cancelled)
        await until(lambda: logged.statuses() == {"/read-and-wait": "499"})

    logged.loopback.run(scenario())


@pytest.mark.parametrize("sent", [b"", b"bo"], ids=["nothing", "a part"])
def test_a_client_that_leaves_while_its_body_is_waited_for(logged: Logged, sent: bytes) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(post("/a", 4), sent)
            await leave(client)
        await until(lambda: logged.statuses() == {"/a": "499"})

    logged.loopback.run(scenario())


def test_a_client_that_leaves_before_its_request_has_begun(logged: Logged) -> None:
    """Its end and its request are found in the same turn of the event loop."""

    async def scenario() -> None:
        async with logged.loopback.client() as client:
            client.transport.write(post("/a", 4) + b"bo")
            client.transport.close()
        await until(lambda: logged.statuses() == {"/a": "499"})

    logged.loopback.run(scenario())


def test_requests_that_had_not_had_their_turn_are_accounted_for(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait") + post("/a", 4) + b"body" + post("/b", 4))
            await leave(client)
        assert logged.app.begun == logged.app.cancelled == ["/wait"]
        assert [(call.path, call.code) for call in logged.loopback.refused] == [("/a", "499"), ("/b", "499")]
        await until(lambda: logged.statuses() == {"/wait": "499"})

    logged.loopback.run(scenario())


def test_a_client_that_leaves_while_it_does_not_read(logged: Logged) -> None:
    async def scenario() -> None:
        async with logged.loopback.client(receive_buffer=4096) as client:
            client.transport.pause_reading()
            await client.send(get("/large") + get("/stream"))
            await until(lambda: logged.app.begun == ["/large", "/stream"])
            client.transport.abort()
        await until(lambda: logged.app.cancelled == ["/stream"])
        await until(lambda: logged.statuses() == {"/large": "200", "/stream": "499"})

    logged.loopback.run(scenario())


def test_a_client_that_stops_sending_counts_as_one_that_has_left(logged: Logged) -> None:
    """Half-closed connections are not served: most of those who close their side have gone."""

    async def scenario() -> None:
        async with logged.loopback.client() as client:
            await client.send(get("/wait"))
            client.transport.write_eof()
            assert await client.rest() == b""
        assert logged.app.cancelled == ["/wait"]
        await until(lambda: logged.statuses() == {"/wait": "499"})

    logged.loopback.run(scenario())


def test_others_are_served_meanwhile(logged: Logged) -> None:
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
