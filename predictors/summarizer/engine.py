"""What the summarizer asks of whatever runs a language model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen, and when to end.

    Args:
        max_tokens: most tokens to write.
        temperature: 0 takes the likeliest token each time.
        seed: of the random choice; without effect at temperature 0.
        stop: texts that end the answer and are not part of it.
        repeat_penalty: above 1 makes tokens that were just written less likely.
    """

    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    repeat_penalty: float = 1.1


@dataclass(frozen=True, slots=True)
class Generation:
    """What was written.

    Args:
        text: the answer.
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        finish_reason: ``stop`` at the model's own end or a stop text, ``length`` at ``max_tokens``.
        seconds_to_first_token: from the start of reading to the first token (TTFT).
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: Literal["stop", "length"]
    seconds_to_first_token: float


class Engine(Protocol):
    """Runs one language model. Not thread-safe: its owner calls it from one thread."""

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may have together."""
        ...

    def prompt(self, system: str, user: str, document: str) -> list[int]:
        """Tokens of a chat with a system message and a user message that ends in the document.

        The document's text never turns into control tokens, whatever it quotes.
        """
        ...

    def generate(self, prompt: Sequence[int], sampling: Sampling, stopped: Callable[[], bool]) -> Generation:
        """Write an answer.

        Raises:
            Stopped: ``stopped`` said so between two steps.
        """
        ...

    def close(self) -> None:
        """Give the model's memory back."""
        ...


class Stopped(Exception):  # an event, not a fault
    """Generation was given up because nobody waits for it."""
