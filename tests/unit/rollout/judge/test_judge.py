"""What the judge compares, what it leaves out, and what it says."""

import pytest

from predictors.rollout.judge import Judge, Outcome
from predictors.rollout.signals import Distribution, Interval, Rate, Sample, Shares, Signal, Value
from predictors.rollout.spec import Check

GOOD, BAD = Rate(0, 100), Rate(90, 100)
BOUNDS = (1.0, 1.26, 1.58, 2.0, 2.51, 3.16, 3.98, 5.01)


def at(place: int, count: int = 100, bounds: tuple[float, ...] = BOUNDS) -> Distribution:
    """All observations in one bucket."""
    return Distribution(bounds, tuple(count if bucket == place else 0 for bucket in range(len(bounds) + 1)), 0.0)


def judged(checks: list[Check] | None, stable: Sample, canary: Sample, weight: int = 50, looks: int = 12) -> Judge:
    judge = Judge(checks, 0.95)
    for look in range(looks):
        judge.add(Interval(look, look + 1, weight, stable, canary))
    return judge


def test_without_checks_it_passes() -> None:
    assert Judge([], 0.95).verdict().outcome is Outcome.PASS
    assert judged([], {"errors": GOOD}, {"errors": BAD}).verdict().outcome is Outcome.PASS


def test_before_the_first_interval_nothing_is_decided() -> None:
    verdict = Judge(None, 0.95).verdict()
    assert verdict.outcome is Outcome.NOT_YET
    assert [finding.name for finding in verdict.findings] == ["errors", "latency"]


def test_by_default_it_compares_what_both_variants_export() -> None:
    stable: Sample = {"errors": GOOD, "latency": at(2), "labels": Shares({"a": 100}), "confidence": at(1)}
    canary: Sample = {**stable, "summary_points": at(1), "summary_cut": Rate(0, 0)}
    del canary["confidence"]  # type: ignore[attr-defined]
    verdict = judged(None, stable, canary).verdict()
    assert [finding.name for finding in verdict.findings] == ["errors", "latency", "labels"]
    assert verdict.outcome is Outcome.PASS
    assert verdict.message == "all 3 checks passed"


def test_a_check_whose_metric_does_not_appear_is_not_decided_and_says_which_and_where() -> None:
    checks = [Check(type="errors"), Check(type="labels"), Check(type="agreement")]
    verdict = judged(checks, {"errors": GOOD, "labels": Shares({"a": 9})}, {"errors": GOOD}).verdict()
    assert verdict.outcome is Outcome.NOT_YET
    assert "labels has been seen of canary" in verdict.message
    assert "agreement" in verdict.findings[2].message


def test_without_traffic_for_the_canary_only_its_own_checks_count() -> None:
    checks = [Check(type="errors"), Check(type="agreement")]
    judge = judged(checks, {"errors": GOOD}, {"agreement": Rate(0, 100)}, weight=0)
    assert [finding.name for finding in judge.verdict().findings] == ["agreement"]
    assert judge.verdict().outcome is Outcome.PASS
    judge.add(Interval(50, 55, 5, {"errors": GOOD}, {}))
    assert [finding.name for finding in judge.verdict().findings] == ["errors", "agreement"]
    assert judge.verdict().outcome is Outcome.NOT_YET


@pytest.mark.parametrize("weight", [0, 100])
def test_intervals_in_which_one_variant_has_no_traffic_are_not_compared(weight: int) -> None:
    judge = judged([Check(type="errors")], {"errors": GOOD}, {"errors": GOOD})
    for look in range(20):
        judge.add(Interval(look, look + 1, weight, {"errors": GOOD}, {"errors": BAD}))
    assert judge.verdict().outcome is Outcome.PASS
    assert judge.verdict().findings[0].samples == 1200


def test_intervals_without_requests_of_one_variant_wait_for_the_next() -> None:
    judge = Judge([Check(type="errors")], 0.95)
    for look in range(200):
        stable, canary = (Rate(0, 1), Rate(0, 0)) if look % 3 else (Rate(0, 0), Rate(1, 1))
        judge.add(Interval(look, look + 1, 50, {"errors": stable}, {"errors": canary}))
    finding = judge.verdict().findings[0]
    assert finding.outcome is Outcome.FAIL
    assert finding.samples >= 66


def test_waiting_intervals_of_another_weight_are_not_mixed_in() -> None:
    judge = Judge([Check(type="errors")], 0.95)
    judge.add(Interval(0, 5, 5, {"errors": Rate(0, 50)}, {"errors": Rate(0, 0)}))
    judge.add(Interval(5, 10, 25, {"errors": Rate(0, 0)}, {"errors": Rate(1, 1)}))
    assert judge.verdict().findings[0].samples == 0


