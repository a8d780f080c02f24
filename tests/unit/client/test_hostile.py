"""Both clients against servers that do what they should not."""

import asyncio
import gzip
import math
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from predictors.client import (
    AsyncClient,
    BadAnswer,
    BreakerPolicy,
    CircuitOpen,
    Client,
    ClientError,
    ConfigurationError,
    ConnectionLost,
    Connections,
    DeadlineExceeded,
    IrisAnswer,
    NotReady,
    Overloaded,
    Part,
    Point,
    Policy,
    StreamFailed,
    Summary,
    Unreachable,
)
from tests.unit.client import hostile
from tests.unit.client.hostile import Behavior, Hostile, good
from tests.unit.client.test_summary_stream import DONE, POINT, event
from tests.waiting import until

ROWS = [[5.1, 3.5, 1.4, 0.2]]
QUICK = Policy(timeout=60, backoff_base=1e-3)
ONCE = Policy(timeout=60, attempts=1)
BRIEF = Policy(timeout=0.3, attempts=1)

Ask: TypeAlias = Callable[..., IrisAnswer]
Stream: TypeAlias = Callable[..., list[Part]]


def ask_sync(url: str, policy: Policy, timeout: float | None = None, **options: Any) -> IrisAnswer:
    with Client(url, policy=policy, **options) as client:
        return client.iris(ROWS, timeout=timeout)


def ask_async(url: str, policy: Policy, timeout: float | None = None, **options: Any) -> IrisAnswer:
    async def main() -> IrisAnswer:
        async with AsyncClient(url, policy=policy, **options) as client:
            return await client.iris(ROWS, timeout=timeout)

    return asyncio.run(main())


def stream_sync(url: str, policy: Policy, seen: list[Part]) -> None:
    with Client(url, policy=policy) as client, client.stream_summary("text") as parts:
        for part in parts:
            seen.append(part)


def stream_async(url: str, policy: Policy, seen: list[Part]) -> None:
    async def main() -> None:
        async with AsyncClient(url, policy=policy) as client, client.stream_summary("text") as parts:
            async for part in parts:
                seen.append(part)

    asyncio.run(main())


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    asker: Ask = request.param
    return asker


@pytest.fixture(params=[stream_sync, stream_async], ids=["sync", "async"])
def follow(request: pytest.FixtureRequest) -> Callable[..., None]:
    follower: Callable[..., None] = request.param
    return follower


