"""What the pipeline of summaries asks, where there is no model here: nobody, or the endpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeAlias

from predictors.serving.model.standby import Outcome, StandbyFailed
from predictors.summarizer.engine.slots import Usage
from predictors.summarizer.engine.types import Generation, Prompt, Sampling
from predictors.summarizer.fallback.endpoint import Messages
from predictors.summarizer.fallback.passages import messages
from predictors.summarizer.fallback.placeholders import Mask

AskChat: TypeAlias = Callable[[Messages, int], Awaitable[Generation]]
"""Asks the endpoint to continue a chat, by at most so many tokens."""


class SilentEngine:
    """Answers nothing, at once: whatever a model could leave out of a clause stays."""

    def __init__(self) -> None:
        self.usage = Usage()

    def submit(
        self, prompt: Prompt, sampling: Sampling, stopped: Callable[[], bool], flow: object = None
    ) -> "Future[Generation]":
        """See `Scheduler.submit`."""
        future: Future[Generation] = Future()
        future.set_result(Generation("", 0, 0, 0, "length", 0.0))
        return future


class RemoteEngine:
    """Asks the endpoint for the documents of a request. Its methods are for the thread that summarizes them.

    Args:
        ask: asks the endpoint; called on the loop.
        loop: the event loop.
    """

    def __init__(self, ask: AskChat, loop: asyncio.AbstractEventLoop) -> None:
        self.usage = Usage()
        self._ask = ask
        self._loop = loop
        self._mask: Mask
        self._asked: list[Future[Generation]] = []
        self._closed = False

    def prepare(self, mask: Mask) -> None:
        """Say what hides in each passage what may not leave: how a document is cleaned can bring out more of it."""
        self._mask = mask

    def submit(
        self, prompt: Prompt, sampling: Sampling, stopped: Callable[[], bool], flow: object = None
    ) -> "Future[Generation]":
        """See `Scheduler.submit`; if the endpoint fails for the first passage, that is the future's."""
        chat = [(role, self._mask.hide(content)) for role, content in messages(prompt.tokens)]
        answer = self._answer_or_end if self._asked else self._answer
        future = asyncio.run_coroutine_threadsafe(answer(chat, sampling.max_tokens), self._loop)
        self._asked.append(future)
        return future

    async def _answer(self, chat: Messages, max_tokens: int) -> Generation:
        if self._closed:
            raise StandbyFailed(Outcome.LATE)
        generation = await self._ask(chat, max_tokens)
        whole = generation.finish_reason == "stop"  # otherwise its last point may have been cut
        return replace(
            generation, text=self._mask.restore(generation.text), finish_reason="stop" if whole else "length"
        )

    async def _answer_or_end(self, chat: Messages, max_tokens: int) -> Generation:
        """A later passage: without it, the summary ends with what there is, as it does at the deadline."""
        try:
            return await self._answer(chat, max_tokens)
        except StandbyFailed:
            raise TimeoutError from None

    def require_an_answer(self) -> None:
        """Pass only if the endpoint has answered for the first passage, or was asked nothing.

        Raises:
            StandbyFailed: it was too slow.
        """
        if self._asked and not self._asked[0].done():
            raise StandbyFailed(Outcome.LATE)

    def close(self) -> None:
        """Abandon what has not been answered, and send nothing more."""
        self._closed = True
        for future in self._asked:
            future.cancel()
