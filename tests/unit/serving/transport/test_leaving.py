"""Clients that leave: the work for them ends, and each of their requests is accounted for."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from predictors.serving.app.middleware.access_log import AccessLogMiddleware
from predictors.serving.app.middleware.errors import ErrorMiddleware
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import RequestIds
from tests.unit.serving.transport.loopback import Client, Loopback, get, post, turns, until
from tests.unit.serving.transport.scripted import Scripted


class Logged:
    """A scripted application behind the middleware that knows of those who leave, on a listener."""

    def __init__(self) -> None:
        self.app = Scripted()
        self.log = io.BytesIO()
        errors = ErrorMiddleware(self.app, lambda: self.loopback.listener.ending)
        self.loopback = Loopback(
            AccessLogMiddleware(errors, AccessLog(json=True, stream=self.log), RequestIds(), 2**20)
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def statuses(self) -> dict[str, str]:
        """The statuses in the access log, by path."""
        paths = [line["path"] for line in self.lines]
        assert len(set(paths)) == len(paths), "a request is logged twice"
        return {line["path"]: line["status"] for line in self.lines}


@pytest.fixture
def logged() -> Iterator[Logged]:
    logged = Logged()
    with logged.loopback:
        yield logged
        assert logged.loopback.connections.waiting == 0
        assert logged.loopback.open == 0


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
