"""What waits to be logged."""

from collections import deque
from threading import Lock

from predictors.serving.request_log.entry import EVENTS, Entry
from predictors.serving.request_log.metrics import SinkCounts

_MOST = 2_000
_MOST_BYTES = 16 * 2**20


class Backlog:
    """A queue bounded by number and by bytes: one thread puts, and never waits; others take.

    Args:
        counts: where entries that do not fit are counted.
    """

    def __init__(self, counts: SinkCounts) -> None:
        self.counts = counts
        self._entries: deque[Entry] = deque()
        self._added = self._taken = 0  # bytes; each is written by one side alone
        self._taking = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> None:
        """Add an entry, or drop it if there is no room. One that is larger than all the room fits alone."""
        waiting = len(self._entries)
        if waiting >= _MOST or (waiting and self._added - self._taken + entry.bytes > _MOST_BYTES):
            self.counts.drop(EVENTS)
            return
        self._added += entry.bytes
        self._entries.append(entry)

    def take(self, most: int) -> list[Entry]:
        """Take out the entries that have waited longest, none if there is none."""
        with self._taking:
            entries = [self._entries.popleft() for _ in range(min(most, len(self._entries)))]
            self._taken += sum(entry.bytes for entry in entries)
        return entries
