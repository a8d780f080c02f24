"""Which tokens the KV cache still holds in sequences that nobody uses at the moment.

An ended sequence keeps the part of its tokens that may come again, for prompts that begin as it does. Prompts are given
the lowest numbers that are free, because llama.cpp computes on several sequences at once only if their numbers follow
each other; so what is kept moves to higher ones.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TokenArray = NDArray[np.int32]
# What would be lost is copied elsewhere if it has this many tokens.
_WORTH_SAVING = 32


class Taken(NamedTuple):
    """A sequence for a prompt.

    Args:
        number: the sequence's.
        length: how many of its tokens the prompt begins with; the others are to be forgotten.
        refuge: the sequence that is to hold what this one held, before that; -1 if it may be lost.
        held: how many tokens that is.
    """

    number: int
    length: int
    refuge: int
    held: int


def common_prefix(a: TokenArray, b: TokenArray) -> int:
    """How many first tokens two sequences have in common."""
    size = min(len(a), len(b))
    different = a[:size] != b[:size]
    first = int(different.argmax()) if size else 0
    return first if size and different[first] else size


class Residents:
    """Idle sequences.

    Args:
        numbers: the sequences' numbers, all of them empty.
        movable: whether what one holds can be copied to another.
    """

    def __init__(self, numbers: Iterable[int], movable: bool) -> None:
        self._movable = movable
        # The least recently used first.
        self._idle = {number: np.empty(0, np.int32) for number in numbers}

    @property
    def kept(self) -> int:
        """How many idle sequences hold tokens."""
        return sum(1 for held in list(self._idle.values()) if len(held))  # /metrics asks from another thread

    def longest(self, tokens: TokenArray) -> tuple[int, int]:
        """Find the idle sequence that begins most alike; gives its number, and how many tokens it has in common."""
        best, length = -1, 0
        for number, held in self._idle.items():
            common = common_prefix(held, tokens)
            if common > length:
                best, length = number, common
        return best, length

    def touch(self, number: int) -> None:
        """Take note that a sequence was copied from; nothing happens if it is not idle."""
        if number in self._idle:
            self._idle[number] = self._idle.pop(number)

    def take(self, tokens: TokenArray) -> Taken:
        """Take a sequence for a prompt: the idle one with the lowest number.

        What it holds beyond the common beginning would be lost; if that is much, it finds refuge in the idle sequence
        that has not been used for the longest time.

        Raises:
            ValueError: none is idle.
        """
        number = min(self._idle)
        held = self._idle.pop(number)
        length = common_prefix(held, tokens)
        refuge = -1
        if self._movable and len(held) - length >= _WORTH_SAVING:
            source, _ = self.longest(tokens)  # which may be copied from, so it stays
            others = (each for each in self._idle if each != source)
            refuge = min(others, key=lambda each: len(self._idle[each]) > 0, default=-1)
        if refuge >= 0:
            del self._idle[refuge]
            self._idle[refuge] = held
        return Taken(number, length, refuge, len(held))

    def give_back(self, number: int, tokens: Sequence[int]) -> bool:
        """Return a sequence that holds some tokens; gives whether they are worth keeping, and must be forgotten if not.

        They are not if another idle sequence begins with them.
        """
        held = np.asarray(tokens, dtype=np.int32)
        worth = len(held) > 0 and self.longest(held)[1] < len(held)
        self._idle[number] = held if worth else held[:0]
        return worth

    def forget_all(self) -> None:
        """Take note that all idle sequences were emptied."""
        self._idle = {number: held[:0] for number, held in self._idle.items()}