def test_a_fail_stays() -> None:
    judge = judged([Check(type="errors")], {"errors": GOOD}, {"errors": BAD}, looks=2)
    assert judge.verdict().outcome is Outcome.FAIL
    for look in range(500):
        judge.add(Interval(look, look + 1, 50, {"errors": GOOD}, {"errors": GOOD}))
    assert judge.verdict().outcome is Outcome.FAIL


def test_the_message_says_the_worst_and_how_sure_it_is() -> None:
    canary: Sample = {"errors": Rate(10, 100), "latency": at(2)}
    verdict = judged(None, {"errors": GOOD, "latency": at(2)}, canary).verdict()
    finding = verdict.findings[0]
    assert verdict.message == f"errors: {finding.message}"
    assert finding.message.startswith("120 of 1,200 requests failed (10.0%), stable 0.0% of 1,200: ")
    assert finding.low is not None
    assert 0.01 <= finding.low < 0.1
    assert (finding.stable, finding.canary, finding.bound, finding.confidence) == (0, 0.1, 0.01, 0.95)


def test_not_yet_says_how_many_more_requests_it_takes() -> None:
    message = judged([Check(type="errors")], {"errors": GOOD}, {"errors": Rate(0, 10)}).verdict().message
    assert "0 of 120 requests failed (0.0%), stable 0.0% of 1,200: needs about " in message
    assert 100 <= int(message.split("needs about ")[1].split()[0]) <= 400


def test_a_bound_of_ones_own_counts() -> None:
    stable, canary = {"errors": GOOD}, {"errors": Rate(5, 100)}
    assert judged([Check(type="errors", bound=0.2)], stable, canary).verdict().outcome is Outcome.PASS
    assert judged([Check(type="errors", bound=0.02)], stable, canary).verdict().outcome is Outcome.FAIL


def test_two_checks_of_one_type_are_told_apart() -> None:
    checks = [Check(type="latency", name="typical", quantile=0.5), Check(type="latency", name="slow", quantile=0.99)]
    # 3% of the canary's requests are slow.
    canary = Distribution(BOUNDS, (0, 97, 0, 0, 0, 0, 3, 0, 0), 0.0)
    found = judged(checks, {"latency": at(1)}, {"latency": canary}, looks=40).verdict().findings
    assert [(finding.name, finding.outcome) for finding in found] == [("typical", Outcome.PASS), ("slow", Outcome.FAIL)]


@pytest.mark.parametrize("quantile", [0.5, 0.95])
def test_latency_is_compared_as_a_ratio(quantile: float) -> None:
    verdict = judged([Check(type="latency", quantile=quantile)], {"latency": at(1)}, {"latency": at(6)}).verdict()
    finding = verdict.findings[0]
    assert finding.outcome is Outcome.FAIL
    assert finding.low is not None
    assert finding.canary is not None
    assert finding.stable is not None
    assert 1.25 <= finding.low <= finding.canary / finding.stable <= 3.98 / 1
    assert f"p{quantile * 100:g} 3." in finding.message
    assert "at most 1.25 is allowed" in finding.message


def test_latencies_in_buckets_that_have_no_bound_in_common_are_compared_for_each_variant_by_itself() -> None:
    other = tuple(bound * 1.1 for bound in BOUNDS)
    check = [Check(type="latency")]
    assert judged(check, {"latency": at(1)}, {"latency": at(1, bounds=other)}).verdict().outcome is Outcome.PASS
    assert judged(check, {"latency": at(1)}, {"latency": at(6, bounds=other)}).verdict().outcome is Outcome.FAIL


def test_shapes_need_a_bound_that_both_have() -> None:
    check, other = [Check(type="confidence")], tuple(bound * 1.1 for bound in BOUNDS)
    verdict = judged(check, {"confidence": at(1)}, {"confidence": at(1, bounds=other)}).verdict()
    assert verdict.outcome is Outcome.NOT_YET
    assert "in buckets that both have" in verdict.message
    coarser = at(1, bounds=(1.26, 3.98))
    assert judged(check, {"confidence": at(2)}, {"confidence": coarser}).verdict().outcome is Outcome.PASS


def test_buckets_may_change_on_the_way() -> None:
    judge = Judge([Check(type="latency"), Check(type="confidence")], 0.95)
    for look in range(60):
        fine, coarse = at(2), at(1, bounds=(1.26, 3.98))
        canary = coarse if look % 2 else fine
        judge.add(
            Interval(
                look, look + 1, 50, {"latency": fine, "confidence": fine}, {"latency": canary, "confidence": canary}
            )
        )
    assert judge.verdict().outcome is not Outcome.FAIL
    assert judge.verdict().findings[1].outcome is Outcome.PASS


