"""Continuous batching: one thread runs the model for all answers that are being written.

A step is one batch through the model: the next token of every answer, and parts of the prompts that are still being
read. Between steps answers come and go, so a cancelled one frees its slot within one step, and none waits for another
to end. A batch is bounded, which cuts long prompts into parts. The oldest unread prompt gets half of what is left
beside the answers' own tokens, the shortest the other half: a short prompt passes a long one, and that still moves.

Waiting prompts are admitted in the order they came, except that whoever has fewer answers under way goes first: the
hundred parts of one long document do not hold up a short one. Each answer has a part of the KV cache to itself, large
enough for any that is accepted, so nothing that runs is ever thrown out for another.

A prompt is not read twice. It begins with what its sequence holds already, or as a copy of another's first tokens; and
if an older prompt is just reading what both have in common, it waits for that.
"""

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from predictors.summarizer.engine.cpu import step_back
from predictors.summarizer.engine.answer_text import AnswerText
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
from predictors.summarizer.engine.prefixes import Residents, common_prefix
from predictors.summarizer.engine.slots import Inbox, Slot, Ticket, Usage

logger = logging.getLogger(__name__)

# A prompt begins as a copy, or waits for another that is just being read, only if that saves this many tokens.
_WORTH_COPYING = 32


class Scheduler:
    """Runs a model for many at once.

    Args:
        decoder: the model; nobody else may use it from here on, except for `close`, which closes it.
        slots: most answers under way at once; the decoder's further sequences keep what may come again.
    """

    def __init__(self, decoder: Decoder, slots: int) -> None:
        self.usage = Usage()
        self._decoder = decoder
        self._slots = slots
        self._queue = Inbox()
        self._waiting: list[Ticket] = []
        self._running: list[Slot] = []
        self._orders = itertools.count()
        self._residents = Residents(range(decoder.sequences), decoder.shares)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> int:
        """Slots in use."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Prompts that wait for a slot."""
        return len(self._waiting) + len(self._queue.tickets)

    @property
    def kept(self) -> int:
        """Idle sequences that hold what may come again."""
        return self._residents.kept

    def submit(
        self,
        prompt: Prompt,
        sampling: Sampling,
        stopped: Callable[[], bool],
        group: object = None,
        on_text: Callable[[str], None] | None = None,
    ) -> "Future[Generation]":
        """Ask for an answer.

        Args:
            prompt: what the model reads.
            sampling: how it writes.
            stopped: asked before each step whether to give up.
            group: whose answer it is; whoever has fewer answers under way goes first.
            on_text: called on the engine's thread with each new piece of text; it must be quick.

        Returns:
            The answer to come; or `Stopped`, or `EngineError`.

        Raises:
            ValueError: prompt and answer together do not fit a sequence.
        """
        group = object() if group is None else group
        future: Future[Generation] = Future()
        now = time.monotonic()
        ticket = Ticket(prompt, sampling, group, stopped, on_text, future, next(self._orders), now)
        most = self._decoder.sequence_tokens + 1  # the last token of an answer is never read
        if not 0 < len(prompt.tokens) <= most - sampling.max_tokens:
            raise ValueError(f"{len(prompt.tokens)} tokens and {sampling.max_tokens} to write; a sequence holds {most}")
        future.set_running_or_notify_cancel()  # it is ended by the engine alone
        with self._queue.changed:
            if self._queue.closed:
                future.set_exception(Stopped())
            else:
                self._queue.tickets.append(ticket)
                self._queue.changed.notify()
        return future

    def close(self) -> None:
        """Give up what is under way, end the thread and close the decoder."""
        with self._queue.changed:
            self._queue.closed = True
            self._queue.changed.notify()
        self._thread.join()
        self._decoder.close()

    def _run(self) -> None:
        step_back()  # seconds of computing must not hold up what others of this process answer within a millisecond
        try:
            self._work()
        finally:
            with self._queue.changed:
                self._queue.closed = True
            for ticket in [slot.ticket for slot in self._running] + self._waiting + self._queue.tickets:
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
                logger.error("the engine failed and gives up %d answers: %s", len(self._running), error)
                self._start_over(error)
            except Exception as error:
                logger.exception("the engine failed and gives up %d answers", len(self._running))
                self._start_over(error)
            inside = self.usage.decode_seconds + self.usage.sample_seconds - before
            self.usage.python_seconds += time.perf_counter() - started - inside

    def _take(self) -> bool:
        """Wait for work; gives whether to go on."""
        queue = self._queue
        with queue.changed:
            while not (queue.tickets or queue.closed or self._running or self._waiting):
                queue.changed.wait()
            self._waiting += queue.tickets
            queue.tickets.clear()
            return not queue.closed

    def _drop_stopped(self) -> None:
        for slot in [slot for slot in self._running if slot.ticket.stopped()]:
            self._end(slot, Stopped())
        dropped = [ticket for ticket in self._waiting if ticket.stopped()]
        for ticket in dropped:
            self._waiting.remove(ticket)
            ticket.future.set_exception(Stopped())

    def _admit(self) -> None:
        under_way = Counter(slot.ticket.group for slot in self._running)
        while self._waiting and len(self._running) < self._slots:
            ticket = min(self._waiting, key=lambda ticket: (under_way[ticket.group], ticket.order))
            self._waiting.remove(ticket)
            self._start(ticket)
            under_way[ticket.group] += 1

    def _start(self, ticket: Ticket) -> None:
        try:
            sampler = self._decoder.sampler(ticket.sampling)
        except Exception as error:  # noqa: BLE001  # whatever it is, somebody waits for it
            ticket.future.set_exception(error if isinstance(error, EngineError) else EngineError(str(error)))
            return
        tokens = list(ticket.prompt.tokens)
        prompt = np.asarray(tokens, dtype=np.int32)
        taken = self._residents.take(prompt[:-1])  # the last token is always read, for the logits after it
        if taken.refuge >= 0:
            self._decoder.share(taken.number, taken.refuge, taken.held)
        held = self._trim(taken.number, taken.length)
        answer = AnswerText(ticket.sampling.stop)
        self._running.append(Slot(ticket, taken.number, sampler, answer, prompt, tokens, read=held, cached=held))

    def _step(self) -> None:
        plan = self._plan()
        parts = [
            Part(slot.sequence, slot.read, slot.tokens[slot.read : slot.read + count], count == slot.unread)
            for slot, count in plan
        ]
        self._decode(parts)
        row = -1
        for slot, count in plan:
            row += count
            slot.read += count
            if slot.unread == 0:
                self._write(slot, row)

    def _plan(self) -> list[tuple[Slot, int]]:
        """Share the batch out: which slot reads how many of its tokens."""
        writing = [slot for slot in self._running if slot.unread == 1 and slot.written]
        reading = [slot for slot in self._running if not slot.written and self._begin(slot)]
        room = self._decoder.batch_tokens - len(writing)
        counts: dict[Slot, int] = dict.fromkeys(writing, 1)
        if reading:
            oldest = reading[0]
            counts[oldest] = min(oldest.unread, room if len(reading) == 1 else room // 2)
            room -= counts[oldest]
            for slot in sorted(reading, key=lambda slot: slot.unread):
                count = min(slot.unread - counts.get(slot, 0), room)
                if count:
                    counts[slot] = counts.get(slot, 0) + count
                    room -= count
        # Sequences whose numbers follow each other are computed together.
        return sorted(counts.items(), key=lambda entry: entry[0].sequence)

    def _begin(self, slot: Slot) -> bool:
        """Let a prompt begin with what another sequence holds, if it is much; gives whether it is to be read now.

        It waits while an older one reads what both have in common.
        """
        if slot.begun or not self._decoder.shares:
            return True
        prompt = slot.prompt[:-1]
        source, length = self._residents.longest(prompt)
        for other in self._running:
            if other is slot:
                break
            common = common_prefix(other.prompt, prompt)
            if common > other.read and common >= max(length, slot.read) + _WORTH_COPYING:
                return False
            if min(common, other.read) > length:
                source, length = other.sequence, min(common, other.read)
        slot.begun = True
        if length >= slot.read + _WORTH_COPYING:
            self._decoder.share(source, slot.sequence, length)
            self._residents.touch(source)
            slot.read = slot.cached = length
        return True

    def _decode(self, parts: Sequence[Part]) -> None:
        started = time.perf_counter()
        self._decoder.decode(parts)
        self.usage.decode_seconds += time.perf_counter() - started
        self.usage.steps += 1
        self.usage.tokens += sum(len(part.tokens) for part in parts)

    def _write(self, slot: Slot, row: int) -> None:
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
        reason: FinishReason | None = None
        if self._decoder.is_end(token):
            reason = "stop"
        else:
            slot.answer.add(self._decoder.piece(token))
            if slot.answer.stopped:
                reason = "stop"
            elif slot.written == slot.ticket.sampling.max_tokens:
                reason = "length"
        on_text = slot.ticket.on_text
        if on_text is not None and (text := slot.answer.finish() if reason else slot.answer.release()):
            on_text(text)
        if reason:
            self._end(slot, self._generation(slot, reason))

    def _generation(self, slot: Slot, reason: FinishReason) -> Generation:
        return Generation(slot.answer.text, len(slot.prompt), slot.cached, slot.written, reason, slot.first_token)

    def _end(self, slot: Slot, result: Generation | Exception) -> None:
        self._running.remove(slot)
        slot.sampler.close()
        keep = slot.ticket.prompt.keep
        kept = self._trim(slot.sequence, slot.read if keep < 0 else min(keep, slot.read))
        if not self._residents.give_back(slot.sequence, slot.tokens[:kept]):
            self._decoder.trim(slot.sequence, 0)
        if isinstance(result, Generation):
            slot.ticket.future.set_result(result)
        else:
            slot.ticket.future.set_exception(result)

    def _trim(self, sequence: int, length: int) -> int:
        """Forget a sequence's tokens from ``length`` on; gives how many are left, none where only all can go."""
        if self._decoder.trim(sequence, length):
            return length
        self._decoder.trim(sequence, 0)
        return 0

    def _start_over(self, error: Exception) -> None:
        """Give up what runs; what waits goes on with an empty cache."""
        for slot in self._running:
            slot.sampler.close()
            self._residents.give_back(slot.sequence, ())
            slot.ticket.future.set_exception(EngineError(str(error)))
        self._running.clear()
        self._decoder.clear()
        self._residents.forget_all()
