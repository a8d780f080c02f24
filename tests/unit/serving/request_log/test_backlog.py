"""The queue, which is bounded."""

from threading import Thread

import pytest

from predictors.serving.request_log.backlog import Backlog
from tests.unit.serving.request_log.entries import Counted, new_entry

MIB = 2**20


@pytest.mark.parametrize(("size", "fit"), [(1, 2000), (MIB, 16), (10 * MIB, 1), (100 * MIB, 1)])
def test_it_is_bounded_by_number_and_by_bytes(size: int, fit: int) -> None:
    counted = Counted()
    backlog, entry = Backlog(counted.counts), new_entry(bytes=size)
    for _ in range(fit + 3):
        backlog.put(entry)
    assert len(backlog) == fit
    assert counted.seen() == {"dropped": 6}


def test_what_was_taken_makes_room() -> None:
    counted = Counted()
    backlog = Backlog(counted.counts)
    for _ in range(3):
        for _ in range(16):
            backlog.put(new_entry(bytes=MIB))
        assert [len(backlog.take(10)) for _ in range(3)] == [10, 6, 0]
    assert counted.seen() == {}


def test_entries_are_taken_in_their_order() -> None:
    backlog = Backlog(Counted().counts)
    entries = [new_entry(id=str(i)) for i in range(5)]
    for entry in entries:
        backlog.put(entry)
    assert [*backlog.take(2), *backlog.take(9)] == entries


def test_threads_take_each_entry_once() -> None:
    backlog = Backlog(Counted().counts)
    taken: list[str] = []

    def take() -> None:
        while len(taken) < 1500:
            taken.extend(entry.id for entry in backlog.take(3))

    threads = [Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(1500):
        backlog.put(new_entry(id=str(i)))
    for thread in threads:
        thread.join()
    assert sorted(taken, key=int) == [str(i) for i in range(1500)]
