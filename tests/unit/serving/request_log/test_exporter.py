"""What brings entries to a sink, whatever the sink does."""

import logging
import time
from collections.abc import Sequence
from threading import Event as Flag
from typing import Any

import pytest

from predictors.serving.request_log.backlog import Backlog
from predictors.serving.request_log.event import Event
from predictors.serving.request_log.exporter import Exporter
from predictors.serving.request_log.sink import SinkError
from tests.unit.serving.request_log.entries import Counted, new_entry, new_events
from tests.waiting import until


class Taker:
    """A sink that keeps what it is given.

    Args:
        error: is raised by the first write.
    """

    at_once = 8

    def __init__(self, error: Exception | None = None) -> None:
        self.open = Flag()
        self.open.set()
        self.written: list[Event] = []
        self.closed = False
        self._error = error

    def write(self, events: Sequence[Event]) -> None:
        self.open.wait(300)
        error, self._error = self._error, None
        if error is not None:
            raise error
        self.written += events

    def close(self) -> None:
        self.closed = True


class Export:
    """An exporter, and all around it."""

    def __init__(self, *takers: Taker, **settings: Any) -> None:
        self.counted, self.ending = Counted(), Flag()
        self.backlog = Backlog(self.counted.counts)
        self.exporter = Exporter(self.backlog, new_events(**settings), takers, self.ending)

    def put(self, *ids: str) -> None:
        for each in ids:
            self.backlog.put(new_entry(id=each))

    def close(self, seconds: float = 300) -> None:
        self.ending.set()
        self.exporter.close(time.monotonic() + seconds)


def test_entries_become_pairs_of_events() -> None:
    taker = Taker()
    export = Export(taker)
    export.exporter.start()
    export.put("a", "b")
    until(lambda: len(taker.written) == 4, "the events", pause=0.01)
    assert [event.attributes["id"] for event in taker.written] == ["a", "a", "b", "b"]
    export.close()
    assert export.counted.seen() == {"sent": 4}


def test_what_waits_is_exported_at_the_end() -> None:
    takers = Taker(), Taker()
    export = Export(*takers)
    export.put(*map(str, range(100)))
    export.exporter.start()
    export.close()
    assert sum(len(taker.written) for taker in takers) == 200
    assert all(taker.closed for taker in takers)
    assert export.counted.seen() == {"sent": 200}


def test_the_end_does_not_wait_for_a_sink_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    taker = Taker()
    taker.open.clear()
    export = Export(taker)
    export.put(*map(str, range(20)))
    export.exporter.start()
    until(lambda: len(export.backlog) < 20, "the first to be taken", pause=0.01)
    export.close(seconds=0.05)
    assert "--request_log_url: 12 requests were not logged" in caplog.text
    taker.open.set()


def test_events_that_a_sink_did_not_take_have_failed_and_the_next_are_sent(caplog: pytest.LogCaptureFixture) -> None:
    taker = Taker(SinkError("answered 500", taken=3))
    export = Export(taker)
    export.put(*map(str, range(8)))
    export.put("later")
    export.exporter.start()
    export.close()
    assert export.counted.seen() == {"sent": 5, "failed": 13}
    assert [event.attributes["id"] for event in taker.written] == ["later"] * 2
    assert [record.message for record in caplog.records] == [
        "--request_log_url: events are lost, users are not affected: answered 500"
    ]


def test_a_sink_that_fails_in_an_unforeseen_way_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    taker = Taker(ValueError("secret"))
    export = Export(taker)
    export.put(*map(str, range(9)))
    export.exporter.start()
    export.close()
    assert export.counted.seen() == {"sent": 2, "failed": 16}
    assert "ValueError, unforeseen" in caplog.text
    assert "secret" not in caplog.text


def test_an_entry_that_cannot_be_written_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    taker = Taker()
    export = Export(taker)
    export.put("a")
    export.backlog.put(new_entry(id="bad", outputs={"label": ["\ud800 secret"]}))
    export.backlog.put(new_entry(id="worse", outputs={"label": [object()]}))
    export.put("b")
    export.exporter.start()
    export.close()
    assert [event.attributes["id"] for event in taker.written] == ["a", "a", "b", "b"]
    assert export.counted.seen() == {"sent": 4, "failed": 4}
    assert "secret" not in caplog.text
    assert len(caplog.records) == 1  # once in a while


def test_nothing_leaves_while_a_name_to_redact_is_unknown(caplog: pytest.LogCaptureFixture) -> None:
    taker = Taker()
    export = Export(taker, redact=("sallary",))
    export.put("a")
    export.exporter.start()
    export.close()
    assert taker.written == []
    assert export.counted.seen() == {"failed": 2}
    assert "--request_log_redact names sallary, which no model that is loaded has" in caplog.text


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
