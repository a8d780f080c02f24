"""What the judge says."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Of a check, or of all of them.

    Pass and Fail are sure, with the confidence that was asked for; not yet: more has to be seen.
    """

    PASS = "Pass"  # noqa: S105
    FAIL = "Fail"
    NOT_YET = "NotYet"


@dataclass(frozen=True)
class Finding:
    """What is known of one check.

    Args:
        name: of the check; findings of `summaries` are named `summaries: length` and so on.
        type: of the check.
        outcome: of this check alone.
        stable, canary: what is compared, of each variant; None: nothing is known yet.
        bound: how much worse the canary may be, as the effect is measured.
        low, high: the effect is between them; None: that end is not known. With a Pass, high is at most the bound;
            with a Fail, low is at least the bound.
        confidence: of the interval, at all looks together.
        samples: how many of the canary's requests, or other things, were looked at.
        message: one sentence for people.
    """

    name: str
    type: str
    outcome: Outcome
    stable: float | None
    canary: float | None
    bound: float
    low: float | None
    high: float | None
    confidence: float
    samples: int
    message: str


_WORST_FIRST = (Outcome.FAIL, Outcome.NOT_YET, Outcome.PASS)


@dataclass(frozen=True)
class Verdict:
    """All findings: one Fail makes a Fail, and only a Pass of every check makes a Pass."""

    outcome: Outcome
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: tuple[Finding, ...]) -> "Verdict":
        """The verdict that follows from findings; a Pass if there is none."""
        found = {finding.outcome for finding in findings}
        return cls(next((outcome for outcome in _WORST_FIRST if outcome in found), Outcome.PASS), findings)

    @property
    def message(self) -> str:
        """The worst finding in one sentence."""
        for finding in self.findings:
            if finding.outcome is self.outcome and self.outcome is not Outcome.PASS:
                return f"{finding.name}: {finding.message}"
        if not self.findings:
            return "nothing to compare"
        return "the check passed" if len(self.findings) == 1 else f"all {len(self.findings)} checks passed"
