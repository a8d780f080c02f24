"""Continuous batching: one thread runs the model for all answers in progress.

A step is one batch through the model: the next token of every answer, and parts of the prompts that are still in
prefill. Answers join and leave between steps, so a cancelled one frees its slot within one step, and none waits for
another to end. A batch is bounded, so long prompts are split; see `batching`.

Prompts are admitted in order of arrival, except that a flow with fewer answers in progress goes first: the hundred
parts of one long document do not delay a short one. Each slot has its own part of the KV cache, large enough for any
answer that is accepted, so no answer is ever evicted for another.

A prefix is prefilled once. A prompt begins with what its sequence already holds, or as a copy of another sequence's
prefix; and while an older prompt prefills a prefix that both share, it waits.
"""

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from predictors.summarizer.engine.answer_text import AnswerText
from predictors.summarizer.engine.batching import share_batch
from predictors.summarizer.engine.cpu import lower_priority
from predictors.summarizer.engine.prefixes import PrefixCache, common_prefix
from predictors.summarizer.engine.slots import Inbox, Slot, Ticket, Usage
from predictors.summarizer.engine.types import (
    Decoder,
    EngineError,
    FinishReason,
    Generation,
    Part,
    Prompt,
    Sampling,
    Stopped,
)

logger = logging.getLogger(__name__)

# A prompt begins as a copy, or waits for one in prefill, only if that saves at least this many tokens.
_WORTH_COPYING = 32


