"""What comparisons came to."""

import re
from collections import Counter as Counts
from collections.abc import Collection, Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry

from predictors.serving.artifacts.manifest import VERSION_PATTERN
from predictors.serving.telemetry.collectors import Counter

OTHER = "other"
"""Stands for a canary's label that is no class of the model here, and for a version beyond the first few."""
_VERSION = re.compile(VERSION_PATTERN)
# A canary that answers with ever new versions must not fill the memory, here and in Prometheus.
_MAX_VERSIONS = 16


class Outcome(StrEnum):
    """What became of a copy."""

    AGREE = "agree"
    DIFFER = "differ"
    ERROR = "error"
    """The canary gave no answer in time, or none that can be compared."""
    DROPPED = "dropped"
    """It was not sent, or the canary had no room for it."""


class ShadowMetrics:
    """The metrics of shadow traffic.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._comparisons = Counter(
            "shadow_comparisons",
            "Requests chosen to be copied to a canary, by how its answer compares: agree, differ, error, dropped.",
            ("model_name", "model_version", "canary_version", "outcome"),
            registry,
        )
        self._confusion = Counter(
            "shadow_confusion",
            "Rows of the compared answers, by the label here and the canary's; other is no label of the model here.",
            ("model_name", "stable_label", "canary_label"),
            registry,
        )
        self._versions: set[str] = set()

    def count(self, model: str, version: str, outcome: Outcome, canary_version: str = "") -> None:
        """Count a copy.

        Args:
            model, version: the model here.
            outcome: what became of it.
            canary_version: as the canary's answer gives it.
        """
        self._comparisons.labels(model, version, self._bounded(canary_version), outcome.value).value += 1

    def count_labels(self, model: str, pairs: Iterable[tuple[str, str]], known: Collection[str]) -> None:
        """Count the rows of two compared answers.

        Args:
            model: its name.
            pairs: of each row, the label here and the canary's.
            known: the model's labels.
        """
        for (label, canary), count in Counts(pairs).items():
            self._confusion.labels(model, label, canary if canary in known else OTHER).value += count

    def _bounded(self, version: str) -> str:
        if version in self._versions:
            return version
        if not _VERSION.fullmatch(version):
            return ""
        if len(self._versions) == _MAX_VERSIONS:
            return OTHER
        self._versions.add(version)
        return version
