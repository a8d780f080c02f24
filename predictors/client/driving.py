"""Does what a call's course says: in threads, and with asyncio."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from predictors.client.errors import ClientError
from predictors.client.policy.course import Answered, Course, Failed, Outcome, Send, Wait
from predictors.client.transports.http_sync import Bounds

AttemptSync: TypeAlias = Callable[[float, Bounds], Any]
"""Makes an attempt that may take so many seconds; raises a `ClientError` if it fails."""
AttemptAsync: TypeAlias = Callable[[float], Awaitable[Any]]
_Ended: TypeAlias = tuple[int, Outcome | BaseException]


def drive(course: Course, attempt: AttemptSync, idle: float) -> Any:
    """Take a call to its end, on this thread, or on one for each attempt if they may run beside each other.

    Raises:
        ClientError: it failed.
    """
    ended: SimpleQueue[_Ended] = SimpleQueue()
    running: list[Bounds] = []

    def run(step: Send, bounds: Bounds) -> None:
        ended.put((step.number, _outcome(attempt, step.seconds, bounds)))

    try:
        while True:
            step = course.step(time.monotonic())
            match step:
                case Answered(value):
                    return value
                case Failed(error):
                    raise error
                case Send():
                    bounds = Bounds(step.seconds, idle, course.concurrent)
                    running.append(bounds)
                    if course.concurrent:
                        threading.Thread(target=run, args=(step, bounds), daemon=True).start()
                    else:
                        run(step, bounds)
                        _take(course, ended, 0)
                case Wait(until):
                    _take(course, ended, until - time.monotonic())
    finally:
        course.close(time.monotonic())
        if course.concurrent:
            for bounds in running:
                bounds.cancel()


def _outcome(attempt: AttemptSync, seconds: float, bounds: Bounds) -> Outcome | BaseException:
    try:
        return Answered(attempt(seconds, bounds))
    except ClientError as error:
        return Failed(error)
    except BaseException as error:  # noqa: BLE001  # whoever waits for it raises it
        return error


def _take(course: Course, ended: "SimpleQueue[_Ended]", seconds: float) -> None:
    """Wait for an attempt to end, if one does."""
    try:
        number, outcome = ended.get(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))
    except Empty:
        return
    if isinstance(outcome, BaseException):
        raise outcome
    course.ended(number, outcome, time.monotonic())


async def drive_async(course: Course, attempt: AttemptAsync) -> Any:
    """Take a call to its end, in this task, or in one for each attempt if they may run beside each other.

    Raises:
        ClientError: it failed.
    """
    clock = time.monotonic
    running: dict[asyncio.Task[Outcome], int] = {}
    try:
        while True:
            step = course.step(clock())
            match step:
                case Answered(value):
                    return value
                case Failed(error):
                    raise error
                case Send() if course.concurrent:
                    running[asyncio.create_task(_outcome_async(attempt, step.seconds))] = step.number
                case Send():
                    course.ended(step.number, await _outcome_async(attempt, step.seconds), clock())
                case Wait(until) if running:
                    done, _ = await asyncio.wait(
                        running, timeout=max(until - clock(), 0.0), return_when=asyncio.FIRST_COMPLETED
                    )
                    for task in done:
                        course.ended(running.pop(task), task.result(), clock())
                case Wait(until):
                    await asyncio.sleep(until - clock())
    finally:
        course.close(clock())
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)


async def _outcome_async(attempt: AttemptAsync, seconds: float) -> Outcome:
    try:
        return Answered(await attempt(seconds))
    except ClientError as error:
        return Failed(error)