class Scheduler:
    """Runs a model for several answers at once.

    Args:
        decoder: the model; from here on only the engine's thread uses it, except for `close`, which closes it.
        slots: maximum number of answers in progress; the decoder's other sequences cache prefixes.
    """

    def __init__(self, decoder: Decoder, slots: int) -> None:
        self.usage = Usage()
        self._decoder = decoder
        self._slots = slots
        self._inbox = Inbox()
        self._waiting: list[Ticket] = []
        self._running: list[Slot] = []
        self._orders = itertools.count()
        self._prefixes = PrefixCache(range(decoder.sequences), decoder.copies_prefixes)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> int:
        """Slots in use."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Prompts that wait for a slot."""
        return len(self._waiting) + len(self._inbox.tickets)

    @property
    def cached_prefixes(self) -> int:
        """Idle sequences that hold a prefix for later prompts."""
        return len(self._prefixes)

    def submit(
        self,
        prompt: Prompt,
        sampling: Sampling,
        stopped: Callable[[], bool],
        flow: object = None,
        on_text: Callable[[str], None] | None = None,
    ) -> "Future[Generation]":
        """Queue a prompt.

        Args:
            prompt: what the model reads.
            sampling: how tokens are chosen.
            stopped: asked before each step whether to abandon the answer.
            flow: equal for prompts that belong together; flows get slots in turn. By default each prompt is its own.
            on_text: called on the engine's thread with each new piece of text; it must return quickly.

        Returns:
            The answer to come; or `Stopped`, or `EngineError`.

        Raises:
            ValueError: prompt and answer together do not fit a sequence.
        """
        future: Future[Generation] = Future()
        flow = object() if flow is None else flow
        now = time.monotonic()
        ticket = Ticket(prompt, sampling, flow, stopped, on_text, future, next(self._orders), now)
        most = self._decoder.sequence_tokens + 1  # the last token of an answer is never decoded
        if not 0 < len(prompt.tokens) <= most - sampling.max_tokens:
            raise ValueError(
                f"{len(prompt.tokens)} tokens and {sampling.max_tokens} to generate; a sequence holds {most}"
            )
        future.set_running_or_notify_cancel()  # only the engine ends it
        with self._inbox.changed:
            if self._inbox.closed:
                future.set_exception(Stopped())
            else:
                self._inbox.tickets.append(ticket)
                self._inbox.changed.notify()
        return future

    def close(self) -> None:
        """Abandon all answers, end the thread and close the decoder."""
        with self._inbox.changed:
            self._inbox.closed = True
            self._inbox.changed.notify()
        self._thread.join()
        self._decoder.close()

    def _run(self) -> None:
        lower_priority()  # seconds of computing must not delay requests that this process answers in a millisecond
        try:
            self._work()
        finally:
            with self._inbox.changed:
                self._inbox.closed = True
            for ticket in [slot.ticket for slot in self._running] + self._waiting + self._inbox.tickets:
                ticket.future.set_exception(Stopped())
            for slot in self._running:
                slot.sampler.close()

    def _work(self) -> None:
        while self._take():
            started = time.perf_counter()
            before = self.usage.decode_seconds + self.usage.sample_seconds
            try:
                self._drop_stopped()
                self._admit()
                if self._running:
                    self._step()
            except EngineError as error:
                logger.error("the engine failed and abandons %d answers: %s", len(self._running), error)
                self._start_over(error)
            except Exception as error:
                logger.exception("the engine failed and abandons %d answers", len(self._running))
                self._start_over(error)
            inside = self.usage.decode_seconds + self.usage.sample_seconds - before
            self.usage.python_seconds += time.perf_counter() - started - inside

    def _take(self) -> bool:
        """Wait for work; returns whether to continue."""
        inbox = self._inbox
        with inbox.changed:
            while not (inbox.tickets or inbox.closed or self._running or self._waiting):
                inbox.changed.wait()
            self._waiting += inbox.tickets
            inbox.tickets.clear()
            return not inbox.closed

    def _drop_stopped(self) -> None:
        for slot in [slot for slot in self._running if slot.ticket.stopped()]:
            self._end(slot, Stopped())
        dropped = [ticket for ticket in self._waiting if ticket.stopped()]
        for ticket in dropped:
            self._waiting.remove(ticket)
            ticket.future.set_exception(Stopped())

    def _admit(self) -> None:
        running = Counter(slot.ticket.flow for slot in self._running)
        while self._waiting and len(self._running) < self._slots:
            ticket = min(self._waiting, key=lambda ticket: (running[ticket.flow], ticket.order))
            self._waiting.remove(ticket)
            self._start(ticket)
            running[ticket.flow] += 1

    def _start(self, ticket: Ticket) -> None:
        try:
            sampler = self._decoder.sampler(ticket.sampling)
        except Exception as error:  # noqa: BLE001  # a client waits for an answer or an error
            ticket.future.set_exception(error if isinstance(error, EngineError) else EngineError(str(error)))
            return
        tokens = list(ticket.prompt.tokens)
        prompt = np.asarray(tokens, dtype=np.int32)
        given = self._prefixes.allocate(prompt[:-1])  # the last token is always decoded, for the logits after it
        if given.evacuate_to >= 0:
            self._decoder.copy_prefix(given.sequence, given.evacuate_to, given.evacuate)
        held = self._trim(given.sequence, given.prefix)
        answer = AnswerText(ticket.sampling.stop)
        self._running.append(Slot(ticket, given.sequence, sampler, answer, prompt, tokens, decoded=held, cached=held))

    def _step(self) -> None:
        decoding = [slot for slot in self._running if slot.pending == 1 and slot.generated]
        prefilling = [slot for slot in self._running if not slot.generated and self._copy_prefix(slot)]
        plan = share_batch(decoding, prefilling, self._decoder.batch_tokens)
        parts = [
            Part(slot.sequence, slot.decoded, slot.tokens[slot.decoded : slot.decoded + count], count == slot.pending)
            for slot, count in plan
        ]
        self._decode(parts)
        row = -1
        for slot, count in plan:
            row += count
            slot.decoded += count
            if slot.pending == 0:
                self._generate(slot, row)

    def _copy_prefix(self, slot: Slot) -> bool:
        """Start a prompt as a copy of another sequence's prefix, if that saves much; returns whether to prefill now.

        It waits while an older prompt prefills a prefix that both share.
        """
        if slot.prefix_searched or not self._decoder.copies_prefixes:
            return True
        prompt = slot.prompt[:-1]
        source, length = self._prefixes.longest_match(prompt)
        for other in self._running:
            if other is slot:
                break
            common = common_prefix(other.prompt, prompt)
            if common > other.decoded and common >= max(length, slot.decoded) + _WORTH_COPYING:
                return False
            if min(common, other.decoded) > length:
                source, length = other.sequence, min(common, other.decoded)
        slot.prefix_searched = True
        if length >= slot.decoded + _WORTH_COPYING:
            self._decoder.copy_prefix(source, slot.sequence, length)
            self._prefixes.mark_used(source)
            slot.decoded = slot.cached = length
        return True

    def _decode(self, parts: Sequence[Part]) -> None:
        started = time.perf_counter()
        self._decoder.decode(parts)
        self.usage.decode_seconds += time.perf_counter() - started
        self.usage.steps += 1
        self.usage.tokens += sum(len(part.tokens) for part in parts)

    def _generate(self, slot: Slot, row: int) -> None:
        """Choose a slot's next token, and end the answer if that was the last."""
        started = time.perf_counter()
        try:
            token = slot.sampler.sample(row)
        except EngineError as error:  # this answer's own fault
            self._end(slot, error)
            return
        finally:
            self.usage.sample_seconds += time.perf_counter() - started
        slot.tokens.append(token)
        slot.first_token = slot.first_token or time.monotonic() - slot.ticket.submitted
        reason = self._add_text(slot, token)
        on_text = slot.ticket.on_text
        if on_text is not None and (text := slot.answer.finish() if reason else slot.answer.release()):
            on_text(text)
        if reason:
            self._end(slot, slot.result(reason))

    def _add_text(self, slot: Slot, token: int) -> FinishReason | None:
        """Add a token's text to the answer; returns why the answer ends with it, or None."""
        if self._decoder.is_end(token):
            return "stop"
        slot.answer.add(self._decoder.piece(token))
        if slot.answer.stopped:
            return "stop"
        if slot.generated == slot.ticket.sampling.max_tokens:
            return "length"
        return "deadline" if time.monotonic() >= slot.ticket.sampling.ends_at else None

    def _end(self, slot: Slot, result: Generation | Exception) -> None:
        self._running.remove(slot)
        slot.sampler.close()
        reusable = slot.ticket.prompt.reusable
        kept = self._trim(slot.sequence, slot.decoded if reusable < 0 else min(reusable, slot.decoded))
        if not self._prefixes.release(slot.sequence, slot.tokens[:kept]):
            self._decoder.trim(slot.sequence, 0)
        if isinstance(result, Generation):
            slot.ticket.future.set_result(result)
        else:
            slot.ticket.future.set_exception(result)

    def _trim(self, sequence: int, length: int) -> int:
        """Remove a sequence's tokens from ``length`` on; returns how many remain: 0 if only all can be removed."""
        if self._decoder.trim(sequence, length):
            return length
        self._decoder.trim(sequence, 0)
        return 0

    def _start_over(self, error: Exception) -> None:
        """Abandon the answers in progress; queued prompts continue with an empty KV cache."""
        for slot in self._running:
            slot.sampler.close()
            self._prefixes.release(slot.sequence, ())
            slot.ticket.future.set_exception(EngineError(str(error)))
        self._running.clear()
        self._decoder.clear()
        self._prefixes.clear()
