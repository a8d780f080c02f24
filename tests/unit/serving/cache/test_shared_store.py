"""The shared store: a real server to share answers through, which may go away, and whose password nobody is told."""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.cache.result_codec import encode_outputs
from tests.redis_server import PASSWORD, RedisServer, redis_program
from tests.unit.serving.cache.test_result_cache import ANSWER, Kept, Model, run, settled
from tests.unit.serving.cache.test_result_codec import same


@pytest.fixture(scope="module")
def started() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory() as directory:  # tmp_path may be longer than a socket's name can be
        server = RedisServer(Path(directory), redis_program())
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def server(started: RedisServer) -> Iterator[RedisServer]:
    """Awake and empty, whatever the test before did to it."""
    yield started
    if started.process.poll() is not None:
        started.start()
    started.go_on()
    started.client.flushall()


def shared(scenario: Callable[[Callable[..., Kept]], Awaitable[None]]) -> None:
    """Run a scenario with caches that are closed after it."""

    async def closing() -> None:
        made: list[Kept] = []

        def keep(url: str, **options: Any) -> Kept:
            made.append(Kept(url=url, **options))
            return made[-1]

        await scenario(keep)
        for kept in made:
            await kept.cache.close()

    run(closing())


async def arrived(server: RedisServer, key: str) -> None:
    while not server.client.exists(f"predictors:{key}"):
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("scheme", ["redis", "valkey", "unix"])
def test_answers_are_shared(server: RedisServer, scheme: str) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        one, other, model = keep(server.url(scheme)), keep(server.url(scheme)), Model()
        assert (await one.cache.get("key", model))[1] == "miss"
        await arrived(server, "key")
        answers = await asyncio.gather(*(other.cache.get("key", model) for _ in range(3)))
        for answer, _ in answers:
            same(answer, ANSWER)
        assert [outcome for _, outcome in answers] == ["hit", "joined", "joined"]
        assert (await other.cache.get("key", model))[1] == "hit"
        assert other.counts == {"remote_hit": 1, "joined": 2, "hit": 1}
        assert one.counts == {"miss": 1}
        assert model.runs == 1

    shared(scenario)


def test_close_lets_the_last_answer_arrive(server: RedisServer) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        kept = keep(server.url())
        await kept.cache.get("key", Model())
        await kept.cache.close()
        assert server.client.keys() == [b"predictors:key"]
        assert kept.counts == {"miss": 1}

    shared(scenario)


def test_sharing_does_not_make_an_answer_younger(server: RedisServer) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        one, other, model = keep(server.url(), ttl_seconds=10_000), keep(server.url(), ttl_seconds=10_000), Model()
        await one.cache.get("key", model)
        await arrived(server, "key")
        assert 0 < server.client.pttl("predictors:key") <= 10_000_000  # type: ignore[operator]
        server.client.expire("predictors:key", 5_000)
        await other.cache.get("key", model)
        other.clock.now += 5_000
        await other.cache.get("key", model)
        assert other.counts == {"remote_hit": 2, "expired": 1}

    shared(scenario)


def test_a_large_answer_is_not_shared(server: RedisServer) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        kept = keep(server.url(), max_bytes=2**22)
        await kept.cache.get("large", Model({"text": ["x" * 2**20]}))
        await kept.cache.get("small", Model({"text": ["x" * (2**20 - 100)]}))
        await kept.cache.close()
        assert server.client.keys() == [b"predictors:small"]
        assert (await kept.cache.get("large", Model()))[1] == "hit"

    shared(scenario)