def test_labels_that_appear_late_and_rare_ones_are_no_trouble() -> None:
    judge = Judge([Check(type="labels")], 0.95)
    for look in range(100):
        rare = {f"rare-{look}-{number}": 1 for number in range(5)}
        judge.add(
            Interval(
                look,
                look + 1,
                50,
                {"labels": Shares({"a": 60, "b": 40})},
                {"labels": Shares({"a": 58, "b": 37, **rare})},
            )
        )
    finding = judge.verdict().findings[0]
    assert finding.outcome is Outcome.PASS
    assert finding.high is not None
    assert 0.04 <= finding.high <= 0.15


def test_swapped_labels_fail_and_the_message_names_the_label() -> None:
    stable, canary = Shares({"cat": 70, "dog": 30}), Shares({"dog": 70, "cat": 30})
    verdict = judged([Check(type="labels")], {"labels": stable}, {"labels": canary}).verdict()
    assert verdict.outcome is Outcome.FAIL
    assert "40.0% of the labels changed" in verdict.message
    assert "has 30.0% against 70.0%" in verdict.message or "has 70.0% against 30.0%" in verdict.message


def test_summaries_are_one_check_with_a_finding_for_each_signal() -> None:
    stable: Sample = {
        "summary_points": at(3),
        "summary_empty": GOOD,
        "summary_cut": GOOD,
        "summary_quoted": Rate(30, 100),
        "tokens_per_second": at(6),
        "time_to_first_token": at(1),
    }
    names = ["length", "empty", "cut", "quoted", "speed", "first token"]
    broken_signals: dict[str, tuple[str, Signal]] = {
        "length": ("summary_points", at(7)),
        "empty": ("summary_empty", Rate(20, 100)),
        "cut": ("summary_cut", Rate(30, 100)),
        "quoted": ("summary_quoted", Rate(60, 100)),
        "speed": ("tokens_per_second", at(2)),
        "first token": ("time_to_first_token", at(4)),
    }
    for broken, (name, signal) in broken_signals.items():
        found = judged([Check(type="summaries")], stable, {**stable, name: signal}).verdict().findings
        assert [finding.name for finding in found] == [f"summaries: {name}" for name in names]
        failed = {finding.name for finding in found if finding.outcome is Outcome.FAIL}
        assert failed == {f"summaries: {broken}"}
    assert judged([Check(type="summaries")], stable, stable, looks=40).verdict().outcome is Outcome.PASS


def test_a_faster_canary_passes() -> None:
    stable, canary = {"tokens_per_second": at(2), "latency": at(6)}, {"tokens_per_second": at(6), "latency": at(1)}
    verdict = judged([Check(type="summaries"), Check(type="latency")], stable, canary, looks=30).verdict()
    assert verdict.outcome is Outcome.PASS
    assert verdict.findings[0].canary == pytest.approx(3.6, abs=0.4)


def test_agreement_counts_the_canarys_answers_and_names_the_most_frequent_changes() -> None:
    confusion = Shares({"a → b": 7, "b → a": 2, "c → a": 1})
    verdict = judged(
        [Check(type="agreement")], {}, {"agreement": Rate(10, 50), "confusion": confusion}, weight=0
    ).verdict()
    assert verdict.outcome is Outcome.FAIL
    assert "120 of 600 answers differ from stable's: 20.0%" in verdict.message
    assert "most often a → b (84), b → a (24), c → a (12)" in verdict.message
    good = judged([Check(type="agreement")], {}, {"agreement": Rate(1, 100)}, weight=0)
    assert good.verdict().outcome is Outcome.PASS


def test_a_value_of_ones_own_fails_when_it_is_outside_at_three_looks_in_a_row() -> None:
    judge, seen = Judge([Check(type="custom", name="gpu", query="x", max=5.0)], 0.95), []
    for value in (None, 3.0, 9.0, 9.0, 4.0, 9.0, 9.0, float("nan"), 9.0, 9.0, 9.0, 1.0):
        judge.add(Interval(0, 5, 0, {}, {"custom:gpu": Value(value)}))
        seen.append(judge.verdict().outcome.value)
    no, yes, bad = "NotYet", "Pass", "Fail"
    assert seen == [no, yes, no, no, yes, no, no, no, no, no, bad, bad]
    assert "1: outside at 3 looks in a row; allowed is anything to 5" in judge.verdict().message


def test_checks_share_what_a_false_alarm_may_cost() -> None:
    def looks_until_fail(checks: list[Check]) -> int:
        judge, looks = Judge(checks, 0.95), 0
        while judge.verdict().outcome is not Outcome.FAIL:
            judge.add(Interval(0, 5, 50, {"errors": GOOD}, {"errors": Rate(1, 10)}))
            looks += 1
        return looks

    one = [Check(type="errors")]
    others = [Check(type="errors", name=f"other-{number}", bound=0.9) for number in range(99)]
    assert looks_until_fail(one) < looks_until_fail([*one, *others])
    # A query of one's own has no statistics, and no share.
    own = [Check(type="custom", name=f"own-{number}", query="x", min=0.0) for number in range(99)]
    assert looks_until_fail(one) == looks_until_fail([*one, *own])
