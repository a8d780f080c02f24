"""The prefix cache: tokens that the KV cache still holds in idle sequences.

When an answer ends, its sequence keeps the tokens that later prompts may begin with. New prompts are given the lowest
free sequence numbers, because llama.cpp decodes several sequences at once only if their numbers are consecutive; so
cached prefixes move to higher ones.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from predictors.summarizer.engine.types import TokenArray

# A prefix that would be overwritten is copied to another sequence if it has at least this many tokens.
_WORTH_SAVING = 32


class Allocation(NamedTuple):
    """A sequence for a prompt.

    Args:
        sequence: its number.
        prefix: how many of the tokens that it holds the prompt begins with; the rest must be trimmed.
        evacuate_to: the sequence to copy its present tokens to, before trimming; -1 if they may be lost.
        evacuate: how many tokens to copy.
    """

    sequence: int
    prefix: int
    evacuate_to: int
    evacuate: int


def common_prefix(a: TokenArray, b: TokenArray) -> int:
    """Length of the common prefix of two token sequences."""
    size = min(len(a), len(b))
    different = a[:size] != b[:size]
    first = int(different.argmax()) if size else 0
    return first if size and different[first] else size


class PrefixCache:
    """Idle sequences and the tokens that each holds.

    Args:
        sequences: the sequences' numbers; all are empty.
        movable: whether tokens can be copied from one sequence to another.
    """

    def __init__(self, sequences: Iterable[int], movable: bool) -> None:
        self._movable = movable
        # Least recently used first.
        self._idle = {sequence: np.empty(0, np.int32) for sequence in sequences}

    def __len__(self) -> int:
        """Number of cached prefixes: idle sequences that hold tokens."""
        return sum(1 for held in list(self._idle.values()) if len(held))  # /metrics asks from another thread

    def longest_match(self, tokens: TokenArray) -> tuple[int, int]:
        """Find the idle sequence with the longest common prefix; returns its number and that prefix's length."""
        best, length = -1, 0
        for sequence, held in self._idle.items():
            common = common_prefix(held, tokens)
            if common > length:
                best, length = sequence, common
        return best, length

    def mark_used(self, sequence: int) -> None:
        """Note that a sequence was copied from; does nothing if it is not idle."""
        if sequence in self._idle:
            self._idle[sequence] = self._idle.pop(sequence)

    def allocate(self, tokens: TokenArray) -> Allocation:
        """Take the idle sequence with the lowest number for a prompt.

        The tokens that it holds beyond the common prefix would be lost. If they are many, they are to be copied to the
        least recently used idle sequence.

        Raises:
            ValueError: none is idle.
        """
        sequence = min(self._idle)
        held = self._idle.pop(sequence)
        prefix = common_prefix(held, tokens)
        target = -1
        if self._movable and len(held) - prefix >= _WORTH_SAVING:
            source, _ = self.longest_match(tokens)  # stays, since the prompt may begin as a copy of it
            others = (each for each in self._idle if each != source)
            target = min(others, key=lambda each: len(self._idle[each]) > 0, default=-1)
        if target >= 0:
            del self._idle[target]
            self._idle[target] = held
        return Allocation(sequence, prefix, target, len(held))

    def release(self, sequence: int, tokens: Sequence[int]) -> bool:
        """Take back a sequence that holds tokens; returns whether they stay cached. If not, they must be trimmed.

        They do not stay if another idle sequence begins with them.
        """
        held = np.asarray(tokens, dtype=np.int32)
        worth = len(held) > 0 and self.longest_match(held)[1] < len(held)
        self._idle[sequence] = held if worth else held[:0]
        return worth

    def clear(self) -> None:
        """Note that all idle sequences were emptied."""
        self._idle = {sequence: held[:0] for sequence, held in self._idle.items()}
