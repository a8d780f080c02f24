"""The metrics of shadow traffic, whose number stays bounded whatever a canary answers."""

import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.shadow.metrics import Outcome, ShadowMetrics
from tests.unit.serving.shadow.served import samples

COMPARISONS, CONFUSION = "shadow_comparisons_total", "shadow_confusion_total"


def test_comparisons_are_counted_by_version_and_outcome() -> None:
    registry = CollectorRegistry()
    metrics = ShadowMetrics(registry)
    for outcome in Outcome:
        metrics.count("iris", "1", outcome)
    metrics.count("iris", "1", Outcome.AGREE, "2")
    metrics.count("iris", "1", Outcome.AGREE, "2")
    expected = {("iris", "1", "", outcome): 1 for outcome in ("agree", "differ", "error", "dropped")}
    assert dict(samples(registry, COMPARISONS)) == {**expected, ("iris", "1", "2", "agree"): 2}


def test_versions_are_bounded() -> None:
    registry = CollectorRegistry()
    metrics = ShadowMetrics(registry)
    for i in range(1000):
        metrics.count("iris", "1", Outcome.AGREE, str(i))
    metrics.count("iris", "1", Outcome.AGREE, "3")
    found = {labels[2]: value for labels, value in samples(registry, COMPARISONS)}
    assert found == {**{str(i): 1 for i in range(16)}, "3": 2, "other": 984}


@pytest.mark.parametrize("version", ["", "x" * 65, "two words", 'a"b', "a\nb", "ä", "a\n"])
def test_a_version_that_is_none_counts_as_unknown(version: str) -> None:
    registry = CollectorRegistry()
    ShadowMetrics(registry).count("iris", "1", Outcome.AGREE, version)
    assert [labels[2] for labels, _ in samples(registry, COMPARISONS)] == [""]


def test_labels_are_counted_in_pairs_and_unknown_ones_together() -> None:
    registry = CollectorRegistry()
    metrics = ShadowMetrics(registry)
    pairs = [("cat", "cat"), ("cat", "dog"), ("cat", "cat"), *(("dog", str(i)) for i in range(99))]
    metrics.count_labels("pets", pairs, ("cat", "dog"))
    metrics.count_labels("pets", [("cat", "dog")], ("cat", "dog"))
    assert dict(samples(registry, CONFUSION)) == {
        ("pets", "cat", "cat"): 2, ("pets", "cat", "dog"): 2, ("pets", "dog", "other"): 99,
    }  # fmt: skip


def test_they_have_the_names_that_checks_use() -> None:
    registry = CollectorRegistry()
    metrics = ShadowMetrics(registry)
    metrics.count("iris", "1", Outcome.DIFFER, "2")
    metrics.count_labels("iris", [("a", "b")], ("a", "b"))
    comparison = {"model_name": "iris", "model_version": "1", "canary_version": "2", "outcome": "differ"}
    assert registry.get_sample_value("shadow_comparisons_total", comparison) == 1
    confusion = {"model_name": "iris", "stable_label": "a", "canary_label": "b"}
    assert registry.get_sample_value("shadow_confusion_total", confusion) == 1
