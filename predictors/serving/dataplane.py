"""The data plane: what the server does for its callers, once, for all protocols.

It knows neither a transport nor a wire format. A protocol parses what came, asks here, and writes what it gets.
"""

import time
from collections.abc import AsyncGenerator, Callable
from typing import ParamSpec, TypeVar

from predictors.serving.access.limits import Limits
from predictors.serving.descriptions import IndexEntry, ModelMetadata, ServerMetadata
from predictors.serving.dispatch.decoding import DecodingThread
from predictors.serving.dispatch.fallback import Fallback
from predictors.serving.dispatch.registry import Registry, StoredVersion
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import ModelNotReady, NotFound, Overloaded
from predictors.serving.model.types import Batch, Event, Outputs
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics, Steps, StepsByModel

P = ParamSpec("P")
T = TypeVar("T")

# The outputs of a model that generates text that say how many tokens it has read and written.
_TOKENS = ("prompt_tokens", "completion_tokens")


class Inference:
    """One request to one model: decoded, answered and encoded, each step timed.

    Args:
        model: is ready, and had room when this was given out.
        call: the record of the request.
        steps: where times are counted.
        elsewhere: decodes what is large.
        limits: count the tokens that it uses up, if any.
    """

    __slots__ = ("__weakref__", "_call", "_elsewhere", "_limits", "_steps", "answers", "model")

    def __init__(
        self, model: ServedModel, call: Call, steps: Steps, elsewhere: DecodingThread, limits: Limits | None
    ) -> None:
        self.model = model
        self.answers: ServedModel | Fallback = model
        self._call = call
        self._steps = steps
        self._elsewhere = elsewhere
        self._limits = limits

    async def decode(self, decode: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the protocol's decoder, for a large request on a thread.

        Raises:
            DeadlineExceeded: it was not done in time.
        """
        begun = time.monotonic()
        decoded = await self._elsewhere.decode(self._call, decode, *args, **kwargs)
        ended = time.monotonic()
        self._steps.decoding.observe(ended - begun)
        if self._call.trace is not None:
            self._call.trace.step("receive", self._call.started, begun)
            self._call.trace.step("decode", begun, ended)
        return decoded

    async def answer(self, batch: Batch) -> Outputs:
        """Give the outputs of a batch.

        Raises:
            ModelNotReady, Overloaded, DeadlineExceeded, InvalidInput: see `ServedModel.run`.
        """
        begun = time.monotonic()
        outputs = await self.answers.answer(batch, self._call)
        self._predicted(begun)
        if self._limits is not None:
            await self._charge(self._limits, _tokens(outputs))
        if self._call.served_by:
            return outputs
        if self.model.tap is not None:
            self.model.tap(batch, outputs, self._call)
        self._tell(batch, outputs)
        return outputs

    async def stream(self, batch: Batch) -> AsyncGenerator[Event | Outputs, None]:
        """Give the parts of an answer as they come, then the whole; raises what `answer` raises."""
        begun = time.monotonic()
        parts = self.answers.stream(batch, self._call)
        owed = 0  # until the whole tells better: a token for each event
        try:
            async for part in parts:
                if isinstance(part, Event):
                    owed += 1
                else:
                    self._predicted(begun)
                    owed = _tokens(part)
                    if not self._call.served_by:
                        self._tell(batch, part)
                yield part
        finally:
            await parts.aclose()
            if self._limits is not None:
                await self._charge(self._limits, owed)

    def _tell(self, batch: Batch, outputs: Outputs) -> None:
        for watcher in self.model.watchers:
            watcher(batch, outputs, self._call)

    async def _charge(self, limits: Limits, tokens: int) -> None:
        if self.model.predictor.generates and tokens:
            await limits.charge(self._call.caller.key, self.model.name, tokens)

    def _predicted(self, begun: float) -> None:
        ended = time.monotonic()
        self._steps.predicting.observe(ended - begun)
        if self._call.trace is not None:
            self._call.trace.step("predict", begun, ended)

    def encode(self, encode: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the protocol's encoder."""
        begun = time.monotonic()
        encoded = encode(*args, **kwargs)
        ended = time.monotonic()
        self._steps.encoding.observe(ended - begun)
        if self._call.trace is not None:
            self._call.trace.step("encode", begun, ended)
        return encoded


class DataPlane:
    """Models, their readiness, their answers, and their loading and unloading.

    Args:
        registry: the models.
        metrics: where the steps of requests are timed.
        enable_repository: whether callers may load and unload models, and list their states.
        limits: how much each caller may ask, if there are limits.
    """

    def __init__(
        self, registry: Registry, metrics: Metrics, enable_repository: bool, limits: Limits | None = None
    ) -> None:
        self._registry = registry
        self._enable_repository = enable_repository
        self._limits = limits
        self._steps = StepsByModel(metrics)
        for name in registry.models:
            self._steps[name]  # so that the series are there, at 0
        self._elsewhere = DecodingThread()

    async def close(self) -> None:
        """Release what answers in models' places, when the server ends."""
        for model in self._registry.everything:
            if model.predictor.standby is not None:
                await model.predictor.standby.close()

    @property
    def models(self) -> list[ServedModel]:
        """All models, the first named first."""
        return list(self._registry.models.values())

    @property
    def may_generate(self) -> bool:
        """Whether a model that generates text is served, or may appear."""
        return self._registry.grows or any(model.predictor.generates for model in self.models)

    def stored(self, model: ServedModel) -> list[StoredVersion] | None:
        """The versions of a model, the lowest first, where they are in a store."""
        return self._registry.stored(model.name)

    def visible(self, call: Call) -> list[ServedModel]:
        """The models that the caller may use, the first named first."""
        return [model for model in self.models if call.caller.may_use(model.name)]

    def find(self, call: Call, name: str, version: str = "") -> ServedModel:
        """Look a model up, and note on the call that it is the one that is meant.

        Raises:
            Forbidden: the caller may not use a model of that name.
            NotFound: no such model, or another version of it is loaded.
        """
        model = self._registry.find(name, version, call.caller)
        call.model, call.version = model.name, model.version
        return model

    async def open(self, call: Call, name: str, version: str = "") -> Inference:
        """Begin an inference. This is where overload and limits are judged, whichever protocol a request came by.

        Raises:
            Forbidden: the caller may not use a model of that name.
            NotFound: no such model, or another version of it is loaded.
            ModelNotReady: with the reason.
            DeadlineExceeded: the model is loading still.
            Overloaded: too many requests are waiting for the model.
            RateLimited: the caller, or all together, have sent more than they may.
        """
        model = self.find(call, name, version)
        inference = self._begin(call, model)
        standby = model.predictor.standby
        fallback = None if standby is None else Fallback(model, standby)
        limits, asleep = self._limits, model.state is not State.READY
        if limits is not None and asleep:
            # Who has asked too much must not have it loaded, and others unloaded for that.
            await _admit(limits, call, model)
        try:
            if model.state is not State.READY:
                await self._registry.wake(model, call.deadline)
            model.require_room(call.ahead)
        except (ModelNotReady, Overloaded) as error:
            if fallback is None or not fallback.takes_over(call, error):
                raise
        if limits is not None and not asleep:
            await _admit(limits, call, model)
        if fallback is not None:
            inference.answers = fallback
        return inference

    def _begin(self, call: Call, model: ServedModel) -> Inference:
        """Note that a model is used, for as long as what is given out exists."""
        inference = Inference(model, call, self._steps[model.name], self._elsewhere, self._limits)
        if model.use is not None:
            model.use.begin(inference)
        return inference

    async def parse(self, call: Call, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a protocol's parser, where a request must be parsed to find its model; a large one on a thread.

        Raises:
            DeadlineExceeded: it was not done in time.
        """
        return await self._elsewhere.decode(call, parse, *args, **kwargs)

    def unready(self) -> str:
        """Why the server as a whole is not ready, empty if it is."""
        return self._registry.unready()

    def model_unready(self, model: ServedModel) -> str:
        """Why a model should get no new traffic, empty if it may."""
        return self._registry.model_unready(model)

    def metadata(self) -> ServerMetadata:
        """Describe the server."""
        return ServerMetadata()

    async def model_metadata(self, call: Call, name: str, version: str = "") -> ModelMetadata:
        """Describe a model. One that has to be loaded for that counts as a request where there are limits.

        Raises:
            Forbidden, NotFound: see `find`.
            ModelNotReady: with the reason.
            DeadlineExceeded: it is loading still.
            Overloaded: too many requests wait for that.
            RateLimited: see `open`.
        """
        inference = self._begin(call, self.find(call, name, version))
        model = inference.model
        if model.state is not State.READY and self._limits is not None:
            await _admit(self._limits, call, model)
        if model.state is not State.READY:  # still
            await self._registry.wake(model, call.deadline)
        predictor = model.predictor
        return ModelMetadata(
            model.name,
            tuple(each.version for each in self._registry.versions(name)),
            predictor.platform,
            predictor.input.specs(),
            tuple(predictor.outputs),
            model.version,
            model.limits.max_rows,
        )

    def index(self, call: Call) -> list[IndexEntry]:
        """List the models and their states.

        Raises:
            Forbidden: the caller may not use the repository.
            NotFound: the repository is off.
        """
        self._require_repository(call)
        states = {State.READY: "READY", State.LOADING: "LOADING"}
        return [
            IndexEntry(version.name, version.version, states.get(version.state, "UNAVAILABLE"), version.reason)
            for model in self.visible(call)
            for version in self._registry.versions(model.name)
        ]

    async def load(self, call: Call, name: str, version: str = "") -> ServedModel:
        """Load a model again from its artifact: its default version, or the one that is named.

        Raises:
            Forbidden: the caller may not use the repository, or the model.
            NotFound: no such model, or the repository is off.
            ModelNotReady: it is loading already, or failed to load.
        """
        self._require_repository(call)
        await self._registry.refresh()
        model = self.find(call, name, version)
        await self._registry.load(model, version)
        call.version = model.version
        return model

    async def unload(self, call: Call, name: str, version: str = "") -> ServedModel:
        """Unload a model: all its versions, or the one that is named.

        Raises:
            Forbidden: the caller may not use the repository, or the model.
            NotFound: no such model, or the repository is off.
            ModelNotReady: it is not loaded.
        """
        self._require_repository(call)
        model = self.find(call, name, version)
        await self._registry.unload(model, version)
        call.version = model.version
        return model

    def _require_repository(self, call: Call) -> None:
        call.caller.require_repository()
        if not self._enable_repository:
            raise NotFound(
                "the model repository endpoints are off; start the server with --enable_repository to use them"
            )


async def _admit(limits: Limits, call: Call, model: ServedModel) -> None:
    """Count a request.

    Raises:
        RateLimited: the caller, or all together, have sent more than they may.
    """
    call.standing = await limits.admit(call.caller.key, model.name, model.predictor.generates)
    if call.standing.refusal is not None:
        raise call.standing.refusal


def _tokens(outputs: Outputs) -> int:
    """How many tokens a model read and wrote for an answer; 0 for one that generates no text."""
    return sum(int(sum(outputs[name])) for name in _TOKENS if name in outputs)
