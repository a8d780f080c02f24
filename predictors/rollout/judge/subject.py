"""What a comparison has to know of its check."""

from dataclasses import dataclass
from typing import NamedTuple

from predictors.rollout.judge.bracket import Levels
from predictors.rollout.judge.verdict import Finding, Outcome


class Ends(NamedTuple):
    """An interval of an effect; None: that end is not known."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class Subject:
    """A check, as a comparison sees it.

    Args:
        name, type: of the finding.
        bound: how much worse the canary may be.
        confidence: of the rollout.
        levels: of error.
    """

    name: str
    type: str
    bound: float
    confidence: float
    levels: Levels

    def waits(self, message: str) -> Finding:
        """A finding without numbers."""
        return Finding(
            self.name, self.type, Outcome.NOT_YET, None, None, self.bound, None, None, self.confidence, 0, message
        )

    def finds(
        self, outcome: Outcome, values: tuple[float | None, float], ends: Ends, samples: float, message: str
    ) -> Finding:
        """A finding with numbers.

        Args:
            outcome: of the check.
            values: stable's and the canary's.
            ends: of the effect.
            samples: the canary's.
            message: for people.
        """
        return Finding(
            self.name, self.type, outcome, *values, self.bound, *ends, self.confidence, round(samples), message
        )
