import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.client.errors import (
    CircuitOpen,
    ClientError,
    ConfigurationError,
    ConnectionLost,
    DeadlineExceeded,
    DeadlinePassed,
    InvalidInput,
    NotReady,
    Overloaded,
    ServerFailed,
    Unreachable,
    Unsupported,
)
from predictors.client.policy.course import Answered, Failed, Outcome
from predictors.client.policy.settings import BreakerPolicy, Policy
from tests.unit.client.simulation import Play, World

GOOD = Answered("good")
NEVER = BreakerPolicy(failure_rate=2)


def failed(kind: type[ClientError], retry_after: float | None = None) -> Failed:
    return Failed(kind("failed", retry_after=retry_after))


def error(outcome: Outcome) -> ClientError:
    assert isinstance(outcome, Failed), outcome
    return outcome.error


def test_a_good_answer_is_given_at_once() -> None:
    world = World(Policy())
    assert world.call([Play(0.5, GOOD)]) == GOOD
    assert world.sent == [100.0]


@pytest.mark.parametrize("kind", [Unreachable, ConnectionLost, Overloaded, NotReady, DeadlineExceeded])
def test_what_may_pass_is_sent_again(kind: type[ClientError]) -> None:
    world = World(Policy(backoff_base=0.1))
    assert world.call([Play(0, failed(kind)), Play(0, failed(kind)), Play(0, GOOD)]) == GOOD
    assert world.sent == pytest.approx([100.0, 100.1, 100.3])  # random numbers are 1, so waits are the bounds


@pytest.mark.parametrize("kind", [InvalidInput, ServerFailed])
def test_what_would_fail_again_is_not(kind: type[ClientError]) -> None:
    world = World(Policy())
    assert isinstance(error(world.call([Play(0, failed(kind)), Play(0, GOOD)])), kind)
    assert len(world.sent) == 1


def test_waits_are_random_and_bounded() -> None:
    world = World(Policy(attempts=6, backoff_base=1, backoff_cap=4, timeout=1000), random=lambda: 0.5)
    world.call([Play(0, failed(NotReady))])
    assert world.sent == [100, 100.5, 101.5, 103.5, 105.5, 107.5]


def test_retry_after_is_kept_and_more_so_that_not_all_come_at_once() -> None:
    world = World(Policy(backoff_base=0.5))
    world.call([Play(0, failed(Overloaded, 3)), Play(0, GOOD)])
    assert world.sent == [100, 103.5]


def test_retry_after_beyond_the_deadline_ends_the_call_at_once() -> None:
    world = World(Policy(timeout=10))
    refused = error(world.call([Play(0, failed(Overloaded, 11))]))
    assert (world.now, refused.retry_after, refused.attempts) == (100, 11, 1)
    assert isinstance(error(World(Policy(timeout=10)).call([Play(0, failed(Overloaded, math.inf))])), Overloaded)


def test_a_deadline_of_nothing_sends_nothing_and_does_not_blame_the_server() -> None:
    world = World(Policy(breaker=BreakerPolicy(minimum_calls=1)))
    assert isinstance(error(world.call([Play(0, GOOD)], timeout=0)), DeadlinePassed)
    assert world.sent == []
    assert world.call([Play(0, GOOD)]) == GOOD


def test_an_attempt_has_a_time_of_its_own() -> None:
    world = World(Policy(attempt_timeout=2, backoff_base=1e-6))
    assert world.call([Play(9, failed(DeadlineExceeded)), Play(1, GOOD)]) == GOOD
    assert world.now == pytest.approx(103)


def test_without_a_deadline_a_call_may_take_for_ever() -> None:
    world = World(Policy(timeout=math.inf))
    assert world.call([Play(1e9, GOOD)]) == GOOD


def test_retries_of_all_calls_share_a_budget() -> None:
    world = World(Policy(attempts=10, retry_ratio=0.1, retry_burst=5, timeout=1e6, breaker=NEVER))
    for _ in range(1000):
        world.call([Play(0, failed(NotReady))])
    assert 1000 + 5 <= len(world.sent) <= 1000 * 1.1 + 5


def test_without_a_burst_calls_save_up_for_retries() -> None:
    world = World(Policy(attempts=2, retry_ratio=0.25, retry_burst=0, breaker=NEVER))
    for _ in range(8):
        world.call([Play(0, failed(NotReady))])
    assert len(world.sent) == 10


class TestHedging:
    POLICY = Policy(hedge_after=1, timeout=10, breaker=NEVER)

    def test_a_slow_call_is_sent_a_second_time(self) -> None:
        world = World(self.POLICY)
        assert world.call([Play(9, Answered("first")), Play(0.5, Answered("second"))]) == Answered("second")
        assert (world.sent, world.now) == ([100, 101], 101.5)

    def test_but_not_more_often(self) -> None:
        world = World(self.POLICY)
        assert isinstance(error(world.call([Play(math.inf, GOOD)])), DeadlineExceeded)
        assert (world.sent, world.now) == ([100, 101], 110)

    def test_a_quick_call_is_sent_once(self) -> None:
        world = World(self.POLICY)
        world.call([Play(0.9, GOOD)])
        assert world.sent == [100]

    def test_one_that_fails_leaves_the_other_alone(self) -> None:
        world = World(self.POLICY)
        assert world.call([Play(2, failed(NotReady)), Play(3, GOOD)]) == GOOD
        assert world.sent == [100, 101]

    def test_if_both_fail_there_is_a_retry(self) -> None:
        world = World(self.POLICY)
        assert world.call([Play(2, failed(NotReady)), Play(2, failed(NotReady)), Play(0, GOOD)]) == GOOD
        assert len(world.sent) == 3

    def test_hedges_come_from_the_budget(self) -> None:
        world = World(Policy(hedge_after=1, retry_ratio=0.1, retry_burst=1, breaker=NEVER))
        for _ in range(100):
            world.call([Play(3, GOOD)])
        assert 105 <= len(world.sent) <= 111

    def test_attempts_bound_them_too(self) -> None:
        world = World(Policy(hedge_after=1, attempts=1))
        world.call([Play(3, GOOD)])
        assert len(world.sent) == 1

    def test_an_open_breaker_lets_the_first_attempt_end(self) -> None:
        world = World(Policy(hedge_after=1, breaker=BreakerPolicy(minimum_calls=1, open_for=5)))
        world.call([Play(0, failed(ServerFailed))])
        world.now += 5  # the next attempt is a probe, beside which nothing is sent
        assert world.call([Play(3, GOOD)]) == GOOD
        assert len(world.sent) == 2


