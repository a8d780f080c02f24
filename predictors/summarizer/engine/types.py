"""The engine's inputs and outputs, and what it asks of the code that runs the model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

FinishReason: TypeAlias = Literal["stop", "length", "deadline"]
TokenArray: TypeAlias = NDArray[np.int32]


class Stopped(Exception):  # an event, not a fault
    """Generation was abandoned: the client is gone, the deadline has passed, or the engine is closing."""


class EngineError(Exception):
    """The model could not be run; the text gives the reason, for the log."""


class GrammarError(EngineError):
    """An answer cannot be continued under its constraint; the text says why, for the client."""


class Constraint(Protocol):
    """What the tokens of one answer must follow, such as a JSON schema. It advances with the answer."""

    def accept(self, token: int) -> bool:
        """Advance by a token; returns whether the token is allowed, and does nothing if not.

        Raises:
            GrammarError: following the constraint takes too much work.
        """
        ...

    def allowed(self) -> TokenArray:
        """The tokens that may come next, at least one.

        Raises:
            GrammarError: there is none, or following the constraint takes too much work.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen, and when an answer ends.

    Args:
        max_tokens: maximum number of tokens to generate.
        temperature: 0 takes the most likely token each time.
        top_p: choose among the most likely tokens that together have this probability.
        min_p: choose among tokens at least this likely, relative to the most likely.
        seed: of the random choice; no effect at temperature 0.
        stop: texts that end the answer and are not part of it.
        repeat_penalty: above 1, tokens that were just generated become less likely.
        constraint: for this answer alone; None for free text.
        ends_at: when it ends with what there is, seconds of the monotonic clock; an answer without a token goes on.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    repeat_penalty: float = 1.0
    constraint: Constraint | None = None
    ends_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads.

    Args:
        tokens: all of it; at least one.
        reusable: how many of the first tokens other prompts are likely to begin with, so that they stay in the prefix
            cache; -1 for all of them and the answer, since the next turn of a chat begins with both.
    """

    tokens: Sequence[int]
    reusable: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """What was generated.

    Args:
        text: the answer.
        prompt_tokens: tokens of the prompt.
        cached_tokens: how many of them were in the KV cache already.
        completion_tokens: tokens generated, including the end token.
        finish_reason: ``stop`` at the model's own end or a stop text, ``length`` at ``max_tokens``, ``deadline`` at
            ``ends_at``.
        seconds_to_first_token: from submission to the first token (TTFT), queueing included.
    """

    text: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    finish_reason: FinishReason
    seconds_to_first_token: float


@dataclass(frozen=True, slots=True)
class Part:
    """One sequence's part of a batch.

    Args:
        sequence: its number.
        position: of the first token, from 0.
        tokens: to decode.
        logits: whether to compute logits after the last one.
    """

    sequence: int
    position: int
    tokens: Sequence[int]
    logits: bool


class Sampler(Protocol):
    """Chooses the tokens of one sequence."""

    def sample(self, row: int) -> int:
        """Choose a token from the logits of the last batch.

        Args:
            row: index in that batch of a token whose logits were asked for.

        Raises:
            GrammarError: no token can be chosen under the constraint.
        """
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


class Decoder(Protocol):
    """A language model and its KV cache of several sequences, numbered from 0. Only one thread may use it."""

    @property
    def sequence_tokens(self) -> int:
        """KV cells of each sequence."""
        ...

    @property
    def sequences(self) -> int:
        """Number of sequences."""
        ...

    @property
    def batch_tokens(self) -> int:
        """Maximum number of tokens in one batch."""
        ...

    @property
    def copies_prefixes(self) -> bool:
        """Whether a sequence can begin as a copy of another's first tokens; recurrent models cannot do that."""
        ...

    def decode(self, parts: Sequence[Part]) -> None:
        """Run a batch: add its tokens' keys and values to the KV cache, and compute logits where asked.

        Args:
            parts: in the order of their sequence numbers.

        Raises:
            EngineError: it failed; the cache's content is unknown.
        """
        ...

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Make a sequence hold the first ``length`` tokens of another, and nothing else."""
        ...

    def trim(self, sequence: int, length: int) -> bool:
        """Remove a sequence's tokens from ``length`` on; returns whether that was possible (to 0, it always is)."""
        ...

    def clear(self) -> None:
        """Empty all sequences."""
        ...

    def sampler(self, sampling: Sampling) -> Sampler:
        """Make the sampler of one answer.

        Raises:
            EngineError: it cannot be made.
        """
        ...

    def is_end(self, token: int) -> bool:
        """Whether a token ends the answer."""
        ...

    def piece(self, token: int) -> bytes:
        """A token's text: UTF-8 that may begin or end within a character."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...
