"""Rate limits, in this process and in a real Redis, in virtual time and in the server's."""

import asyncio
import logging
import math
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.access import buckets
from predictors.serving.access.buckets import Buckets, Draw
from predictors.serving.access.limits import Limits, Standing
from predictors.serving.access.settings import AccessSettings
from predictors.serving.access.shared_buckets import SharedBuckets
from predictors.serving.errors import StartupError
from tests.redis_server import RedisServer, redis_program


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def admit(limits: Limits, client: str = "a", model: str = "iris", generates: bool = False) -> Standing:
    return asyncio.run(limits.admit(client, model, generates))


def passes(limits: Limits, times: int, client: str = "a", model: str = "iris") -> int:
    return sum(admit(limits, client, model).refusal is None for _ in range(times))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_minutes_requests_may_come_at_once_and_then_come_back_evenly(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_requests_per_minute=6), print, clock)
    assert passes(limits, 10) == 6
    clock.now += 9.9
    assert passes(limits, 10) == 0
    clock.now += 0.1
    assert passes(limits, 10) == 1
    clock.now += 3600
    assert passes(limits, 10) == 6


def test_no_minute_has_more_than_twice_its_requests(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_requests_per_minute=30), print, clock)
    draw, taken = random.Random(7), []
    for _ in range(3000):
        clock.now += draw.expovariate(5)
        if admit(limits).refusal is None:
            taken.append(clock.now)
    assert max(sum(start <= each < start + 60 for each in taken) for start in taken) <= 60
    assert abs(len(taken) - (clock.now - 1000) / 2) < 31


def test_clients_and_models_have_their_own(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_requests_per_minute=2, model_requests_per_minute=3), print, clock)
    assert passes(limits, 5, "a") == 2
    assert passes(limits, 5, "b") == 1  # the model has had enough
    assert passes(limits, 5, "a", "intent") == 2
    clock.now += 20
    assert passes(limits, 5, "a") == 0  # one of the model's is back, none of the client's
    assert passes(limits, 5, "b") == 1  # and what was refused has used up nothing


def test_what_the_headers_say(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_requests_per_minute=4, model_requests_per_minute=60), print, clock)
    standing = admit(limits)
    policy, left = '"client";q=4;w=60, "model";q=60;w=60', '"client";r=3;t=15, "model";r=59;t=1'
    assert standing == Standing(policy, left)
    for _ in range(2):
        admit(limits)
    standing = admit(limits)
    assert standing.left == '"client";r=0;t=60, "model";r=56;t=4'
    clock.now += 5
    standing = admit(limits)
    assert standing.left.startswith('"client";r=0;t=')
    assert standing.refusal is not None
    assert standing.refusal.retry_after_seconds == 10
    says = "at most 4 requests a minute from each client are allowed; try again in 10 s"
    assert str(standing.refusal) == says
    assert standing.refusal.limit == "client"


def test_a_refusal_uses_up_nothing_and_says_so(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_requests_per_minute=4, model_requests_per_minute=6), print, clock)
    accepted = [admit(limits) for _ in range(4)][-1]
    refused = admit(limits)
    assert refused.left == accepted.left == '"client";r=0;t=60, "model";r=2;t=40'
    assert refused.refusal is not None
    assert refused.refusal.retry_after_seconds == 15
    other = admit(limits, "b")  # which may have what is left of the model
    assert (other.refusal, other.left) == (None, '"client";r=3;t=15, "model";r=1;t=50')


def test_nothing_is_ever_further_away_than_the_window(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_requests_per_minute=7, client_tokens_per_minute=600), print, clock)
    draw = random.Random(7)
    for _ in range(300):
        clock.now += draw.expovariate(1)
        left = admit(limits, generates=True).left
        assert all(0 <= int(seconds) <= 60 for seconds in re.findall("t=([^,]*)", left)), left
        asyncio.run(limits.charge("a", "iris", draw.randrange(2000)))


