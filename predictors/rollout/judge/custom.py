"""Checks of one's own queries. They get no statistics: the query says what counts, a bound what is allowed."""

import math

from predictors.rollout.judge.subject import Subject
from predictors.rollout.judge.verdict import Finding, Outcome
from predictors.rollout.signals import Signal, Value

# One look may be an outlier, and queries with rate() move slowly.
_LOOKS = 3


class Custom:
    """Whether a value stays within bounds: it fails when it was outside at three looks in a row.

    Args:
        subject: of the check.
        least, most: the bounds; None: there is none on this side.
    """

    def __init__(self, subject: Subject, least: float | None, most: float | None) -> None:
        self._subject = subject
        self._least = -math.inf if least is None else least
        self._most = math.inf if most is None else most
        self._value: float | None = None
        self._outside = 0
        self._failed = False

    def add(self, signal: Signal | None) -> None:
        """Add a look; without a number, the looks before it do not count as a row."""
        value = signal.value if isinstance(signal, Value) else None
        self._value = None if value is None or math.isnan(value) else value
        if self._value is None or self._least <= self._value <= self._most:
            self._outside = 0
        else:
            self._outside += 1
        self._failed = self._failed or self._outside >= _LOOKS

    def finding(self) -> Finding:
        """What is known now."""
        if self._value is None and not self._failed:
            return self._subject.waits("the query gave no number")
        allowed = f"allowed is {self._least:g} to {self._most:g}".replace("-inf", "anything").replace("inf", "anything")
        if self._failed:
            outcome, message = Outcome.FAIL, f"outside at {_LOOKS} looks in a row"
        elif self._outside:
            outcome, message = Outcome.NOT_YET, f"outside at the last {self._outside} of {_LOOKS} looks"
        else:
            outcome, message = Outcome.PASS, "inside"
        ends = (self._value, self._value)
        shown = "no number" if self._value is None else f"{self._value:g}"
        return Finding(
            self._subject.name,
            self._subject.type,
            outcome,
            None,
            self._value,
            self._subject.bound,
            *ends,
            self._subject.confidence,
            0,
            f"{shown}: {message}; {allowed}",
        )
