"""The life of shadow traffic in one process: it follows the shadow file, and compares while that names a canary."""

import asyncio
import logging
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.model.agreement import Bounds
from predictors.serving.settings import ServerSettings
from predictors.serving.shadow.canary import Canaries, CanaryBusyError, NoAnswerError
from predictors.serving.shadow.copies import Copies, Copy
from predictors.serving.shadow.metrics import Outcome, ShadowMetrics
from predictors.serving.shadow.plan import Plan
from predictors.serving.shadow.plan_file import PlanFile
from predictors.serving.shadow.sampler import Sampler
from predictors.serving.shadow.wire import Answer

logger = logging.getLogger(__name__)

# How often the file is looked at. Kubernetes itself takes up to a minute to update a mounted ConfigMap.
_LOOK_SECONDS = 2.0
# Copies under way at once, and the pause after one is sent: 20 a second at most. An exchange takes a millisecond or two
# of CPU, ten times what an answer of iris takes, and evidence needs hundreds of copies, not thousands.
_CONCURRENCY = 4
_PAUSE_SECONDS = 0.05
_LOG_EVERY_SECONDS = 60.0


class Shadowing:
    """Copies requests to canaries, as the shadow file says.

    Args:
        models: the served models, by name; where there are several versions, the one that answers if none is named.
        settings: where the file is, and how equal answers must be.
        registry: where the metrics are registered.
        look_seconds: how often the file is looked at.
    """

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        settings: ServerSettings,
        registry: CollectorRegistry,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._models = models
        self._file = PlanFile(Path(settings.shadow_file))
        self._token_file = settings.shadow_token_file
        self._bounds = Bounds(settings.shadow_max_difference, settings.shadow_min_overlap)
        self._metrics = ShadowMetrics(registry)
        self._look_seconds = look_seconds
        self._sending: asyncio.Task[None] | None = None
        self._tapped: dict[str, ServedModel] = {}
        self._silent_until = float("-inf")

    async def run(self) -> None:
        """Follow the file until cancelled; what waits or is under way then is dropped at once."""
        try:
            while True:
                if self._file.changed() or self._has_switched():
                    self._stop()
                    self._start(self._file.plan)
                await asyncio.sleep(self._look_seconds)
        finally:
            self._stop()

    def _start(self, plan: Plan) -> None:
        targets = {name: target for name, target in plan.models.items() if name in self._models}
        shown = ", ".join(f"{target.percent:g}% of {name} to {target.url}" for name, target in targets.items())
        logger.info("shadowing %s", shown or "nothing")
        if not targets:
            return
        copies = Copies()
        self._sending = asyncio.create_task(self._send(copies))
        for name, target in targets.items():
            model = self._tapped[name] = self._models[name]
            model.tap = Sampler(model, target, copies, self._metrics)

    def _has_switched(self) -> bool:
        """Whether another version of a model answers now than the one whose requests are copied."""
        return any(self._models.get(name) is not model for name, model in self._tapped.items())

    def _stop(self) -> None:
        for model in self._tapped.values():
            model.tap = None
        self._tapped.clear()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    async def _send(self, copies: Copies) -> None:
        free = asyncio.Semaphore(_CONCURRENCY)
        try:
            async with (
                await asyncio.to_thread(Canaries, self._token_file) as canaries,
                asyncio.TaskGroup() as exchanges,
            ):
                while True:
                    await free.acquire()
                    exchange = exchanges.create_task(self._compare(canaries, await copies.get()))
                    exchange.add_done_callback(lambda _: free.release())
                    await asyncio.sleep(_PAUSE_SECONDS)
        except Exception:
            logger.exception("shadowing ended; users are not affected")

    async def _compare(self, canaries: Canaries, copy: Copy) -> None:
        count = partial(self._metrics.count, copy.model.name, copy.version)
        predictor = copy.model.predictor
        try:
            answer = await canaries.ask(copy)
            compare = partial(predictor.agrees, copy.outputs, answer.outputs, self._bounds)
            agree = await asyncio.to_thread(compare) if predictor.slow else compare()
        except CanaryBusyError:
            count(Outcome.DROPPED)
        except Exception as error:  # noqa: BLE001  # whatever a canary causes must not end the shadowing
            count(Outcome.ERROR)
            self._report(copy, error)
        else:
            count(Outcome.AGREE if agree else Outcome.DIFFER, answer.version)
            self._count_labels(copy, answer)

    def _count_labels(self, copy: Copy, answer: Answer) -> None:
        predictor = copy.model.predictor
        if label := predictor.label_output:
            pairs = zip(copy.outputs[label], answer.outputs[label], strict=True)
            self._metrics.count_labels(copy.model.name, pairs, predictor.labels)

    def _report(self, copy: Copy, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _LOG_EVERY_SECONDS
            # The texts of other errors may quote what came, and no content belongs in a log.
            what = str(error) if isinstance(error, NoAnswerError) else type(error).__name__
            name = copy.model.name
            logger.warning("the canary of %s gave no answer to compare: %s; users are not affected", name, what)
