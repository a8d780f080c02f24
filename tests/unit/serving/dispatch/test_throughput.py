"""When to come back."""

from predictors.serving.dispatch.throughput import Throughput


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def answer(pace: Throughput, clock: Clock, seconds: float) -> None:
    pace.begin()
    clock.now += seconds
    pace.end()


def test_before_anything_was_measured_it_is_a_second() -> None:
    assert Throughput(Clock()).seconds_for(1000) == 1


def test_it_is_the_time_that_those_before_will_take() -> None:
    clock = Clock()
    pace = Throughput(clock)
    for _ in range(5):
        answer(pace, clock, 3.0)
    assert pace.seconds_for(4) == 12
    assert pace.seconds_for(0) == 1


def test_idle_time_does_not_count() -> None:
    clock = Clock()
    pace = Throughput(clock)
    answer(pace, clock, 2.0)
    clock.now += 1000
    answer(pace, clock, 2.0)
    assert pace.seconds_for(10) == 20


def test_answers_at_once_share_the_time() -> None:
    clock = Clock()
    pace = Throughput(clock)
    for _ in range(4):
        pace.begin()
    clock.now += 8
    for _ in range(4):
        pace.end()
    assert pace.seconds_for(4) < 4 * 8


def test_it_follows_a_change() -> None:
    clock = Clock()
    pace = Throughput(clock)
    for _ in range(20):
        answer(pace, clock, 1.0)
    for _ in range(20):
        answer(pace, clock, 5.0)
    assert 45 <= pace.seconds_for(10) <= 50


def test_what_was_refused_does_not_count() -> None:
    clock = Clock()
    pace = Throughput(clock)
    for _ in range(5):
        answer(pace, clock, 3.0)
    for _ in range(100):
        pace.begin()
        pace.end(0)
    assert pace.seconds_for(4) == 12
