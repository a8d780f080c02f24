"""The prefix cache."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.engine.prefixes import Allocation, PrefixCache, common_prefix
from predictors.summarizer.engine.types import TokenArray


def array(*tokens: int) -> TokenArray:
    return np.array(tokens, np.int32)


@given(st.lists(st.integers(0, 2), max_size=8), st.lists(st.integers(0, 2), max_size=8))
def test_the_common_prefix(a: list[int], b: list[int]) -> None:
    length = common_prefix(array(*a), array(*b))
    assert a[:length] == b[:length]
    assert length == min(len(a), len(b)) or a[length] != b[length]


def test_the_lowest_sequence_is_allocated() -> None:
    cache = PrefixCache(range(3), movable=True)
    assert [cache.allocate(array(1)).sequence for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="empty"):
        cache.allocate(array(1))


def test_a_sequence_keeps_the_prefix_that_it_shares_with_its_next_prompt() -> None:
    cache = PrefixCache(range(1), movable=True)
    cache.allocate(array(5, 6, 7))
    assert cache.release(0, [5, 6, 7])
    assert len(cache) == 1
    assert cache.allocate(array(5, 6, 9)) == Allocation(sequence=0, prefix=2, evacuate_to=-1, evacuate=3)


def test_a_long_prefix_moves_to_an_idle_sequence() -> None:
    cache = PrefixCache(range(3), movable=True)
    cache.allocate(array())
    cache.release(0, range(40))
    given = cache.allocate(array(7))
    assert (given.sequence, given.prefix, given.evacuate) == (0, 0, 40)
    assert cache.longest_match(array(*range(40))) == (given.evacuate_to, 40)


def test_a_prefix_that_cannot_move_is_lost() -> None:
    cache = PrefixCache(range(3), movable=False)
    cache.allocate(array())
    cache.release(0, range(40))
    assert cache.allocate(array(7)).evacuate_to == -1
    assert len(cache) == 0


def test_what_another_sequence_begins_with_is_not_cached_twice() -> None:
    cache = PrefixCache(range(2), movable=True)
    cache.allocate(array())
    cache.allocate(array())
    assert cache.release(1, [1, 2, 3])
    assert not cache.release(0, [1, 2])
    assert len(cache) == 1


def test_the_least_recently_used_is_overwritten() -> None:
    cache = PrefixCache(range(3), movable=True)
    for _ in range(3):
        cache.allocate(array())
    for sequence in (1, 2, 0):
        cache.release(sequence, range(100 * sequence, 100 * sequence + 40))
    cache.mark_used(1)
    assert cache.allocate(array(7)).evacuate_to == 2


def test_cleared_sequences_hold_nothing() -> None:
    cache = PrefixCache(range(2), movable=True)
    cache.allocate(array())
    cache.release(0, [1, 2])
    cache.clear()
    assert len(cache) == 0
    assert cache.longest_match(array(1, 2)) == (-1, 0)