def test_seconds_are_not_rounded_up_for_what_a_sum_lacks_in_digits(clock: Clock) -> None:
    clock.now = 1_234_567.891
    limits = Limits(AccessSettings(client_requests_per_minute=600), print, clock)
    assert [admit(limits).left.partition("t=")[2] for _ in range(600)] == [str(n // 10 + 1) for n in range(600)]


def test_tokens_are_counted_afterwards_and_may_leave_a_debt(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_tokens_per_minute=600), print, clock)
    assert admit(limits).policy == ""  # the model has no tokens
    assert admit(limits, generates=True).left == '"tokens";r=600;t=0'
    asyncio.run(limits.charge("a", "iris", 900))
    refusal = admit(limits, generates=True).refusal
    assert refusal is not None
    assert (refusal.limit, refusal.retry_after_seconds) == ("tokens", 30)
    assert admit(limits, "b", generates=True).refusal is None
    clock.now += 31
    assert admit(limits, generates=True).left == '"tokens";r=10;t=59'


def test_many_clients_take_no_more_memory_than_there_is(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "_MOST_KEYS", 100)
    counted = Buckets(clock)
    for number in range(1000):
        clock.now += 0.01
        assert counted.draw([Draw(str(number), 1.0)]).allowed
    assert len(counted._used_until) == 100
    clock.now += 100
    counted.draw([Draw("one more", 1.0)])
    assert list(counted._used_until) == ["one more"]


def test_a_client_that_comes_again_keeps_its_count(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others, however many, do not give it its allowance back."""
    monkeypatch.setattr(buckets, "_MOST_KEYS", 3)
    counted = Buckets(clock)
    for number in range(10):
        counted.draw([Draw("busy", 5.0)])
        counted.draw([Draw(f"other {number}", 1.0)])
    assert counted.draw([Draw("busy", 0.0)]).used == [50.0]


def test_an_address_that_cannot_be_used_ends_the_start() -> None:
    settings = AccessSettings(client_requests_per_minute=1, limits_url="http://:hunter2@redis")
    with pytest.raises(
        StartupError, match="--limits_url: the address of a shared count of requests must begin"
    ) as caught:
        Limits(settings, print)
    assert "hunter2" not in str(caught.value)


@pytest.fixture(scope="module")
def started() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory() as directory:  # a Unix socket's path must be short
        server = RedisServer(Path(directory), redis_program())
        yield server
        server.stop()


@pytest.fixture
def counting(started: RedisServer) -> RedisServer:
    started.client.flushall()
    return started


def test_replicas_count_together_as_one_would(counting: RedisServer) -> None:
    async def scenario() -> None:
        replicas = [SharedBuckets(counting.url(), lambda: None, Clock()) for _ in range(2)]
        alone = Buckets(Clock())
        draws = [Draw("client", 20.0), Draw("model", 7.0)]
        for number in range(4):
            together = await replicas[number % 2].draw(draws)
            assert together is not None
            expected = alone.draw(draws)
            assert together.allowed is expected.allowed is (number < 3)
            assert together.used == pytest.approx(expected.used, abs=1)  # the server's clock goes on
        assert await replicas[0].charge(Draw("client", 90.0))
        after = await replicas[1].draw([Draw("client", 0.0)])
        assert after is not None
        assert not after.allowed
        assert after.used == pytest.approx([150.0], abs=1)
        # What is counted goes away by itself.
        left: Any = counting.client.pttl("predictors:limit:client")
        assert 145_000 < left <= 150_000
        for replica in replicas:
            await replica.close()

    asyncio.run(scenario())


def test_a_request_of_nothing_leaves_nothing_behind(counting: RedisServer) -> None:
    async def scenario() -> None:
        counter = SharedBuckets(counting.url(), lambda: None, Clock())
        found = await counter.draw([Draw("client", 0.0)])
        assert found == (True, [0.0])
        assert counting.client.keys() == []
        await counter.close()

    asyncio.run(scenario())


def test_concurrent_requests_pass_no_more_often_than_they_may(
    counting: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("predictors.serving.access.shared_buckets._TIMEOUT_SECONDS", 60.0)  # machines may be busy

    async def scenario() -> None:
        settings = AccessSettings(client_requests_per_minute=5, limits_url=counting.url())
        replicas = [Limits(settings, print) for _ in range(3)]
        standings = await asyncio.gather(*(replicas[n % 3].admit("a", "iris", False) for n in range(24)))
        assert sum(standing.refusal is None for standing in standings) == 5
        for replica in replicas:
            await replica.close()

    asyncio.run(scenario())


def test_while_the_server_is_away_each_process_counts_for_itself(
    counting: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[str] = []

    async def scenario() -> None:
        settings = AccessSettings(client_requests_per_minute=3, limits_url=counting.url("redis"))
        limits = Limits(settings, events.append)
        assert (await limits.admit("a", "iris", False)).refusal is None
        counting.pause()
        try:
            refused = [(await limits.admit("a", "iris", False)).refusal is not None for _ in range(4)]
        finally:
            counting.go_on()
        assert refused == [False, False, False, True]
        await limits.charge("a", "iris", 7)
        await limits.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert caplog.messages == ["the shared count of requests failed (TimeoutError); requests go on without it"]
    assert events == ["limits"]


def test_the_smallest_wait_is_a_second(clock: Clock) -> None:
    limits = Limits(AccessSettings(client_requests_per_minute=6000), print, clock)
    refusal = [admit(limits).refusal for _ in range(6001)][-1]
    assert refusal is not None
    assert refusal.retry_after_seconds == 1
    assert math.isclose(clock.now, 1000.0)
