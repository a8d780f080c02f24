"""How much is asked of the endpoint, and how often one that fails: in virtual time."""

from predictors.summarizer.fallback.breaker import Breaker
from predictors.summarizer.fallback.budget import Budget


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_no_hour_has_more_requests_than_the_budget() -> None:
    clock = Clock()
    budget = Budget(3, None, clock)
    sent = []
    for clock.now in range(0, 4 * 3600, 60):
        if not budget.is_spent:
            budget.take_request()
            sent.append(clock.now)
    for begin in range(0, 3 * 3600, 60):
        assert sum(begin <= each < begin + 3600 for each in sent) <= 3
    assert len(sent) == 4 * 3


def test_tokens_of_the_last_hour_count() -> None:
    clock = Clock()
    budget = Budget(100, 50, clock)
    budget.take_tokens(49)
    assert not budget.is_spent
    clock.now += 1800
    budget.take_tokens(30)
    assert budget.is_spent
    clock.now += 1800
    assert not budget.is_spent
    budget.take_tokens(20)
    assert budget.is_spent


def test_a_dead_endpoint_is_asked_thrice_and_then_twice_a_minute() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    asked, opened = [], 0
    for clock.now in range(300):
        if not breaker.is_open:
            breaker.begin()
            asked.append(clock.now)
            opened += breaker.failed()
    assert asked[:4] == [0, 1, 2, 32]
    assert len(asked) == 2 + 10
    assert opened == 1


def test_one_trial_at_a_time() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(3):
        breaker.begin()
        breaker.failed()
    clock.now += 31
    breaker.begin()
    assert breaker.is_open
    assert breaker.succeeded()
    assert not breaker.is_open


def test_failures_that_are_not_in_a_row_open_nothing() -> None:
    breaker = Breaker(Clock())
    for _ in range(10):
        assert not breaker.failed()
        assert not breaker.failed()
        assert not breaker.succeeded()
        assert not breaker.is_open
