"""What is reported of requests that the model itself did not answer."""

from collections import Counter

from prometheus_client import CollectorRegistry

from predictors.serving.model.standby import Outcome, Reason
from predictors.summarizer.fallback.counts import Counts, FallbackCollector


class Counting:
    """A model for which something else has answered."""

    def __init__(self, version: str, answered: int) -> None:
        self.name, self.version = "summarizer", version
        self.fallback_counts: Counts = Counter({(Reason.SLOW, Outcome.ANSWERED): answered})


def test_models_of_the_same_name_and_version_are_one() -> None:
    registry, collector = CollectorRegistry(), FallbackCollector()
    registry.register(collector)
    models = [Counting("1", 2), Counting("1", 3), Counting("2", 7)]
    for model in models:
        collector.models.add(model)
    samples = [sample for family in registry.collect() for sample in family.samples]
    assert len({frozenset(sample.labels.items()) for sample in samples}) == len(samples)
    assert {
        sample.labels["model_version"]: sample.value
        for sample in samples
        if (sample.labels["reason"], sample.labels["outcome"]) == (Reason.SLOW, Outcome.ANSWERED)
    } == {"1": 5, "2": 7}
