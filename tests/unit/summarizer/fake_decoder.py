"""A decoder without a model: it tracks its KV cache strictly, and generates what follows from the tokens it has decoded."""

import threading
import zlib
from collections.abc import Sequence

import numpy as np

from predictors.summarizer.engine.types import EngineError, GrammarError, Part, Sampling, TokenArray

END = 0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def next_token(history: Sequence[int], seed: int) -> int:
    """The token after others: one of 1 to 26, determined by all of them and the seed."""
    return zlib.crc32(bytes(token % 251 for token in history) + seed.to_bytes(4, "little")) % 26 + 1


def expected(prompt: Sequence[int], count: int, seed: int = 0) -> str:
    """What the decoder must generate after a prompt, whatever else is in the batch."""
    history = list(prompt)
    for _ in range(count):
        history.append(next_token(history, seed))
    return "".join(LETTERS[token - 1] for token in history[len(prompt) :])


class Impossible:
    """A constraint that no answer can follow."""

    def accept(self, token: int) -> bool:
        return False

    def allowed(self) -> TokenArray:
        raise GrammarError("no answer can follow this")


class OneOf:
    """A constraint that allows some tokens alone."""

    def __init__(self, *tokens: int) -> None:
        self._tokens = np.array(tokens, np.int32)

    def accept(self, token: int) -> bool:
        return token in self._tokens

    def allowed(self) -> TokenArray:
        return self._tokens


class FakeDecoder:
    """Rejects what llama.cpp would reject, and fails on request.

    Args:
        sequence_tokens: KV cells of each sequence.
        sequences: how many there are.
        batch_tokens: most tokens in a batch.
        copies_prefixes: whether a sequence can begin as a copy of another.
    """

    def __init__(
        self, sequence_tokens: int = 512, sequences: int = 6, batch_tokens: int = 16, copies_prefixes: bool = True
    ) -> None:
        self.sequence_tokens, self.sequences = sequence_tokens, sequences
        self.batch_tokens, self.copies_prefixes = batch_tokens, copies_prefixes
        self._held: dict[int, list[int]] = {number: [] for number in range(sequences)}
        self._rows: dict[int, list[int]] = {}
        self.batches: list[list[Part]] = []
        self.fail_next = False
        self.samplers = 0
        self.closed = False
        self.gate: threading.Semaphore | None = None
        """If set, each batch waits for it."""

    def tokens(self, sequence: int) -> list[int]:
        """The tokens that a sequence holds."""
        return list(self._held[sequence])

    def decode(self, parts: Sequence[Part]) -> None:
        if self.gate is not None:
            self.gate.acquire()
        size = sum(len(part.tokens) for part in parts)
        assert 0 < size <= self.batch_tokens
        numbers = [part.sequence for part in parts]
        assert numbers == sorted(set(numbers))
        self.batches.append(list(parts))
        if self.fail_next:
            self.fail_next = False
            raise EngineError("on request")
        self._rows.clear()
        row = -1
        for part in parts:
            held = self._held[part.sequence]
            assert part.position == len(held), "positions must be consecutive"
            held += part.tokens
            assert len(held) <= self.sequence_tokens
            row += len(part.tokens)
            if part.logits:
                self._rows[row] = self.tokens(part.sequence)

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        assert self.copies_prefixes
        assert length <= len(self._held[source])
        self._held[target] = self._held[source][:length]

    def trim(self, sequence: int, length: int) -> bool:
        if 0 < length < len(self._held[sequence]) and not self.copies_prefixes:
            return False
        del self._held[sequence][length:]
        return True

    def clear(self) -> None:
        for held in self._held.values():
            held.clear()

    def sampler(self, sampling: Sampling) -> "FakeSampler":
        self.samplers += 1
        return FakeSampler(self, sampling)

    def logits(self, row: int) -> list[int]:
        """The tokens that a row's logits follow from."""
        return self._rows[row]

    def is_end(self, token: int) -> bool:
        return token == END

    def piece(self, token: int) -> bytes:
        return LETTERS[token - 1].encode()

    def close(self) -> None:
        self.closed = True


class FakeSampler:
    """Takes `next_token`, or the first that the constraint allows if it does not allow that one."""

    def __init__(self, decoder: FakeDecoder, sampling: Sampling) -> None:
        self._decoder = decoder
        self._sampling = sampling
        self._open = True

    def sample(self, row: int) -> int:
        assert self._open
        token = next_token(self._decoder.logits(row), self._sampling.seed)
        constraint = self._sampling.constraint
        if constraint is not None and not constraint.accept(token):
            token = int(constraint.allowed()[0])
            assert constraint.accept(token)
        return token

    def close(self) -> None:
        assert self._open
        self._open = False
        self._decoder.samplers -= 1