def test_requests_go_on_while_the_server_is_away(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        kept, model = keep(server.url(), max_bytes=0), Model()  # so that only the server remembers
        await kept.cache.get("key", model)
        await arrived(server, "key")
        assert (await kept.cache.get("key", model))[1] == "hit"

        server.stop()
        for _ in range(3):
            same((await kept.cache.get("key", model))[0], ANSWER)
        await settled()
        assert kept.counts == {"miss": 4, "remote_hit": 1, "remote_error": 1}  # and then it was left alone
        kept.clock.now += 5
        await kept.cache.get("key", model)
        assert kept.counts["remote_error"] == 2
        assert len(caplog.messages) == 1
        kept.clock.now += 60
        await kept.cache.get("key", model)
        assert len(caplog.messages) == 2

        server.start()
        kept.clock.now += 5
        await kept.cache.get("key", model)
        await arrived(server, "key")
        assert (await kept.cache.get("key", model))[1] == "hit"
        assert kept.counts["remote_hit"] == 2

    shared(scenario)


def test_requests_go_on_while_the_server_is_silent(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        kept, model = keep(server.url(), timeout_seconds=0.05), Model()
        server.pause()
        same((await kept.cache.get("key", model))[0], ANSWER)
        assert kept.counts == {"miss": 1, "remote_error": 1}
        kept.clock.now += 5
        await asyncio.gather(*(kept.cache.get(key, model) for key in "abc"))
        assert kept.counts == {"miss": 4, "remote_error": 2}  # one of the three waited to see whether it is back
        assert caplog.messages == ["the shared result cache failed (TimeoutError); requests go on without it"]

    shared(scenario)


def test_a_caller_may_leave_while_the_server_is_asked(server: RedisServer) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        kept, model = keep(server.url()), Model()
        server.pause()
        caller = asyncio.create_task(kept.cache.get("key", model))
        await asyncio.sleep(0.05)
        assert model.runs == 0
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        server.go_on()
        assert (await kept.cache.get("key", model))[1] == "miss"
        await arrived(server, "key")
        assert kept.counts == {"miss": 1}

    shared(scenario)


WHOLE = encode_outputs("key", ANSWER)


@pytest.mark.parametrize(
    "value", [b"", b"\0\0", b"something else", WHOLE[:-1], WHOLE + b"\0", encode_outputs("other", ANSWER), None]
)
def test_a_corrupt_value_is_a_miss_and_is_replaced(server: RedisServer, value: bytes | None) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        one, other, model = keep(server.url()), keep(server.url()), Model()
        if value is None:
            server.client.rpush("predictors:key", "a list")
        else:
            server.client.set("predictors:key", value)
        assert (await one.cache.get("key", model))[1] == "miss"
        assert one.counts == {"miss": 1, "remote_error": 1}
        while server.client.type("predictors:key") != b"string" or server.client.get("predictors:key") != WHOLE:
            await asyncio.sleep(0.01)
        assert (await other.cache.get("key", model))[1] == "hit"
        assert other.counts == {"remote_hit": 1}

    shared(scenario)


@pytest.mark.parametrize("scheme", ["redis", "unix"])
def test_a_wrong_password_is_an_error_of_the_server_and_is_not_told(
    server: RedisServer, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        kept = keep(server.url(scheme, "wrong-" + PASSWORD))
        same((await kept.cache.get("key", Model()))[0], ANSWER)
        assert kept.counts == {"miss": 1, "remote_error": 1}

    with caplog.at_level(logging.DEBUG):
        shared(scenario)
    assert "AuthenticationError" in caplog.text
    assert PASSWORD not in caplog.text


def test_the_password_is_not_told_when_the_server_goes(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(keep: Callable[..., Kept]) -> None:
        kept = keep(server.url("redis"))
        await kept.cache.get("key", Model())
        await arrived(server, "key")
        server.stop()
        await kept.cache.get("other", Model())
        assert kept.counts["remote_error"] == 1

    with caplog.at_level(logging.DEBUG):
        shared(scenario)
    assert "ConnectionError" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"http://:{PASSWORD}@host", "must begin with redis://, rediss://, valkey:// or unix://"),
        (f":{PASSWORD}@host", "must begin with"),
        (f"redis://:{PASSWORD}/x@host", "not a valid redis:// address"),
        (f"valkey://:{PASSWORD}@[host", "not a valid valkey:// address"),
        (f"redis://:{PASSWORD}@host?socket_timeout={PASSWORD}", "not a valid redis:// address"),
    ],
)
def test_a_wrong_address_is_refused_and_not_quoted(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Kept(url=url)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_without_the_package_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ValueError, match=r"install kserve-predictors\[cache\]"):
        Kept(url="redis://host")
    Kept()
