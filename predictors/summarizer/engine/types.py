"""What goes into the engine and comes out of it, and what it asks of whatever runs the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

FinishReason: TypeAlias = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen, and when to end.

    Args:
        max_tokens: most tokens to write.
        temperature: 0 takes the likeliest token each time.
        top_p: choose among the likeliest tokens that together have this probability.
        min_p: choose among tokens at least this likely, relative to the likeliest.
        seed: of the random choice; without effect at temperature 0.
        stop: texts that end the answer and are not part of it.
        repeat_penalty: above 1 makes tokens that were just written less likely.
        grammar: GBNF that the answer must follow, with the rule ``root``; empty for free text.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    repeat_penalty: float = 1.0
    grammar: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads.

    Args:
        tokens: all of it; at least one.
        keep: how many of the first tokens are likely to come again in other prompts, and are worth keeping in the KV
            cache; -1 for all of them and the answer, as a chat goes on from there.
    """

    tokens: Sequence[int]
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """What was written.

    Args:
        text: the answer.
        prompt_tokens: tokens of the prompt.
        cached_tokens: how many of them the KV cache held already.
        completion_tokens: tokens written, the end token included.
        finish_reason: ``stop`` at the model's own end or a stop text, ``length`` at ``max_tokens``.
        seconds_to_first_token: from submitting to the first token (TTFT), so waiting counts.
    """

    text: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    finish_reason: FinishReason
    seconds_to_first_token: float


class Stopped(Exception):  # an event, not a fault
    """Generation was given up because nobody waits for it."""


class EngineError(Exception):
    """The model could not be run; the text says why, for the log."""


class GrammarError(EngineError):
    """The grammar cannot be followed, such as one that begins with itself."""


class Sampler(Protocol):
    """Chooses the tokens of one sequence."""

    def sample(self, row: int) -> int:
        """Choose a token from the logits of the last batch.

        Args:
            row: place in that batch, of an entry whose logits were asked for.
        """
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Decoder(Protocol):
    """A language model and its KV cache, which holds several sequences, numbered from 0. Only one thread uses it."""

    @property
    def sequence_tokens(self) -> int:
        """Tokens that the cache holds for each sequence."""
        ...

    @property
    def sequences(self) -> int:
        """How many sequences it tells apart."""
        ...

    @property
    def batch_tokens(self) -> int:
        """Most tokens in one batch."""
        ...

    @property
    def shares(self) -> bool:
        """Whether a sequence can begin as a copy of another's first tokens; in recurrent models it cannot."""
        ...

    def decode(self, parts: Sequence["Part"]) -> None:
        """Read tokens: add their keys and values to the cache, and compute logits where asked.

        Args:
            parts: in the order of their sequences' numbers.

        Raises:
            EngineError: it failed; the cache's content is unknown.
        """
        ...

    def share(self, source: int, target: int, length: int) -> None:
        """Let a sequence hold the first ``length`` tokens of another, and nothing else."""
        ...

    def trim(self, sequence: int, length: int) -> bool:
        """Forget a sequence's tokens from ``length`` on; gives whether that was possible (to 0, it always is)."""
        ...

    def clear(self) -> None:
        """Forget all sequences."""
        ...

    def sampler(self, sampling: Sampling) -> Sampler:
        """Make the sampler of one answer.

        Raises:
            GrammarError: no answer could follow its grammar.
        """
        ...

    def is_end(self, token: int) -> bool:
        """Whether a token ends the answer."""
        ...

    def piece(self, token: int) -> bytes:
        """A token's text, UTF-8 that may begin or end within a character."""
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One sequence's share of a batch.

    Args:
        sequence: its number.
        position: of the first token, from 0.
        tokens: what to read.
        logits: whether to compute logits after the last one.
    """

    sequence: int
    position: int
    tokens: Sequence[int]
    logits: bool
