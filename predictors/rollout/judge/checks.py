"""What each type of check compares, and its bound where the user gives none."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from predictors.rollout.judge.bracket import Levels
from predictors.rollout.judge.mix import Mix
from predictors.rollout.judge.rates import Difference
from predictors.rollout.judge.ratios import Ratio, Slowness
from predictors.rollout.judge.shape import Shape
from predictors.rollout.judge.subject import Subject
from predictors.rollout.judge.verdict import Finding
from predictors.rollout.signals import Signal
from predictors.rollout.spec import Check

# What new connections, cold caches and the network between two pods make of a latency.
SLACK_SECONDS = 0.002


class Comparison(Protocol):
    """Compares a signal of the two variants."""

    def add(self, stable: Signal, canary: Signal) -> None:
        """Add both variants' signals of one interval."""

    def finding(self) -> Finding:
        """What is known now."""


class Aspect(NamedTuple):
    """One signal that a check looks at.

    Args:
        signal: its name.
        suffix: of the finding's name.
        bound: of this signal, by default.
        scaled: whether the check's own bound takes its place.
        make: what compares it.
    """

    signal: str
    suffix: str
    bound: float
    scaled: bool
    make: Callable[[Subject, Check], Comparison]


def _rate(things: str, verb: str) -> Callable[[Subject, Check], Comparison]:
    return lambda subject, _: Difference(subject, things, verb)


def _latency(subject: Subject, check: Check) -> Comparison:
    slack = SLACK_SECONDS if check.slack is None else check.slack
    return Ratio(subject, check.quantile, slack=slack)


ASPECTS: Mapping[str, tuple[Aspect, ...]] = {
    "errors": (Aspect("errors", "", 0.01, True, _rate("requests", "failed")),),
    "latency": (Aspect("latency", "", 1.25, True, _latency),),
    "labels": (Aspect("labels", "", 0.15, True, lambda subject, _: Mix(subject, "labels")),),
    "confidence": (Aspect("confidence", "", 0.15, True, lambda subject, _: Shape(subject, "confidences")),),
    "summaries": (
        Aspect(
            "summary_points", "length", 0.2, True, lambda subject, _: Shape(subject, "summaries' numbers of points")
        ),
        Aspect("summary_empty", "empty", 0.02, True, _rate("summaries", "were empty")),
        Aspect("summary_cut", "cut", 0.05, True, _rate("summaries", "were cut short")),
        Aspect("summary_quoted", "quoted", 0.1, True, _rate("points", "were quotations")),
        Aspect("tokens_per_second", "speed", 1.25, False, lambda subject, _: Slowness(subject, 0.5)),
        Aspect("time_to_first_token", "first token", 1.25, False, lambda subject, _: Ratio(subject, 0.5)),
    ),
}
# Compared whether or not anything has been seen of them; the others, once their signals appear.
ALWAYS = ("errors", "latency")
AGREEMENT = 0.05


def levels(confidence: float, sharing: int) -> Levels:
    """Levels of error of one of some comparisons that share what the confidence leaves."""
    left = 1 - confidence
    return Levels(left / max(sharing, 1), left)
