"""What leaves for the passages of a document, and when nothing does."""

import asyncio

from predictors.serving.model.standby import Outcome, StandbyFailed
from predictors.summarizer.engine.types import Generation, Prompt, Sampling
from predictors.summarizer.fallback.endpoint import Messages
from predictors.summarizer.fallback.engines import RemoteEngine
from predictors.summarizer.fallback.placeholders import Mask


def test_nothing_leaves_once_the_caller_has_gone() -> None:
    asked: list[Messages] = []

    async def ask(chat: Messages, max_tokens: int) -> Generation:
        asked.append(chat)
        raise StandbyFailed(Outcome.FAILED)

    async def scenario() -> None:
        engine = RemoteEngine(ask, asyncio.get_running_loop())
        engine.prepare(Mask(lambda text: [], []))
        before = engine.submit(Prompt([], reusable=0), Sampling(max_tokens=1), lambda: False)
        engine.close()
        after = engine.submit(Prompt([], reusable=0), Sampling(max_tokens=1), lambda: False)
        while not (before.done() and after.done()):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert asked == []
