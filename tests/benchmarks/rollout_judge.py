"""How fast the judge of rollouts is, how often it is wrong, and what a look costs: ``make bench-judge``.

Simulated rollouts with the default steps (5% for 2 minutes, 25% for 5 minutes, then 50%) and a look every 5 seconds:

  detection     seconds until a canary with more errors fails, by the errors and by the traffic
  false alarms  share of good canaries that ever fail, and of bad ones that ever pass
  passing       seconds until a good canary reaches 50%
  cost          of a look, after hours

The tables are printed; a run with the default number of rollouts also writes rollout-judge.md and rollout-judge.svg to
docs/benchmarks. It takes about ten minutes on one core.

  python -m tests.benchmarks.rollout_judge --rollouts 20     a first look, printed only
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from predictors.rollout.judge import Judge, Outcome
from predictors.rollout.signals import Interval
from tests.benchmarks.output import Grid, progress, show_grids
from tests.live import ROOT
from tests.unit.rollout.judge.traffic import ErrorRollouts, Rollout, Variant

ROLLOUTS = 400
POINTS = (2, 3, 5, 10, 20, 50, 100)
TRAFFIC = (1, 10, 100)
STABLE_ERRORS = 0.001
HOURS = 4
# Okabe and Ito's palette, which people with any colour vision can tell apart.
COLOURS = ("#D55E00", "#0072B2", "#009E73")


class Detection(NamedTuple):
    """How long it took until a canary failed.

    Args:
        points: its errors, points above stable's.
        traffic: requests/s of both variants together.
        median, late: seconds; the latter of the slowest 5%; infinity: not within the simulated hours.
        caught: share that failed before it reached 50%.
    """

    points: int
    traffic: int
    median: float
    late: float
    caught: float


def detect(count: int, points: int, traffic: int) -> Detection:
    """Simulate rollouts of a canary with errors."""
    rollouts = ErrorRollouts(rate=traffic, count=count, limit=HOURS * 3600)
    failed, _ = rollouts.run(
        STABLE_ERRORS, min(STABLE_ERRORS + points / 100, 1.0), np.random.default_rng(points * traffic)
    )
    median, late = np.quantile(failed, (0.5, 0.95), method="higher")
    return Detection(points, traffic, float(median), float(late), float(np.isfinite(failed).mean()))


def errors_of_judgement(count: int) -> Grid:
    """How often the check of errors alone is wrong, with as many looks as four hours have."""
    rows = []
    for stable, more in ((0.0, 0.0), (0.001, 0.0), (0.01, 0.0), (0.05, 0.0), (0.001, 0.01), (0.01, 0.01), (0.05, 0.01)):
        rollouts = ErrorRollouts(rate=100, count=count, limit=HOURS * 3600, until=3)
        failed, passed = rollouts.run(stable, stable + more, np.random.default_rng(5))
        shares = (np.isfinite(failed).mean(), np.isfinite(passed).mean())
        kind = "equal" if not more else "at the bound"
        rows.append((kind, f"{stable:.1%}", f"{stable + more:.1%}", *(f"{share:.1%}" for share in shares)))
    return Grid("Errors alone", ("canary", "stable's errors", "canary's", "failed", "promoted"), rows)


def whole_rollouts(count: int) -> Grid:
    """Rollouts with all default checks of a classifier: errors, latency, labels, confidence."""
    good = Variant(errors=STABLE_ERRORS)
    variants = {
        "equal": good,
        "3 times as slow": Variant(errors=STABLE_ERRORS, median=0.06),
        "twice as slow": Variant(errors=STABLE_ERRORS, median=0.04),
        "20% errors": Variant(errors=0.2),
        "labels swapped (40% changed)": Variant(errors=STABLE_ERRORS, labels=(0.1, 0.3, 0.6)),
        "less confident": Variant(errors=STABLE_ERRORS, sure=3.0),
    }
    rows = []
    for name, canary in variants.items():
        random, number = np.random.default_rng(6), 4 * count if canary is good else count
        ends = [Rollout(limit=5400).run(good, canary, random) for _ in range(number)]
        seconds = np.array([end.seconds for end in ends])
        outcomes = [end.outcome for end in ends]
        shares = [f"{outcomes.count(outcome) / number:.1%}" for outcome in (Outcome.FAIL, Outcome.PASS)]
        rows.append((name, *shares, *(f"{value:,.0f}" for value in np.quantile(seconds, (0.5, 0.95), method="higher"))))
    columns = ("canary", "failed", "reached 50%", "seconds, median", "95th percentile")
    return Grid("All checks of a classifier, 10 requests/s", columns, rows)


def passing(count: int) -> Grid:
    """Seconds until a canary that is as good as stable reaches 50%, by the check of errors."""
    rows = []
    for traffic in TRAFFIC:
        for errors in (0.0, 0.001, 0.01):
            rollouts = ErrorRollouts(rate=traffic, count=count, limit=HOURS * 3600)
            _, passed = rollouts.run(errors, errors, np.random.default_rng(7))
            median, late = np.quantile(passed, (0.5, 0.95), method="higher")
            rows.append((f"{traffic}", f"{errors:.1%}", duration(float(median)), duration(float(late))))
    return Grid("Until 50%", ("requests/s", "errors of both", "seconds, median", "95th percentile"), rows)


def cost() -> Grid:
    """Processor time of a look."""
    random, judge, variant = np.random.default_rng(8), Judge(None, 0.95), Variant()
    intervals = [
        Interval(0, 5, 25, variant.sample(380, random), variant.sample(120, random)) for _ in range(3 * 3600 // 5)
    ]
    for interval in intervals:
        judge.add(interval)
    adding, judging = [], []
    for interval in intervals[:400]:
        started = time.process_time()
        judge.add(interval)
        added = time.process_time()
        judge.verdict()
        adding.append(added - started)
        judging.append(time.process_time() - added)
    figures = [f"{np.median(times) * 1000:.2f} ms" for times in (adding, judging)]
    return Grid("A look after three hours, four checks", ("add an interval", "verdict"), [tuple(figures)])


def whole_count(rollouts: int) -> int:
    """Rollouts with all checks take longer, so there are fewer."""
    return max(rollouts // 10, 1)


def duration(seconds: float) -> str:
    return f"{seconds:,.0f}" if np.isfinite(seconds) else f"over {HOURS} hours"


def detections(found: list[Detection]) -> Grid:
    """The table of what the plot shows."""
    rows = [
        (f"+{one.points}", f"{one.traffic}", duration(one.median), duration(one.late), f"{one.caught:.1%}")
        for one in found
    ]
    columns = ("points of errors", "requests/s", "seconds, median", "95th percentile", "failed before 50%")
    return Grid("Detection", columns, rows)


def draw(found: list[Detection]) -> str:
    """An SVG plot: seconds by points, both logarithmic, a line for each traffic."""
    width, height, left, top, right, bottom = 720, 400, 70, 40, 150, 50
    low, high = 5.0, HOURS * 3600.0

    def x(points: float) -> float:
        return float(left + np.log(points / POINTS[0]) / np.log(POINTS[-1] / POINTS[0]) * (width - left - right))

    def y(seconds: float) -> float:
        return float(height - bottom - np.log(seconds / low) / np.log(high / low) * (height - top - bottom))

    def path(values: Sequence[tuple[float, float]], style: str) -> str:
        points = " ".join(f"{x(points):.1f},{y(max(seconds, low)):.1f}" for points, seconds in values)
        return f'<polyline points="{points}" fill="none" stroke-width="2" {style}/>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="20" font-size="14">Time until a canary with more errors fails</text>',
    ]
    ticks = {5: "5 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 14400: "4 h"}
    for seconds, label in ticks.items():
        parts.append(
            f'<path d="M{left} {y(seconds):.1f}H{width - right}" stroke="#dddddd"/>'
            f'<text x="{left - 8}" y="{y(seconds) + 4:.1f}" text-anchor="end">{label}</text>'
        )
    parts += [
        f'<text x="{x(points):.1f}" y="{height - bottom + 18}" text-anchor="middle">+{points}</text>'
        for points in POINTS
    ]
    middle = (left + width - right) / 2
    parts.append(f'<text x="{middle}" y="{height - 10}" text-anchor="middle">points of errors above stable\'s</text>')
    for traffic, colour in zip(TRAFFIC, COLOURS, strict=True):
        of = [one for one in found if one.traffic == traffic]
        medians = [(one.points, one.median) for one in of if np.isfinite(one.median)]
        late = [(one.points, one.late) for one in of if np.isfinite(one.late)]
        parts.append(path(medians, f'stroke="{colour}"'))
        parts.append(path(late, f'stroke="{colour}" stroke-dasharray="4 3"'))
    for place, (traffic, colour) in enumerate(zip(TRAFFIC, COLOURS, strict=True)):
        down = top + 20 + place * 20
        parts.append(
            f'<path d="M{width - right + 12} {down}h24" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{width - right + 42}" y="{down + 4}">{traffic} requests/s</text>'
        )
    down = top + 20 + len(TRAFFIC) * 20 + 10
    for text, dash in (("median", ""), ("95th percentile", ' stroke-dasharray="4 3"')):
        parts.append(
            f'<path d="M{width - right + 12} {down}h24" stroke="#444444" stroke-width="2"{dash}/>'
            f'<text x="{width - right + 42}" y="{down + 4}">{text}</text>'
        )
        down += 20
    return "\n".join([*parts, "</svg>", ""])


def report(grids: list[Grid], rollouts: int) -> str:
    """The page in docs/benchmarks."""
    texts = (
        f"""{rollouts} rollouts each. Stable has {STABLE_ERRORS:.1%} of errors. A canary of +1 point is at the bound: neither
