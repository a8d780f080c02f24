"""How the default artifact does on utterances that training never saw: ``make eval-intent``."""

import csv
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from predictors.intent.calibration import expected_calibration_error
from predictors.intent.intents import UNKNOWN
from predictors.intent.model import IntentPredictor
from predictors.intent.normalize import normalize
from predictors.intent.utterances import utterances
from predictors.serving.model.types import Job, TextBatch
from predictors.serving.settings import Source
from tests.live import ARTIFACTS, ROOT

SETS = ("intent_unseen", "intent_unseen_2", "intent_out_of_scope")


@dataclass(frozen=True)
class Unseen:
    """A set's utterances that are not in the training set too, and what a model answers to them.

    Args:
        texts, labels: ``N`` of each; `UNKNOWN` is a label.
        answers: labels, ``[N]``.
        probabilities: float64 ``[N, 4]``.
        intents: the names of the four columns.
    """

    texts: list[str]
    labels: NDArray[np.str_]
    answers: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    intents: tuple[str, ...]

    @cached_property
    def accuracy(self) -> float:
        """Share of right answers, "unknown" being one."""
        return float((self.answers == self.labels).mean())

    @cached_property
    def unknown_recall(self) -> float:
        """Share of the texts without an intent that are called so."""
        return float((self.answers == UNKNOWN)[self.labels == UNKNOWN].mean())

    @cached_property
    def calibration_error(self) -> float:
        """Expected calibration error of the most probable intent, over texts that have one."""
        right = np.array(self.intents)[self.probabilities.argmax(axis=1)] == self.labels
        known = self.labels != UNKNOWN
        return expected_calibration_error(self.probabilities.max(axis=1)[known], right[known])


def measure(model: IntentPredictor, name: str) -> Unseen:
    """Ask a model all of a set that is not, normalized, in its training set."""
    seen = {normalize(text).lower() for text in utterances()[0]}
    with (ROOT / f"tests/data/{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if normalize(row["text"]).lower() not in seen]
    texts = [row["text"] for row in rows]
    outputs = model.infer(TextBatch(texts), Job(time.monotonic() + 60))
    labels = np.array([row["label"] for row in rows])
    intents = tuple(intent for intent in model.labels if intent != UNKNOWN)
    return Unseen(texts, labels, np.array(outputs["predict"]), np.asarray(outputs["predict_proba"]), intents)


def main() -> None:
    """Print the figures of all sets."""
    model = IntentPredictor("intent", Source(ARTIFACTS / "intent"))
    model.load()
    table = Table(
        "set", "utterances", "right", "unknown found", "calibration error", title="utterances never trained on"
    )
    for name in SETS:
        found = measure(model, name)
        error = f"{found.calibration_error:.3f}" if (found.labels != UNKNOWN).any() else ""
        table.add_row(name, str(len(found.texts)), f"{found.accuracy:.3f}", f"{found.unknown_recall:.3f}", error)
    Console().print(table)


if __name__ == "__main__":
    main()
