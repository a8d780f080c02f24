"""How much traffic a verdict takes: the judge itself is asked, with made-up requests of two variants that are alike."""

from collections.abc import Sequence

from predictors.rollout.judge.judge import Judge
from predictors.rollout.judge.verdict import Outcome
from predictors.rollout.signals import Interval, Rate
from predictors.rollout.spec import Check, Strategy

# So many intervals the traffic of a step is seen in. More would cost time and change little.
_INTERVALS = 20
_MOST = 1 << 20


def requests_for_a_pass(strategy: Strategy, weight: int) -> int | None:
    """Requests of the canary, none of which fails, after which the check of errors passes; to about a tenth.

    Args:
        strategy: with the checks.
        weight: of the step, percent, below 100.

    Returns:
        None: there is no such check, or it does not pass by any number.
    """
    checks = strategy.checks
    if weight >= 100 or (checks is not None and all(check.type != "errors" for check in checks)):
        return None
    requests = _INTERVALS
    while not _passes(checks, strategy.confidence, weight, requests):
        requests += max(_INTERVALS, requests // 10)
        if requests > _MOST:
            return None
    return requests


def _passes(checks: Sequence[Check] | None, confidence: float, weight: int, requests: int) -> bool:
    judge = Judge(checks, confidence)
    each = requests // _INTERVALS
    for number in range(_INTERVALS):
        stable, canary = Rate(0, each * (100 - weight) // weight), Rate(0, each)
        judge.add(Interval(number, number + 1.0, weight, {"errors": stable}, {"errors": canary}))
    found = [finding for finding in judge.verdict().findings if finding.type == "errors"]
    return bool(found) and all(finding.outcome is Outcome.PASS for finding in found)
