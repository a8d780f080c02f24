"""What the scheduler keeps track of: queued prompts, the answers in its slots, and the engine's time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from predictors.summarizer.engine.answer_text import AnswerText
from predictors.summarizer.engine.types import FinishReason, Generation, Prompt, Sampler, Sampling, TokenArray


@dataclass(eq=False, slots=True)
class Ticket:
    """A prompt, and the answer to come.

    Args:
        prompt: what the model reads.
        sampling: how tokens are chosen.
        flow: which answers it competes with as one, for fair queueing.
        stopped: tells whether to abandon it.
        on_text: called with each new piece of text, if the answer is streamed.
        future: the answer to come.
        order: its number among all prompts, in order of arrival.
        submitted: time of arrival, seconds on the clock of `time.monotonic`.
    """

    prompt: Prompt
    sampling: Sampling
    flow: object
    stopped: Callable[[], bool]
    on_text: Callable[[str], None] | None
    future: Future[Generation]
    order: int
    submitted: float


@dataclass(eq=False, slots=True)
class Slot:
    """An answer in progress.

    Args:
        ticket: what it answers.
        sequence: number of the decoder's sequence that holds it.
        sampler: chooses its tokens.
        answer: the text generated so far.
        prompt: the prompt's tokens.
        tokens: the prompt's, then those generated.
        decoded: how many of ``tokens`` are in the KV cache.
        cached: how many of the prompt's were there without prefill.
        prefix_searched: whether the other sequences have been searched for the prompt's prefix.
        first_token: seconds from submission to the first token generated; 0 before it.
    """

    ticket: Ticket
    sequence: int
    sampler: Sampler
    answer: AnswerText
    prompt: TokenArray
    tokens: list[int]
    decoded: int
    cached: int
    prefix_searched: bool = False
    first_token: float = 0.0

    @property
    def pending(self) -> int:
        """Tokens that are not in the KV cache yet."""
        return len(self.tokens) - self.decoded

    @property
    def generated(self) -> int:
        """Tokens of the answer so far."""
        return len(self.tokens) - len(self.prompt)

    def result(self, reason: FinishReason) -> Generation:
        """The answer, once it has ended."""
        return Generation(self.answer.text, len(self.prompt), self.cached, self.generated, reason, self.first_token)


@dataclass(slots=True)
class Usage:
    """Where the engine's time goes, since the start.

    Args:
        steps: batches run through the model.
        tokens: tokens in them.
        decode_seconds: spent in the model.
        sample_seconds: spent choosing tokens.
        python_seconds: spent in the scheduler itself.
    """

    steps: int = 0
    tokens: int = 0
    decode_seconds: float = 0.0
    sample_seconds: float = 0.0
    python_seconds: float = 0.0


@dataclass(slots=True)
class Inbox:
    """What other threads hand over to the engine's thread.

    Args:
        tickets: not taken yet, in order of arrival.
        changed: held to read or change the others, and notified of each change.
        closed: whether the engine is to end.
    """

    tickets: list[Ticket] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    closed: bool = False
