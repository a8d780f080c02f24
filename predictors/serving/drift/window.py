"""A sliding window of counts: whatever the traffic, it takes the same memory, and keeps no row."""

import numpy as np
from numpy.typing import NDArray

from predictors.serving.artifacts.reference import Reference
from predictors.serving.drift.columns import Columns
from predictors.serving.drift.tally import Layout

SLOTS = 12
"""The parts of a window; the oldest is dropped as a whole."""


class Window:
    """The rows of the last so many seconds, counted in the bins of a reference.

    Args:
        reference: says which bins.
        seconds: the window's length; it is up to a twelfth shorter while its newest part fills.
    """

    def __init__(self, reference: Reference, seconds: float) -> None:
        self.layout = Layout(reference)
        self._slot_seconds = seconds / SLOTS
        self._slots = np.zeros((SLOTS, self.layout.size), dtype=np.int64)
        self._rows = [0] * SLOTS
        self._turn = 0  # of the newest slot, since the clock's beginning

    def count(self, columns: Columns, rows: int, now: float) -> None:
        """Add rows.

        Args:
            columns: their values.
            rows: how many they are.
            now: seconds on a clock that does not go back.
        """
        self._forget(now)
        place = self._turn % SLOTS
        self._rows[place] += rows
        self.layout.count(columns, self._slots[place])

    def counts(self, now: float) -> NDArray[np.int64]:
        """What is in the window, as `Layout.part` takes it."""
        self._forget(now)
        counts: NDArray[np.int64] = self._slots.sum(axis=0)
        return counts

    def rows(self, now: float) -> int:
        """How many rows are in the window."""
        self._forget(now)
        return sum(self._rows)

    def _forget(self, now: float) -> None:
        """Empty the slots that are older than the window."""
        turn = int(now / self._slot_seconds)
        for old in range(max(self._turn + 1, turn - SLOTS + 1), turn + 1):
            self._slots[old % SLOTS] = 0
            self._rows[old % SLOTS] = 0
        self._turn = max(self._turn, turn)
