"""Which tokens the KV cache still holds in sequences that nobody uses at the moment.

An ended sequence keeps the part of its tokens that may come again. The next prompt takes over the idle sequence that
begins as it does, or else the one that has not been used for the longest time.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

TokenArray = NDArray[np.int32]


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
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        # The least recently used first.
        self._idle = {number: np.empty(0, np.int32) for number in numbers}

    @property
    def kept(self) -> int:
        """How many idle sequences hold tokens."""
        return sum(1 for held in self._idle.values() if len(held))

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

    def take(self, tokens: TokenArray) -> tuple[int, int]:
        """Take a sequence for a prompt.

        Of what begins as the prompt does nothing is lost by that: the prompt's own sequence holds it then, and others
        may begin as copies of it. What an idle sequence holds beyond it would be lost, so such a one is taken only when
        its turn has come.

        Returns:
            Its number, and how many of its tokens to leave in place.

        Raises:
            LookupError: there is none.
        """
        number, length = self.longest(tokens)
        if number < 0 or len(self._idle[number]) > length:
            number = min(self._idle, key=lambda each: len(self._idle[each]) > 0, default=-1)
            if number < 0:
                raise LookupError("no sequence is idle")
            length = common_prefix(self._idle[number], tokens)
        del self._idle[number]
        return number, length

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
