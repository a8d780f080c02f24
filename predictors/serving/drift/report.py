"""What files of logged requests say about drift."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from predictors.serving.artifacts.reference import Reference
from predictors.serving.drift.compare import Comparison, compare
from predictors.serving.drift.distance import NOTABLE_PSI
from predictors.serving.drift.log_columns import request_columns, response_columns
from predictors.serving.drift.log_events import Event, events
from predictors.serving.drift.log_files import lines
from predictors.serving.drift.tally import Layout
from predictors.serving.errors import InvalidInput
from predictors.serving.model.predictor import Predictor

OTHER_MODEL = "events of other models"
OTHER_VERSION = "responses of other versions"
NOTHING_COUNTED = "events that hold nothing to count: errors, redacted bodies, or another model's"


class Verdict(StrEnum):
    """What a comparison comes to."""

    DRIFT = "drift"
    LOOK = "worth a look"
    SAME = "same"
    UNKNOWN = "too few rows"


class Report(NamedTuple):
    """The logged rows beside the reference.

    Args:
        model, version: of the artifact.
        reference: of the artifact.
        comparisons: by their distance, the greatest first.
        threshold: the population stability index that is drift.
        requests, responses: how many were counted.
        period: the first and the last time that events tell; empty if none does.
        skipped: what was not counted, by the reason.
    """

    model: str
    version: str
    reference: Reference
    comparisons: Sequence[Comparison]
    threshold: float
    requests: int
    responses: int
    period: tuple[str, ...]
    skipped: dict[str, int]

    @property
    def drifts(self) -> bool:
        """Whether anything has drifted."""
        return any(self.verdict(each) is Verdict.DRIFT for each in self.comparisons)

    def verdict(self, comparison: Comparison) -> Verdict:
        """What a comparison comes to."""
        if not comparison.enough:
            return Verdict.UNKNOWN
        if comparison.psi >= self.threshold:
            return Verdict.DRIFT
        return Verdict.LOOK if comparison.psi >= max(NOTABLE_PSI, comparison.chance) else Verdict.SAME

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "model": self.model,
            "version": self.version,
            "reference": self.reference.made_of,
            "drifts": self.drifts,
            "threshold": self.threshold,
            "requests": self.requests,
            "responses": self.responses,
            "period": list(self.period),
            "skipped": self.skipped,
            "features": [self._comparison(each) for each in self.comparisons],
        }

    def _comparison(self, comparison: Comparison) -> dict[str, Any]:
        distribution = comparison.distribution
        return {
            "side": distribution.side,
            "feature": distribution.name,
            "verdict": str(self.verdict(comparison)),
            "psi": comparison.psi if comparison.rows else None,
            "js": comparison.js if comparison.rows else None,
            "psi_by_chance": comparison.chance if comparison.rows else None,
            "rows": comparison.rows,
            "rows_needed": comparison.least_rows or None,
            "reference_rows": distribution.rows,
            "bins": [
                {"name": name, "reference_rows": then, "rows": now}
                for name, then, now in zip(
                    distribution.bin_names(), distribution.counts, comparison.counts, strict=True
                )
            ],
        }


class Reader:
    """Counts logged events of one model.

    Args:
        predictor: the model, loaded; its artifact has a reference.
        reference: of the artifact.
        name: of the model, as the events have it; if empty, that of the first event.
    """

    def __init__(self, predictor: Predictor[Any], reference: Reference, name: str = "") -> None:
        self._predictor = predictor
        self._reference = reference
        self._name = name
        self._chosen = bool(name)
        self._layout = Layout(reference)
        self._counts = self._layout.empty()
        self._counted: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._times: list[str] = []
        self.skipped: Counter[str] = Counter()

    def read(self, files: Sequence[Path], advance: Callable[[int], None] = lambda size: None) -> None:
        """Count all events of some files.

        Args:
            files: JSON lines, plain or compressed.
            advance: called with each number of further bytes that were read.

        Raises:
            OSError: a file cannot be read.
        """
        self._count_all(events(lines(files, self.skipped, advance), self.skipped))

    def _count_all(self, logged: Iterable[Event]) -> None:
        for event in logged:
            if not self._name and event.names:
                self._name = event.names[0]
            if event.names and self._name not in event.names:
                self._others.update(event.names[:1])
                self.skipped[OTHER_MODEL] += 1
            elif event.kind == "response" and event.version not in ("", self._predictor.version):
                self.skipped[OTHER_VERSION] += 1
            else:
                self._count(event)

    def _count(self, event: Event) -> None:
        columns = request_columns if event.kind == "request" else response_columns
        found = columns(self._predictor, event.data, self.skipped)
        if not found:
            self.skipped[NOTHING_COUNTED] += 1
            return
        self._layout.count(found, self._counts)
        self._counted[event.kind] += 1
        if event.time:
            self._times = [min([*self._times[:1], event.time]), max([*self._times[1:], event.time])]

    def report(self, threshold: float) -> Report:
        """Compare what was counted.

        Args:
            threshold: the population stability index that is drift.

        Raises:
            InvalidInput: the files hold several models and none was named, or nothing was counted.
        """
        if self._others and not self._chosen:
            names = ", ".join(sorted({self._name, *self._others}))
            raise InvalidInput(f"the files hold requests of several models; choose one with --model: {names}")
        if not self._counted:
            why = "; ".join(f"{reason}: {count}" for reason, count in self.skipped.items() if count)
            raise InvalidInput(f"the files hold no request and no answer of this model ({why or 'they are empty'})")
        comparisons = sorted(compare(self._layout, self._counts), key=lambda each: (not each.enough, -each.psi))
        return Report(
            self._name or self._predictor.name,
            self._predictor.version,
            self._reference,
            comparisons,
            threshold,
            self._counted["request"],
            self._counted["response"],
            tuple(self._times),
            {reason: count for reason, count in sorted(self.skipped.items()) if count},
        )
