"""A decoder without a model: it keeps the books of a KV cache strictly, and writes what follows from what it has read."""

import threading
import zlib
from collections.abc import Sequence

from predictors.summarizer.engine.types import EngineError, GrammarError, Part, Sampling

END = 0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def next_token(history: Sequence[int], seed: int) -> int:
    """The token after some others: any of 1 to 26, from all of them and the seed."""
    return zlib.crc32(bytes(token % 251 for token in history) + seed.to_bytes(4, "little")) % 26 + 1


def expected(prompt: Sequence[int], count: int, seed: int = 0) -> str:
    """What the decoder must write after a prompt, whoever else is in the batch."""
    history = list(prompt)
    for _ in range(count):
        history.append(next_token(history, seed))
    return "".join(LETTERS[token - 1] for token in history[len(prompt) :])


class FakeDecoder:
    """Refuses what llama.cpp would refuse, and fails on request.

    Args:
        sequence_tokens: that its cache holds for each sequence.
        sequences: how many there are.
        batch_tokens: most tokens in a batch.
        shares: whether sequences can begin as copies.
    """

    def __init__(
        self, sequence_tokens: int = 512, sequences: int = 6, batch_tokens: int = 16, shares: bool = True
    ) -> None:
        self.sequence_tokens, self.sequences = sequence_tokens, sequences
        self.batch_tokens, self.shares = batch_tokens, shares
        self._held: dict[int, list[int]] = {number: [] for number in range(sequences)}
        self._rows: dict[int, list[int]] = {}
        self.batches: list[list[Part]] = []
        self.fail_next = False
        self.samplers = 0
        self.closed = False
        self.gate: threading.Semaphore | None = None
        """If set, each batch waits for a permit."""

    def tokens(self, sequence: int) -> list[int]:
        """What a sequence holds."""
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
            assert part.position == len(held), "tokens must follow each other"
            held += part.tokens
            assert len(held) <= self.sequence_tokens
            row += len(part.tokens)
            if part.logits:
                self._rows[row] = self.tokens(part.sequence)

    def share(self, source: int, target: int, length: int) -> None:
        assert self.shares
        assert length <= len(self._held[source])
        self._held[target] = self._held[source][:length]

    def trim(self, sequence: int, length: int) -> bool:
        if 0 < length < len(self._held[sequence]) and not self.shares:
            return False
        del self._held[sequence][length:]
        return True

    def clear(self) -> None:
        for held in self._held.values():
            held.clear()

    def sampler(self, sampling: Sampling) -> "FakeSampler":
        if sampling.grammar == "bad":
            raise GrammarError("bad grammar")
        self.samplers += 1
        return FakeSampler(self, sampling.seed)

    def logits(self, row: int) -> list[int]:
        """The history that a row's logits follow from."""
        return self._rows[row]

    def is_end(self, token: int) -> bool:
        return token == END

    def piece(self, token: int) -> bytes:
        return LETTERS[token - 1].encode()

    def close(self) -> None:
        self.closed = True


class FakeSampler:
    """Takes `next_token`."""

    def __init__(self, decoder: FakeDecoder, seed: int) -> None:
        self._decoder = decoder
        self._seed = seed
        self._open = True

    def sample(self, row: int) -> int:
        assert self._open
        return next_token(self._decoder.logits(row), self._seed)

    def close(self) -> None:
        assert self._open
        self._open = False
        self._decoder.samplers -= 1
