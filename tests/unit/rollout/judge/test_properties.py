"""What holds for any counts."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.rollout.judge import Finding, Judge, Outcome
from predictors.rollout.signals import Distribution, Interval, Rate, Sample, Shares, Signal, Value
from predictors.rollout.spec import Check

RATES = ("errors", "summary_empty", "summary_cut", "summary_quoted")
HISTOGRAMS = ("latency", "confidence", "summary_points", "tokens_per_second", "time_to_first_token")
CHECKS = [
    *(Check(type=kind) for kind in ("errors", "latency", "labels", "confidence", "summaries", "agreement")),
    Check(type="custom", name="own", query="x", min=0.0),
]
BETTER_FIRST = [Outcome.PASS, Outcome.NOT_YET, Outcome.FAIL]

numbers = st.one_of(st.integers(0, 40), st.sampled_from([10_000, 10**7]))
rates = st.tuples(numbers, numbers).map(lambda pair: Rate(min(pair), max(pair)))
bounds = st.sampled_from([(), (0.0, 1.0, 2.0), (0.01, 0.02, 0.05, 1.0), (0.02, 1.0, 5.0), (3.0,)])
histograms = bounds.flatmap(
    lambda ends: st.tuples(*[numbers] * (len(ends) + 1)).map(
        lambda counts: Distribution(ends, counts, float(sum(counts)))
    )
)
shares = st.dictionaries(st.sampled_from("abcdefgh"), numbers).map(Shares)
samples: st.SearchStrategy[Sample] = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys((*RATES, "agreement"), rates),
        **dict.fromkeys(HISTOGRAMS, histograms),
        **dict.fromkeys(("labels", "confusion"), shares),
        "custom:own": st.one_of(st.none(), st.floats()).map(Value),
    },
)
intervals = st.builds(
    Interval,
    start=st.just(0.0),
    end=st.just(5.0),
    weight=st.sampled_from([0, 5, 50, 100]),
    stable=samples,
    canary=samples,
)


def is_sound(finding: Finding) -> bool:
    """All numbers are finite, the interval is not empty, and it says what the outcome says."""
    values = (finding.stable, finding.canary, finding.low, finding.high)
    finite = all(value is None or not math.isnan(value) for value in values)
    if finding.type == "custom":
        return finite
    passes = finding.high is not None and finding.high <= finding.bound
    fails = finding.low is not None and finding.low >= finding.bound
    told = {Outcome.PASS: passes, Outcome.FAIL: fails, Outcome.NOT_YET: not fails}
    return finite and told[finding.outcome] and bool(finding.message)


@settings(deadline=None, max_examples=20)
@given(st.lists(intervals, max_size=6), st.sampled_from([None, CHECKS]), st.floats(0.5, 0.9999))
def test_a_judge_takes_anything_and_its_findings_are_sound(
    seen: list[Interval], checks: list[Check] | None, confidence: float
) -> None:
    judge = Judge(checks, confidence)
    for interval in seen:
        judge.add(interval)
        verdict = judge.verdict()
        assert all(is_sound(finding) for finding in verdict.findings)
        assert verdict.outcome is max(
            (f.outcome for f in verdict.findings), key=BETTER_FIRST.index, default=Outcome.PASS
        )
        assert verdict.message


@settings(deadline=None, max_examples=20)
@given(st.lists(samples, max_size=8))
def test_variants_that_do_exactly_the_same_never_fail(seen: list[Sample]) -> None:
    judge = Judge(None, 0.95)
    for sample in seen:
        same = {name: signal for name, signal in sample.items() if name != "agreement"}
        judge.add(Interval(0, 5, 50, same, same))
        assert judge.verdict().outcome is not Outcome.FAIL


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60), st.integers(1, 25))
def test_more_failures_are_not_better(requests: int, fewer: int, more: int, looks: int) -> None:
    def outcome(bad: int) -> Outcome:
        judge = Judge([Check(type="errors")], 0.95)
        for _ in range(looks):
            judge.add(Interval(0, 5, 50, {"errors": Rate(1, 100)}, {"errors": Rate(min(bad, requests), requests)}))
        return judge.verdict().outcome

    least, most = sorted((fewer, more))
    assert BETTER_FIRST.index(outcome(least)) <= BETTER_FIRST.index(outcome(most))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 6), st.integers(0, 6), st.integers(1, 20))
def test_slower_is_not_better(one: int, other: int, looks: int) -> None:
    ends = tuple(1.26**step for step in range(8))

    def outcome(place: int) -> Outcome:
        judge = Judge([Check(type="latency")], 0.95)
        for _ in range(looks):
            latency = [Distribution(ends, tuple(20 * (bucket == at) for bucket in range(9)), 0.0) for at in (2, place)]
            judge.add(Interval(0, 5, 50, {"latency": latency[0]}, {"latency": latency[1]}))
        return judge.verdict().outcome

    fast, slow = sorted((one, other))
    assert BETTER_FIRST.index(outcome(fast)) <= BETTER_FIRST.index(outcome(slow))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(shares, shares), min_size=1, max_size=5), st.permutations("abcdefgh"))
def test_names_of_labels_do_not_matter(seen: list[tuple[Shares, Shares]], names: list[str]) -> None:
    renamed = dict(zip("abcdefgh", names, strict=True))

    def finding(rename: dict[str, str]) -> Finding:
        judge = Judge([Check(type="labels")], 0.95)
        for pair in seen:
            signals: list[Signal] = [Shares({rename[name]: n for name, n in one.counts.items()}) for one in pair]
            judge.add(Interval(0, 5, 50, {"labels": signals[0]}, {"labels": signals[1]}))
        return judge.verdict().findings[0]

    plain, other = finding({name: name for name in "abcdefgh"}), finding(renamed)
    assert (plain.outcome, plain.low, plain.samples) == (other.outcome, other.low, other.samples)
