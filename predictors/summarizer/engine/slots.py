"""What the scheduler keeps books of: prompts that wait, answers under way in their slots, and the engine's time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from predictors.summarizer.engine.answer_text import AnswerText
from predictors.summarizer.engine.types import Generation, Prompt, Sampler, Sampling
from predictors.summarizer.engine.prefixes import TokenArray


@dataclass(eq=False, slots=True)
class Ticket:
    """A prompt, and whoever waits for the answer.

    Args:
        prompt: what the model reads.
        sampling: how it writes.
        group: whose answer it is.
        stopped: tells whether to give up.
        on_text: called with each new piece of text, if anybody listens.
        future: the answer to come.
        order: its number among all prompts, in the order they came.
        submitted: when it came, seconds on the clock of `time.monotonic`.
    """

    prompt: Prompt
    sampling: Sampling
    group: object
    stopped: Callable[[], bool]
    on_text: Callable[[str], None] | None
    future: Future[Generation]
    order: int
    submitted: float


@dataclass(eq=False, slots=True)
class Slot:
    """An answer under way.

    Args:
        ticket: what it answers.
        sequence: number of the decoder's sequence that holds it.
        sampler: chooses its tokens.
        answer: the text written so far.
        prompt: the prompt's tokens.
        tokens: the prompt's, then those written.
        read: how many of ``tokens`` are in the KV cache.
        cached: how many of the prompt's were there without being read.
        begun: whether the other sequences have been searched for the prompt's beginning.
        first_token: seconds from submission to the first token written; 0 before it.
    """

    ticket: Ticket
    sequence: int
    sampler: Sampler
    answer: AnswerText
    prompt: TokenArray
    tokens: list[int]
    read: int
    cached: int
    begun: bool = False
    first_token: float = 0.0

    @property
    def unread(self) -> int:
        """Tokens that are not in the KV cache yet."""
        return len(self.tokens) - self.read

    @property
    def written(self) -> int:
        """Tokens of the answer so far."""
        return len(self.tokens) - len(self.prompt)


@dataclass(slots=True)
class Usage:
    """Where the engine's time goes, since the start.

    Args:
        steps: batches through the model.
        tokens: tokens in them.
        decode_seconds: in the model.
        sample_seconds: choosing tokens.
        python_seconds: in the scheduler itself.
    """

    steps: int = 0
    tokens: int = 0
    decode_seconds: float = 0.0
    sample_seconds: float = 0.0
    python_seconds: float = 0.0


@dataclass(slots=True)
class Inbox:
    """What other threads hand over to the engine's.

    Args:
        tickets: not taken yet, in the order they came.
        changed: held to read or change the others, and notified of each change.
        closed: whether the engine is to end.
    """

    tickets: list[Ticket] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    closed: bool = False
