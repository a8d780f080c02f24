from typing import Any

import pytest

from predictors.rollout.spec import Strategy
from predictors.rollout.terminal.strategy import BadStrategy, Wishes, strategy_of


def weights(strategy: Strategy) -> list[tuple[int, int]]:
    return [(step.weight, step.hold) for step in strategy.steps]


def test_nothing_said_is_the_default() -> None:
    assert strategy_of("", Wishes()) == Strategy()


def test_steps_and_their_hold() -> None:
    strategy = strategy_of("", Wishes(steps="10, 50%,100", hold="1m", pause_before="50,100"))
    assert weights(strategy) == [(10, 60), (50, 60), (100, 0)]
    assert strategy.pause_before == (50, 100)


def test_a_hold_alone_is_that_of_the_default_steps() -> None:
    assert weights(strategy_of("", Wishes(hold="7s"))) == [(5, 7), (25, 7), (50, 7), (100, 0)]


def test_options_win_over_the_file() -> None:
    text = "routing: pair\ndrain: 5s\nsteps: [{weight: 30, hold: 9s}, {weight: 100}]\nmetrics: {interval: 2s}"
    wishes = Wishes(fields=(("routing", "canary"), ("onFailure", "")), metrics=(("prometheusUrl", "http://p"),))
    strategy = strategy_of(text, wishes)
    assert (strategy.routing, strategy.drain, strategy.on_failure) == ("canary", 5, "rollback")
    assert (strategy.metrics.interval, strategy.metrics.prometheus_url) == (2, "http://p")
    assert weights(strategy) == [(30, 9), (100, 0)]


@pytest.mark.parametrize(
    ("text", "wishes", "says"),
    [
        ("", {"steps": "10,many"}, "--steps takes weights"),
        ("", {"steps": "10,50"}, "the last must be 100"),
        ("", {"hold": "soon"}, "'soon' is not a duration"),
        ("", {"pause_before": "70"}, "no step has the weight 70"),
        ("- a list", {}, "has no fields"),
        ("a: [", {}, "is not YAML"),
        ("unknown: 1", {}, "unknown"),
    ],
)
def test_what_is_no_strategy_is_said(text: str, wishes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadStrategy, match=says):
        strategy_of(text, Wishes(**wishes))
