"""When something else answers in a model's place, and what becomes of a request then.

A request is handed over only if the model is not ready, has no room, or is expected to be too slow for the deadline.
If there is no answer from elsewhere either, the caller gets the error that it would have had without it. What is
answered elsewhere is marked as such, and is never cached, measured or watched as the model's own.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from typing import TypeAlias

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.dispatch.streaming import Emit, parts_of
from predictors.serving.errors import ModelNotReady, Overloaded, ServingError, Unavailable
from predictors.serving.model.standby import Outcome, Reason, Standby, StandbyFailed
from predictors.serving.model.types import Batch, Event, Job, Outputs
from predictors.serving.telemetry.call import Call

logger = logging.getLogger(__name__)

Trouble: TypeAlias = ModelNotReady | Overloaded
SERVED_BY = "fallback"
"""What such answers are marked with."""


class Fallback:
    """Who answers one request: a model, or what answers in its place.

    Args:
        model: the model.
        standby: what there is instead.
    """

    def __init__(self, model: ServedModel, standby: Standby) -> None:
        self._model = model
        self._standby = standby
        self._trouble: Trouble | None = None  # why the model cannot answer

    def takes_over(self, call: Call, trouble: Trouble) -> bool:
        """Whether there may be an answer although the model cannot give one, so that the request is worth reading."""
        outcome = Outcome.DECLINED if call.stays_here else self._standby.unable()
        if outcome is not None:
            self._standby.count(_reason(trouble), outcome)
            return False
        # Its traceback leads to the request, and that leads here: the request would count as in use until the garbage
        # collector came by.
        self._trouble = trouble.with_traceback(None)
        return True

    async def answer(self, batch: Batch, call: Call) -> Outputs:
        """Give the outputs of a batch; the call is marked if they come from elsewhere.

        Raises:
            ModelNotReady, Overloaded, DeadlineExceeded, InvalidInput: see `ServedModel.run`.
        """
        return await self._answer(batch, call, None)

    def stream(self, batch: Batch, call: Call) -> AsyncGenerator[Event | Outputs, None]:
        """Give the parts of an answer as they come, then the whole; raises what `answer` raises."""
        return parts_of(lambda emit: self._answer(batch, call, emit))

    async def _answer(self, batch: Batch, call: Call, emit: Emit | None) -> Outputs:
        if self._trouble is None:
            if self._is_too_slow(call):
                found = await self._while_slow(batch, call, emit)
                if found is not None:
                    return found
            try:
                return await self._by_the_model(batch, call, emit)
            except (ModelNotReady, Overloaded) as error:
                if not self.takes_over(call, error):
                    raise
                trouble: Trouble = error
        else:
            trouble = self._trouble
        found = await self._elsewhere(batch, call, _reason(trouble), emit)
        if found is None:
            try:
                raise trouble
            finally:  # for the same reason
                self._trouble = None
                del trouble
        return found

    async def _while_slow(self, batch: Batch, call: Call, emit: Emit | None) -> Outputs | None:
        if emit is None:  # what is streamed is not cached
            found = await self._model.cached(batch, call)
            if found is not None:
                return found
        return await self._elsewhere(batch, call, Reason.SLOW, emit)

    async def _by_the_model(self, batch: Batch, call: Call, emit: Emit | None) -> Outputs:
        if emit is None:
            return await self._model.answer(batch, call)
        return await self._model.run(batch, call.deadline, emit, call.trace)

    def _is_too_slow(self, call: Call) -> bool:
        """Whether the model will answer too late, by how fast it has been. One that is idle is never too slow, so that
        it can show that it has become faster.
        """
        return (
            self._model.in_flight > 0
            and self._model.expected_seconds > call.deadline - time.monotonic()
            and not call.stays_here
            and self._standby.unable() is None
        )

    async def _elsewhere(self, batch: Batch, call: Call, reason: Reason, emit: Emit | None) -> Outputs | None:
        """The standby's answer; None if it has none.

        Raises:
            Unavailable: a part of its answer has been given, but not all.
        """
        self._model.predictor.check(batch)
        sent = False

        def pass_on(event: Event) -> None:
            nonlocal sent
            sent = True
            if emit is not None:
                emit(event)

        version, call.version, call.served_by = call.version, "", SERVED_BY
        job = Job(call.deadline, None if emit is None else pass_on)
        try:
            async with asyncio.timeout(call.deadline - time.monotonic()):
                outputs = await self._standby.answer(batch, job, reason)
        except ServingError:  # the caller's fault, found here
            call.version, call.served_by = version, ""
            raise
        except Exception as error:  # noqa: BLE001  # whatever happens, there is the error that there would have been
            self._standby.count(reason, _outcome(error))
            if sent:
                raise Unavailable("the answer broke off; try again") from None
            call.version, call.served_by = version, ""
            return None
        finally:
            job.cancel()
        self._standby.count(reason, Outcome.ANSWERED)
        return outputs


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, StandbyFailed):
        return error.outcome
    if isinstance(error, TimeoutError):
        return Outcome.LATE
    logger.error("the fallback failed: %s", type(error).__name__)  # what it says may quote the request
    return Outcome.FAILED


def _reason(trouble: Trouble) -> Reason:
    return Reason.OVERLOADED if isinstance(trouble, Overloaded) else Reason.NOT_READY