is it sure to be worse by more than a point, nor sure not to be, and a rollout waits until its `evidenceLimit`.""",
        """Looks every 5 seconds for 4 hours, 100 requests/s, with the share of a false alarm that one of five checks has (1%).
"At the bound" is the worst case: at most 1% may fail, and at most 5% be promoted.""",
        f"""{whole_count(rollouts)} rollouts each, and 4 times as many of equal variants. Latencies are lognormal (20 ms,
sigma 0.5). Rollouts end at 50%, with a Fail, or after 90 minutes.""",
        """The rule of three: without an error, 300 requests of the canary make it 95% sure that less than 1 point fails. More
errors of both need more requests.""",
        "Processor time on the machine that ran it.",
    )
    parts = [
        "# The judge of rollouts, simulated",
        "Written by `make bench-judge`; default steps, a look every 5 seconds.",
    ]
    parts.append("![time until a canary with more errors fails](rollout-judge.svg)")
    for grid, text in zip(grids, texts, strict=True):
        parts += [f"## {grid.title}", text, grid.markdown()]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=ROLLOUTS, help="number of each kind (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, help="where files are written (default: docs/benchmarks, if none are left out)"
    )
    options = parser.parse_args()
    if options.out is None and options.rollouts >= ROLLOUTS:
        options.out = ROOT / "docs/benchmarks"
    say = progress()
    found = []
    for traffic in TRAFFIC:
        for points in POINTS:
            say(f"+{points} points at {traffic} requests/s")
            found.append(detect(options.rollouts, points, traffic))
    say("false alarms")
    grids = [detections(found), errors_of_judgement(options.rollouts)]
    say("whole rollouts")
    grids += [whole_rollouts(whole_count(options.rollouts)), passing(options.rollouts), cost()]
    show_grids(grids, Console(width=110))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "rollout-judge.md").write_text(report(grids, options.rollouts))
        (options.out / "rollout-judge.svg").write_text(draw(found))


if __name__ == "__main__":
    main()
