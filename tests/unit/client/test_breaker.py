import threading

from hypothesis import given
from hypothesis import strategies as st

from predictors.client.policy.breaker import Breaker, Permit
from predictors.client.policy.settings import BreakerPolicy

POLICY = BreakerPolicy(failure_rate=0.5, minimum_calls=4, window=10, open_for=5)


def permit(breaker: Breaker, now: float) -> Permit:
    given = breaker.admit(now)
    assert isinstance(given, Permit)
    return given


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    for _ in range(4):
        breaker.report(permit(breaker, now), now, True)
    assert not isinstance(breaker.admit(now), Permit)
    return breaker


def test_too_few_calls_open_nothing() -> None:
    breaker = Breaker(POLICY)
    for _ in range(3):
        breaker.report(permit(breaker, 0), 0, True)
    assert isinstance(breaker.admit(0), Permit)


def test_a_low_rate_opens_nothing() -> None:
    breaker = Breaker(POLICY)
    for i in range(100):
        breaker.report(permit(breaker, 0), 0, i % 3 == 0 and i > 3)
    assert isinstance(breaker.admit(0), Permit)


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker(POLICY)
    for now in range(0, 100, 5):  # never four within ten seconds
        breaker.report(permit(breaker, now), now, True)
    assert isinstance(breaker.admit(100), Permit)


def test_one_probe_at_a_time() -> None:
    breaker = opened()
    first = permit(breaker, 5)
    assert breaker.admit(5) == 0
    breaker.report(first, 6, None)  # given up: another may try
    second = permit(breaker, 6)
    breaker.report(second, 6, False)
    assert isinstance(breaker.admit(6), Permit)
    assert isinstance(breaker.admit(6), Permit)


def test_what_was_sent_before_it_opened_decides_nothing_afterwards() -> None:
    breaker = Breaker(POLICY)
    late = permit(breaker, 0)
    for _ in range(4):
        breaker.report(permit(breaker, 0), 0, True)
    probe = permit(breaker, 5)
    breaker.report(late, 5, False)
    assert breaker.admit(5) == 0  # the probe is still out
    breaker.report(probe, 5, True)
    assert breaker.admit(6) == 4


def test_a_clock_that_is_set_back_does_not_keep_it_open() -> None:
    breaker = opened(now=1000.0)
    assert breaker.admit(0) == 5
    assert isinstance(breaker.admit(5), Permit)


def test_threads_get_one_probe_together() -> None:
    breaker = opened()
    gate = threading.Barrier(8)
    given: list[Permit | float] = []

    def ask() -> None:
        gate.wait()
        given.append(breaker.admit(5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(each, Permit) for each in given) == 1


@given(st.lists(st.tuples(st.floats(-20, 20), st.sampled_from([True, False, None])), max_size=200))
def test_it_is_never_open_for_longer_than_it_should(steps: list[tuple[float, bool | None]]) -> None:
    breaker = Breaker(POLICY)
    now = 0.0
    for step, failed in steps:
        now += step
        given = breaker.admit(now)
        if isinstance(given, Permit):
            breaker.report(given, now, failed)
        else:
            assert 0 <= given <= POLICY.open_for
            assert isinstance(breaker.admit(now + given), Permit)  # whoever waits as told gets in
            break