class TestBreaker:
    POLICY = Policy(attempts=1, breaker=BreakerPolicy(minimum_calls=10, window=10, open_for=5))

    def open(self) -> World:
        world = World(self.POLICY)
        for _ in range(10):
            world.call([Play(0.01, failed(NotReady))])
        return world

    def test_it_opens_and_says_until_when(self) -> None:
        world = self.open()
        refused = error(world.call([Play(0, GOOD)]))
        assert isinstance(refused, CircuitOpen)
        assert refused.retry_after == pytest.approx(5)
        assert len(world.sent) == 10

    def test_a_good_probe_closes_it(self) -> None:
        world = self.open()
        world.now += 5
        assert world.call([Play(0, GOOD)]) == GOOD
        assert world.call([Play(0, GOOD)]) == GOOD

    def test_a_bad_probe_opens_it_again(self) -> None:
        world = self.open()
        world.now += 5
        assert isinstance(error(world.call([Play(0, failed(NotReady))])), NotReady)
        assert isinstance(error(world.call([Play(0, GOOD)])), CircuitOpen)

    @pytest.mark.parametrize("kind", [InvalidInput, Overloaded])
    def test_refusals_are_no_failures(self, kind: type[ClientError]) -> None:
        world = World(self.POLICY)
        for _ in range(100):
            assert isinstance(error(world.call([Play(0, failed(kind))])), kind)

    @pytest.mark.parametrize(
        "outcome", [failed(ConfigurationError), failed(DeadlinePassed), failed(Unsupported), Answered(False)]
    )
    def test_what_says_nothing_about_the_server_changes_nothing(self, outcome: Outcome) -> None:
        world = self.open()
        world.now += 5
        assert world.call([Play(0, outcome)]) == outcome
        assert isinstance(error(world.call([Play(0, failed(NotReady))])), NotReady)  # the probe, which fails
        assert isinstance(error(world.call([Play(0, GOOD)])), CircuitOpen)

    def test_a_server_that_is_not_ready_may_be_asked_for_ever(self) -> None:
        world = World(self.POLICY)
        assert {world.call([Play(0, Answered(False))]) for _ in range(100)} == {Answered(False)}

    def test_a_hanging_server_is_a_failing_one(self) -> None:
        for policy in (self.POLICY, Policy(hedge_after=1, attempts=2, timeout=2, breaker=self.POLICY.breaker)):
            world = World(policy)
            for _ in range(10):
                world.call([Play(math.inf, failed(DeadlineExceeded))], timeout=0.5)
            assert isinstance(error(world.call([Play(0, GOOD)])), CircuitOpen)


kinds = st.sampled_from([InvalidInput, Overloaded, NotReady, Unreachable, DeadlineExceeded, ServerFailed])
times = st.floats(0, 20)
outcomes = st.one_of(st.just(GOOD), st.builds(failed, kinds, st.none() | st.floats(0, 100) | st.just(math.inf)))
plays = st.lists(st.builds(Play, times | st.just(math.inf), outcomes), min_size=1, max_size=6)
policies = st.builds(
    Policy,
    attempts=st.integers(1, 5),
    attempt_timeout=st.floats(0.1, 20) | st.just(math.inf),
    backoff_base=st.floats(0.001, 10),
    hedge_after=st.none() | st.floats(0, 10),
    retry_burst=st.integers(0, 5),
    breaker=st.just(NEVER),
)


@given(policies, plays, st.floats(0, 30), st.floats(0, 1))
def test_any_call_ends_in_time_and_within_its_bounds(
    policy: Policy, script: list[Play], timeout: float, number: float
) -> None:
    world = World(policy, random=lambda: number)
    outcome = world.call(script, timeout)
    assert world.now <= 100 + timeout + 1e-6
    assert len(world.sent) <= min(policy.attempts, policy.retry_burst + 2)
    assert all(at < 100 + timeout for at in world.sent)
    if isinstance(outcome, Failed):
        assert outcome.error.attempts == len(world.sent)
    else:
        assert any(play.outcome == GOOD for play in script)


@given(policies, plays, st.lists(st.floats(-50, 5), min_size=1, max_size=20))
def test_a_clock_that_jumps_hangs_no_call(policy: Policy, script: list[Play], jumps: list[float]) -> None:
    readings = iter(range(10**9))

    def skew(now: float) -> float:
        return now + jumps[next(readings) % len(jumps)]

    world = World(policy)
    world.call(script, 5.0, skew)
    assert world.now <= 100 + 10 * (5 + 55)  # each wait is at most as long as the clock may jump
