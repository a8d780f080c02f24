"""The judge: intervals in, a verdict out."""

from collections.abc import Sequence

from predictors.rollout.judge.checks import AGREEMENT, ALWAYS, ASPECTS, Aspect, Comparison, levels
from predictors.rollout.judge.custom import Custom
from predictors.rollout.judge.pool import Pool, size
from predictors.rollout.judge.rates import Alone
from predictors.rollout.judge.subject import Subject
from predictors.rollout.judge.verdict import Finding, Verdict
from predictors.rollout.signals import Interval, Sample
from predictors.rollout.spec import Check


class Judge:
    """Compares a canary with stable over the intervals in which both had traffic.

    For one canary: another one, or the same one after it lost all of its traffic for a change, needs a new judge.
    Intervals are added in their order, each once, and at any pace: looking more often, or for longer, makes no
    verdict less sure. What the judge keeps does not grow with time.

    What the driver has to know:

    - An interval of weight 0 shows nothing of a canary but `agreement` and `custom`. As long as all intervals were
      such (or of weight 100, where stable has no traffic), the other checks are left out of the verdict. So the
      verdict with which a step is left must follow an interval of that step.
    - Fail stays. Pass does not: a canary that gets worse later loses it before it fails.
    - Before the first interval, and until a metric of a named check appears, checks are not yet decided, and say
      which metric they lack.
    - A judge that starts anew (the controller restarted) knows nothing: it waits again, it does not pass.

    Args:
        checks: what to compare; None: errors, latency, and what both variants export of labels, confidence,
            summaries and agreement.
        confidence: with which a check passes, and with which no check at all fails wrongly, at all looks together.
    """

    def __init__(self, checks: Sequence[Check] | None, confidence: float) -> None:
        named = checks is not None
        if checks is None:
            checks = [*(Check(type=kind) for kind in ASPECTS), Check(type="agreement")]
        sharing = sum(check.type != "custom" for check in checks)
        self._contests: list[_Contest] = []
        self._solos: list[_Solo] = []
        for check in checks:
            if check.type in ASPECTS:
                self._contests.append(_Contest(check, named, confidence, sharing))
            else:
                self._solos.append(_Solo(check, named, confidence, sharing))
        self._pool = Pool()
        self._intervals = self._shared = 0

    def add(self, interval: Interval) -> None:
        """Add what was seen of both variants over one interval."""
        self._intervals += 1
        for solo in self._solos:
            solo.add(interval.canary)
        if 0 < interval.weight < 100:
            self._shared += 1
            pooled = self._pool.add(interval)
            if pooled is not None:
                for contest in self._contests:
                    contest.add(pooled)

    def verdict(self) -> Verdict:
        """What is known now; a Pass if there is nothing to check."""
        parts: list[_Contest | _Solo] = [*self._solos]
        if self._shared or not self._intervals:
            parts = [*self._contests, *self._solos]
        return Verdict.of(tuple(finding for part in parts for finding in part.findings()))


class _Contest:
    """A check that compares both variants, by one signal or several."""

    def __init__(self, check: Check, named: bool, confidence: float, sharing: int) -> None:
        self._check = check
        aspects = ASPECTS[check.type]
        self._expected = named or check.type in ALWAYS
        self._comparisons: dict[Aspect, Comparison] = {}
        self._seen: dict[str, set[Aspect]] = {"stable": set(), "canary": set()}
        for aspect in aspects:
            bound = check.bound if check.bound is not None and aspect.scaled else aspect.bound
            name = f"{check.label}: {aspect.suffix}" if aspect.suffix else check.label
            subject = Subject(name, check.type, bound, confidence, levels(confidence, sharing * len(aspects)))
            self._comparisons[aspect] = aspect.make(subject, check)
        self._subject = Subject(check.label, check.type, bound, confidence, levels(confidence, sharing))

    def add(self, interval: Interval) -> None:
        for aspect, comparison in self._comparisons.items():
            stable, canary = interval.stable.get(aspect.signal), interval.canary.get(aspect.signal)
            for variant, signal in (("stable", stable), ("canary", canary)):
                if size(signal) > 0:
                    self._seen[variant].add(aspect)
            if stable is not None and canary is not None:
                comparison.add(stable, canary)

    def findings(self) -> list[Finding]:
        both = self._seen["stable"] & self._seen["canary"]
        if not both and self._expected:
            missing = " or ".join(variant for variant, seen in self._seen.items() if not seen)
            signals = ", ".join(aspect.signal for aspect in self._comparisons)
            return [self._subject.waits(f"nothing of {signals} has been seen of {missing or 'both'}")]
        return [comparison.finding() for aspect, comparison in self._comparisons.items() if aspect in both]


class _Solo:
    """A check of the canary's sample alone."""

    def __init__(self, check: Check, named: bool, confidence: float, sharing: int) -> None:
        self._key = f"custom:{check.label}" if check.type == "custom" else "agreement"
        self._expected = named
        self._seen = False
        bound = check.bound if check.bound is not None else 0.0 if check.type == "custom" else AGREEMENT
        self._subject = Subject(check.label, check.type, bound, confidence, levels(confidence, sharing))
        self._custom = Custom(self._subject, check.min, check.max) if check.type == "custom" else None
        self._alone = Alone(self._subject)

    def add(self, canary: Sample) -> None:
        signal = canary.get(self._key)
        self._seen = self._seen or signal is not None
        if self._custom:
            self._custom.add(signal)
        elif signal is not None:
            self._alone.add(signal, canary.get("confusion"))

    def findings(self) -> list[Finding]:
        if not self._seen:
            return [self._subject.waits(f"nothing of {self._key} has been seen")] if self._expected else []
        return [self._custom.finding() if self._custom else self._alone.finding()]
