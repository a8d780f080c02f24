"""How the time of a request is shared."""

import pytest

from predictors.serving.model.types import Job
from predictors.summarizer.allowance import Allowance


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_something_is_kept_back_for_the_answer_to_leave() -> None:
    clock = Clock()
    assert Allowance(Job(160.0), clock=clock).left == pytest.approx(58.0)
    assert Allowance(Job(102.0), clock=clock).left == pytest.approx(1.7)
    assert Allowance(Job(100.1), clock=clock).left == pytest.approx(0.0)
    assert Allowance(Job(99.0), clock=clock).left == pytest.approx(0.0)


def test_documents_have_equal_shares_of_what_is_left() -> None:
    clock = Clock()
    first = Allowance(Job(160.0), 2, clock)
    assert first.left == pytest.approx(29.0)
    clock.now += 10
    assert first.left == pytest.approx(19.0)
    assert Allowance(Job(160.0), 1, clock).left == pytest.approx(48.0)


def test_reading_ends_before_the_time_does() -> None:
    clock = Clock()
    allowance = Allowance(Job(110.0), clock=clock)
    assert allowance.may_read
    clock.now += 6
    assert not allowance.may_read
    assert allowance.left > 3 - 1e-9


def test_more_can_be_kept() -> None:
    allowance = Allowance(Job(110.0), clock=Clock())
    allowance.keep(2.5)
    assert allowance.left == pytest.approx(6.5)