HALF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
BROKEN = [
    hostile.send(b"", keep=False),
    hostile.send(HALF, keep=False),
    hostile.send(b"\x00\xffnot http\r\n\r\n", keep=False),
    hostile.send(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", keep=False),
    hostile.reply(503, b"no healthy upstream", "text/plain"),
    hostile.reply(502, b"<html>"),
    hostile.reply(429, {"error": "the queue is full"}),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_breaks_is_asked_again(ask: Ask, broken: Behavior) -> None:
    with Hostile(broken, broken, good) as server:
        assert ask(server.url, QUICK).rows[0].label == "setosa"
        assert len(server.heads) == 3
        assert len({server.header("x-request-id", i) for i in range(3)}) == 1


@pytest.mark.parametrize(
    ("behavior", "kind"),
    [
        (BROKEN[0], ConnectionLost),
        (BROKEN[1], ConnectionLost),
        (BROKEN[2], ConnectionLost),
        (hostile.reply(503), NotReady),
        (hostile.reply(200, b"{"), BadAnswer),
        (hostile.reply(200, b"<html>", "text/html"), BadAnswer),
        (hostile.reply(200, {"outputs": []}), BadAnswer),
        (hostile.reply(200, {"model_name": "iris", "outputs": []}), BadAnswer),
        (hostile.reply(307, location="http://elsewhere/"), BadAnswer),
        (hostile.reply(200, gzip.compress(b"{}"), content_encoding="gzip"), BadAnswer),
    ],
)
def test_what_stays_broken(ask: Ask, behavior: Behavior, kind: type[ClientError]) -> None:
    with Hostile(behavior) as server, pytest.raises(kind) as caught:
        ask(server.url, ONCE)
    assert len(str(caught.value)) < 500


def test_nobody_is_there(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match=r"no connection.*check the client's URL.* 4 attempts\)"):
        ask(f"http://127.0.0.1:{port}", QUICK)


@pytest.mark.parametrize(
    "behavior",
    [
        hostile.silent,
        hostile.trickle(b""),
        hostile.trickle(b"HTTP/1.1 200 OK\r\nx: "),
        hostile.trickle(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"),
    ],
)
def test_the_deadline_holds_whatever_comes(ask: Ask, behavior: Behavior) -> None:
    with Hostile(behavior) as server:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"no answer within .* \(request \w{32}\)"):
            ask(server.url, BRIEF)
        assert 0.3 <= time.monotonic() - begun < 30
        server.wait_closed()


def test_a_hanging_attempt_is_followed_by_another(ask: Ask) -> None:
    with Hostile(hostile.silent, good) as server:
        policy = Policy(timeout=60, attempt_timeout=0.2, backoff_base=1e-3)
        assert ask(server.url, policy).rows
        assert 0 < int(server.header("x-request-timeout-ms", 0)) <= 200


def test_a_deadline_of_nothing_sends_nothing(ask: Ask) -> None:
    with Hostile(good) as server:
        with pytest.raises(DeadlineExceeded, match="over before it could be sent"):
            ask(server.url, QUICK, timeout=0)
        assert server.accepted == 0


def test_the_deadline_travels(ask: Ask) -> None:
    with Hostile(hostile.reply(429, retry_after="1"), good) as server:
        ask(server.url, QUICK)
        first, second = (int(server.header("x-request-timeout-ms", i)) for i in range(2))
        assert second <= first - 1000 < 60_000
        ask(server.url, Policy(timeout=math.inf))
        assert server.header("x-request-timeout-ms") == ""


def test_the_callers_trace_travels_with_every_attempt(ask: Ask) -> None:
    asked = 0

    def trace(headers: dict[str, str]) -> None:
        nonlocal asked
        asked += 1
        headers |= {"traceparent": f"00-{asked:032x}-{asked:016x}-01", "tracestate": "", "authorization": "mine"}

    with Hostile(hostile.reply(503), good) as server:
        ask(server.url, QUICK, trace=trace)
        assert {server.header("traceparent", i) for i in range(2)} == {f"00-{1:032x}-{1:016x}-01"}
        assert "tracestate" not in server.heads[-1]
        assert "authorization" not in server.heads[-1]
        ask(server.url, QUICK, trace=lambda headers: None)
        assert "traceparent" not in server.heads[-1]


@pytest.mark.parametrize("scheme", ["http", "grpc"])
@pytest.mark.parametrize("value", ["00-1\r\nx-request-id: 2", "\u00e9", b"00-1"])
def test_a_trace_that_no_header_can_hold_is_not_sent(ask: Ask, value: str, scheme: str) -> None:
    with Hostile(good) as server:
        with pytest.raises(ConfigurationError, match="as traceparent; a header's value is printable ASCII"):
            ask(server.url.replace("http", scheme), QUICK, trace=lambda headers: headers.update(traceparent=value))
        assert server.heads == []


@pytest.mark.parametrize("value", ["61", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 400])
def test_retry_after_beyond_the_deadline_is_not_waited_for(ask: Ask, value: str) -> None:
    with Hostile(hostile.reply(429, {"error": "too many"}, retry_after=value)) as server:
        with pytest.raises(Overloaded, match="too many; send fewer calls") as caught:
            ask(server.url, QUICK)
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 60
        assert len(server.heads) == 1


def test_a_huge_body(ask: Ask) -> None:
    with Hostile(hostile.endless) as server, pytest.raises(BadAnswer, match="larger than 1000000 bytes"):
        ask(server.url, ONCE, connections=Connections(most_bytes=1_000_000))


HEDGED = Policy(timeout=600, hedge_after=0.05)


def test_the_second_of_two_hedged_answers_wins_and_the_first_is_ended() -> None:
    with Hostile(hostile.silent, good) as server, Client(server.url, policy=HEDGED) as client:
        assert client.iris(ROWS).rows
        server.wait_closed(but=1)
        assert client.iris(ROWS).rows
        assert (len(server.heads), server.accepted) == (3, 2)


def test_so_it_is_with_asyncio() -> None:
    async def main(server: Hostile) -> None:
        async with AsyncClient(server.url, policy=HEDGED) as client:
            assert (await client.iris(ROWS)).rows
            await asyncio.to_thread(server.wait_closed, 1)
            assert (await client.iris(ROWS)).rows
        assert (len(server.heads), server.accepted) == (3, 2)

    with Hostile(hostile.silent, good) as server:
        asyncio.run(main(server))


def test_a_failing_server_is_left_alone() -> None:
    policy = Policy(attempts=1, breaker=BreakerPolicy(minimum_calls=3, open_for=1e6))
    with Hostile(hostile.reply(503)) as server, Client(server.url, policy=policy) as client:
        for _ in range(3):
            with pytest.raises(NotReady):
                client.iris(ROWS)
        with pytest.raises(CircuitOpen, match="do without its answer meanwhile"):
            client.iris(ROWS)
        assert len(server.heads) == 3


def test_an_idle_connection_that_the_server_closed_is_replaced(ask: Ask) -> None:
    closing = hostile.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", keep=False)
    with Hostile(closing, good) as server, Client(server.url, policy=ONCE) as client:
        with pytest.raises(BadAnswer):
            client.iris(ROWS)
        server.wait_closed()
        assert client.iris(ROWS).rows


def test_threads_share_a_client_and_its_connections() -> None:
    with Hostile(good) as server, Client(server.url, policy=QUICK, connections=Connections(most=2)) as client:
        answers: list[IrisAnswer] = []
        threads = [
            threading.Thread(target=lambda: answers.extend(client.iris(ROWS) for _ in range(20))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({answer.rows for answer in answers}) == 1
        assert (len(answers), len({server.header("x-request-id", i) for i in range(120)})) == (120, 120)
        assert server.accepted <= 2


def test_a_connection_is_waited_for_within_the_deadline() -> None:
    one = Connections(most=1)
    with Hostile(hostile.silent) as server, Client(server.url, policy=QUICK, connections=one) as client:

        def hold() -> None:
            client.iris(ROWS, timeout=600)

        holder = threading.Thread(target=hold)
        holder.start()
        until(lambda: server.heads, "the first call", pause=0.01)
        with pytest.raises(DeadlineExceeded, match=r"`Connections.most` limits"):
            client.iris(ROWS, timeout=0.1)
        server.behave(good)
        server.hang_up()
        holder.join()


@pytest.mark.parametrize("hedge_after", [None, 0.01])
def test_cancelled_tasks_leave_no_connection_behind(hedge_after: float | None) -> None:
    async def main(server: Hostile) -> None:
        policy = Policy(timeout=600, hedge_after=hedge_after)
        async with AsyncClient(server.url, policy=policy, connections=Connections(most=4)) as client:
            tasks = [asyncio.create_task(client.iris(ROWS)) for _ in range(8)]
            while len(server.heads) < 4:
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert all(task.cancelled() for task in tasks)
            await asyncio.to_thread(server.wait_closed)
            server.behave(good)
            assert (await client.iris(ROWS)).rows

    with Hostile(hostile.silent) as server:
        asyncio.run(main(server))


def test_the_environments_proxy_is_used(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    with Hostile(good) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:p%40ss@"))
        assert ask("http://server.example:81", ONCE).rows
        assert proxy.heads[0].startswith("post http://server.example:81/v2/models/iris/infer http/1.1")
        assert proxy.header("proxy-authorization") == "basic bwu6cebzcw=="  # in lower case, like all that it keeps
        monkeypatch.setenv("no_proxy", "server.example")
        with pytest.raises(Unreachable):
            ask("http://server.example:81", ONCE)


class TestGrpc:
    def test_a_closed_client(self) -> None:
        async def main() -> None:
            client = AsyncClient("grpc://127.0.0.1:1", policy=ONCE)
            with pytest.raises(Unreachable):
                await client.ready()
            await client.close()
            with pytest.raises(ConfigurationError, match="make a new client"):
                await client.ready()

        asyncio.run(main())
        for policy in ONCE, HEDGED:
            client = Client("grpc://127.0.0.1:1", policy=policy)
            client.close()
            with pytest.raises(ConfigurationError, match="make a new client"):
                client.ready()

    @pytest.mark.parametrize("behavior", [hostile.silent, hostile.trickle(b"")])
    @pytest.mark.parametrize("hedge_after", [None, 0.05])
    def test_the_deadline_holds_whatever_comes(self, ask: Ask, behavior: Behavior, hedge_after: float | None) -> None:
        with Hostile(behavior) as server, pytest.raises(ClientError) as caught:
            ask(server.url.replace("http", "grpc"), Policy(timeout=0.5, attempts=2, hedge_after=hedge_after))
        assert isinstance(caught.value, (DeadlineExceeded, Unreachable))
        assert caught.value.request_id

    @pytest.mark.parametrize("behavior", BROKEN)
    def test_what_is_no_grpc(self, ask: Ask, behavior: Behavior) -> None:
        with Hostile(behavior) as server, pytest.raises(ClientError) as caught:
            ask(server.url.replace("http", "grpc"), Policy(timeout=2, attempts=2, backoff_base=1e-3))
        assert isinstance(caught.value, (DeadlineExceeded, Unreachable))


class TestStreams:
    def test_it_is_read_however_it_is_cut(self, follow: Any) -> None:
        whole = b": hello\r\n\r\n" + event("bullet", POINT) + event("done", DONE) + b"data: [DONE]\n\n"
        with Hostile(hostile.stream(*(bytes([each]) for each in whole))) as server:
            seen: list[Part] = []
            follow(server.url, ONCE, seen)
        assert [type(part) for part in seen] == [Point, Summary]

    @pytest.mark.parametrize(
        ("behavior", "kind"),
        [
            (hostile.stream(event("bullet", POINT), event("error", {"error": "it failed"})), StreamFailed),
            (hostile.stream(event("bullet", POINT), ended=False), ConnectionLost),
            (hostile.stream(event("bullet", POINT)), ConnectionLost),
            (hostile.stream(event("bullet", POINT), b"event: done\ndata: {\n\n"), BadAnswer),
        ],
    )
    def test_what_goes_wrong_after_the_first_part_is_said_and_not_asked_again(
        self, follow: Any, behavior: Behavior, kind: type[ClientError]
    ) -> None:
        seen: list[Part] = []
        with Hostile(behavior) as server:
            with pytest.raises(kind):
                follow(server.url, QUICK, seen)
            assert [type(part) for part in seen] == [Point]
            assert len(server.heads) == 1

    @pytest.mark.parametrize("broken", [*BROKEN, hostile.stream(ended=False), hostile.stream(b": nothing\n\n")])
    def test_what_goes_wrong_before_it_is_asked_again(self, follow: Any, broken: Behavior) -> None:
        seen: list[Part] = []
        with Hostile(broken, hostile.stream(event("done", DONE))) as server:
            follow(server.url, QUICK, seen)
            assert len(server.heads) == 2
        assert [type(part) for part in seen] == [Summary]

    @pytest.mark.parametrize("behavior", [hostile.reply(200, b"{}"), hostile.reply(204)])
    def test_what_is_no_stream(self, follow: Any, behavior: Behavior) -> None:
        with Hostile(behavior) as server, pytest.raises(BadAnswer):
            follow(server.url, QUICK, [])

    @pytest.mark.parametrize("policy", [Policy(timeout=0.3), Policy(timeout=60, idle_timeout=0.3)])
    def test_one_that_falls_silent(self, follow: Any, policy: Policy) -> None:
        def behave(connection: socket.socket) -> bool:
            raw = event("bullet", POINT)
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            connection.sendall(head + b"%x\r\n%s\r\n" % (len(raw), raw))
            return hostile.silent(connection)

        seen: list[Part] = []
        with Hostile(behave) as server:
            with pytest.raises(DeadlineExceeded):
                follow(server.url, policy, seen)
            server.wait_closed()
        assert len(seen) == 1

    def test_leaving_early_ends_the_connection(self) -> None:
        async def main() -> None:
            async with AsyncClient(server.url) as client:
                async with client.stream_summary("text") as parts:
                    assert isinstance(await anext(parts), Point)
                await asyncio.to_thread(server.wait_closed)

        endless = hostile.stream(*[event("bullet", POINT)] * 3, b"data: ")
        with Hostile(lambda connection: endless(connection) and hostile.silent(connection)) as server:
            with Client(server.url) as client:
                with client.stream_summary("text") as parts:
                    assert isinstance(next(parts), Point)
                server.wait_closed()
            asyncio.run(main())
