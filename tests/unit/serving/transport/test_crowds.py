"""Many clients at once: the limit of connections, the cost of watching them, and fairness between them."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from predictors.serving.errors import Overloaded
from predictors.serving.protocols.http import CONNECTION, Receive, Scope, Send
from predictors.serving.transport.connections import Watched
from tests.unit.serving.transport.client import get, post, turns, until
from tests.unit.serving.transport.logged import Logged
from tests.unit.serving.transport.loopback import Loopback, respond
from tests.unit.serving.transport.scripted import Scripted


def test_the_longest_idle_connection_is_evicted() -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            first, second, third = [await stack.enter_async_context(loopback.client()) for _ in range(3)]
            for client in (second, third, first, third):
                await client.check_goes_on()
            for oldest in (second, first, third):
                await (await stack.enter_async_context(loopback.client())).check_goes_on()
                assert await oldest.rest() == b""
                assert loopback.open == 3

    with Loopback(Scripted(), max_connections=3) as loopback:
        loopback.run(scenario())
        assert loopback.ended("evicted") == 3
        assert loopback.ended("refused") == 0


@pytest.mark.parametrize("busy", [get("/wait"), b"GET", post("/a", 10), post("/never-read", 10)])
def test_a_connection_is_refused_when_none_is_idle(busy: bytes) -> None:
    async def scenario() -> None:
        async with loopback.client() as client, loopback.client() as other:
            await client.send(busy)
            await other.check_goes_on()
            await other.send(busy)
            async with loopback.client() as refused:
                answer = await refused.answer()
                assert (answer.status, answer.headers["retry-after"], answer.closes) == (503, "1", True)
                assert answer.body == b'{"error":"the server has too many connections; try again later"}'
                assert await refused.rest() == b""
            assert not client.ended
            assert not other.ended

    with Loopback(Scripted(), max_connections=2) as loopback:
        loopback.run(scenario())
        assert loopback.ended("refused") == 1
        assert [call.code for call in loopback.refused] == ["503"]


class Counted(OrderedDict[Watched, float]):
    """A queue that counts the connections looked at."""

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
        for each in super().__reversed__():
            self.looked_at += 1
            yield each

    def items(self) -> Any:
        for each in super().__iter__():
            self.looked_at += 1
            yield each, super().__getitem__(each)


@pytest.mark.parametrize("count", [10, 300])
def test_a_sweep_looks_only_at_expired_connections(count: int) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(count):
                client = await stack.enter_async_context(loopback.client())
                await client.check_goes_on()
            seen = idle.sweeps
            await until(lambda: idle.sweeps >= seen + 2)
            sweeps, looked_at = idle.sweeps, idle.looked_at
            await until(lambda: idle.sweeps >= sweeps + 10)
            assert len(idle) == count
            assert idle.looked_at - looked_at <= 4 * (idle.sweeps - sweeps)

    with Loopback(head_timeout_seconds=0.1) as loopback:
        idle = loopback.connections.idle = Counted()
        loopback.run(scenario())


def test_pipelined_requests_yield_to_other_connections() -> None:
    app = Scripted()

    async def scenario() -> None:
        async with loopback.client() as greedy, loopback.client() as modest:
            await until(lambda: loopback.open == 2)
            greedy.transport.write(get("/greedy") * 50)
            modest.transport.write(get("/modest"))
            assert (await modest.answer()).status == 200
            assert [answer.status for answer in await greedy.answers(50)] == [200] * 50
        assert app.begun.index("/modest") <= 2

    with Loopback(app) as loopback:
        loopback.run(scenario())


def test_requests_waiting_for_the_event_loop_are_counted() -> None:
    ahead = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        ahead.append(scope["extensions"][CONNECTION].ahead)
        await respond(send)

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(loopback.client()) for _ in range(20)]
            await until(lambda: loopback.open == 20)
            for _ in range(2):
                ahead.clear()
                for client in clients:
                    client.transport.write(get())
                assert [(await client.answer()).status for client in clients] == [200] * 20
                assert sorted(ahead) == list(range(20))
                await clients[0].send(get())
                assert (await clients[0].answer()).status == 200
                assert ahead[-1] == 0
            assert loopback.connections.waiting == 0

    with Loopback(note) as loopback:
        loopback.run(scenario())


def test_reading_pauses_after_an_overload_response(logged: Logged) -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        raise Overloaded("there is no room", 1)

    async def scenario() -> None:
        async with logged.loopback.client() as client, logged.loopback.client() as other:
            await client.send(get("/refuse"))
            assert (await client.answer()).status == 429
            refused = time.monotonic()
            await client.send(get("/a"))
            await other.check_goes_on()
            await turns(20)
            assert not client.received
            assert "/a" not in logged.app.begun
            assert (await client.answer()).status == 200
            assert time.monotonic() - refused >= 0.09

    logged.app.scripts["/refuse"] = refuse
    logged.loopback.run(scenario())
