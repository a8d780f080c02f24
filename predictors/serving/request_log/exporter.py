"""Takes what waits, and has a sink take it: on threads of its own, which leave most of a core to the server."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from threading import Event as Flag
from threading import Thread

from predictors.serving.request_log.backlog import Backlog
from predictors.serving.request_log.content import UnknownNameError
from predictors.serving.request_log.entry import EVENTS, Entry
from predictors.serving.request_log.event import Event, Events
from predictors.serving.request_log.metrics import Outcome
from predictors.serving.request_log.sink import EventSink, SinkError

logger = logging.getLogger(__name__)

# How often a thread looks for something to do. To wake it for each request would take longer than to queue that.
_LOOK_SECONDS = 0.05
# The part of a core that all threads of a sink may use together.
_SHARE = 0.1
_SAY_EVERY_SECONDS = 60.0


class Exporter:
    """Brings entries from a backlog to a sink.

    Args:
        backlog: where entries wait.
        events: makes events of them.
        sinks: take these, each on a thread.
        ending: is set when there is no time left to rest.
    """

    def __init__(self, backlog: Backlog, events: Events, sinks: Sequence[EventSink], ending: Flag) -> None:
        self.sink = backlog.counts.sink
        self._backlog = backlog
        self._events = events
        self._ending = ending
        # How long a thread rests, as a multiple of the CPU time that it used.
        self._rest = len(sinks) / _SHARE - 1
        self._threads = [Thread(target=self._run, args=(sink,), name="request-log", daemon=True) for sink in sinks]
        self._silent_until = float("-inf")

    def start(self) -> None:
        """Begin to export."""
        for thread in self._threads:
            thread.start()

    def close(self, deadline: float) -> None:
        """Wait until nothing waits any more, once `ending` is set; it blocks.

        Args:
            deadline: seconds on the monotonic clock.
        """
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if left := len(self._backlog):
            logger.warning("--request_log_%s: %d requests were not logged", self.sink, left)

    def _run(self, sink: EventSink) -> None:
        with closing(sink):
            while (pause := self._turn(sink)) is not None or not self._ending.is_set():
                self._ending.wait(_LOOK_SECONDS if pause is None else pause)

    def _turn(self, sink: EventSink) -> float | None:
        """Export some of what waits; gives for how long to rest, None if nothing waited."""
        entries = self._backlog.take(sink.at_once)
        if not entries:
            return None
        begun = time.thread_time()
        self._export(sink, entries)
        return (time.thread_time() - begun) * self._rest

    def _export(self, sink: EventSink, entries: Sequence[Entry]) -> None:
        events = [event for entry in entries for event in self._about(entry)]
        taken = len(events)
        try:
            sink.write(events)
        except SinkError as error:
            taken = error.taken
            self._fail(len(events) - taken, str(error))
        except Exception as error:  # noqa: BLE001  # whatever a sink causes, the thread goes on
            taken = 0
            self._fail(len(events), f"{type(error).__name__}, unforeseen")
        self._backlog.counts.export(Outcome.SENT, taken)

    def _about(self, entry: Entry) -> Iterator[Event]:
        try:
            yield from [*self._events.about(entry)]
        except UnknownNameError as error:
            self._fail(EVENTS, str(error))
        except Exception as error:  # noqa: BLE001  # whatever one entry is, the next ones are to be logged
            self._fail(EVENTS, f"cannot be written as JSON: {type(error).__name__}")

    def _fail(self, count: int, reason: str) -> None:
        self._backlog.counts.export(Outcome.FAILED, count)
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _SAY_EVERY_SECONDS
            logger.warning("--request_log_%s: events are lost, users are not affected: %s", self.sink, reason)
