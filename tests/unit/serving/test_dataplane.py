"""The data plane: everything the server does for its callers, independent of the protocol."""

import asyncio
import inspect
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from predictors import __version__
from predictors.serving.access.caller import ANYONE
from predictors.serving.access.limits import Limits
from predictors.serving.access.settings import AccessSettings
from predictors.serving.dataplane import DataPlane, Inference
from predictors.serving.descriptions import IndexEntry
from predictors.serving.dispatch.registry import Registry
from predictors.serving.errors import ArtifactError, InvalidInput, ModelNotReady, NotFound, Overloaded
from predictors.serving.model.types import Batch, Event, Job, Outputs, TensorSpec, TextBatch
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.dispatch.test_registry import Paced, entered, later, run

STEPS = ("preprocess", "predict", "postprocess")
OFF = "the model repository endpoints are off; start the server with --enable_repository to use them"


def event(text: str) -> Event:
    return Event("text", {"text": text})


class Streaming(Paced):
    """Emits each text as an event, then returns the whole answer; the text ``wait`` waits for the gate."""

    streams = True

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        if job.emit is not None:
            for text in batch.texts:
                job.emit(event(text))
        return super().infer(batch, job)


class Generating(Streaming):
    """The same for a model that writes tokens: as many as there are texts, and it read three."""

    generates = True

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        return super().infer(batch, job) | {"prompt_tokens": [3], "completion_tokens": [len(batch.texts)]}


class Plane:
    """A data plane with one model and readable metrics.

    Args:
        predictor: the model.
        limits: how much may be asked, if there are limits.
        settings: server settings that differ from the defaults.
    """

    def __init__(self, predictor: Paced | None = None, limits: Limits | None = None, **settings: Any) -> None:
        self.predictor = predictor or Paced()
        self.numbers = CollectorRegistry()
        metrics, server = Metrics(self.numbers), ServerSettings(**settings)
        self.registry = Registry([self.predictor], server, metrics)
        self.plane = DataPlane(self.registry, metrics, server.enable_repository, limits)

    async def __aenter__(self) -> "Plane":
        await self.registry.load_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.predictor.gate.set()
        self.registry.close()

    async def open(self, ahead: int = 0) -> Inference:
        return await self.plane.open(new_call(ahead), "paced")

    def timed(self) -> tuple[int, ...]:
        """How many times each step was timed: decoding, predicting, encoding."""
        counts = (
            self.numbers.get_sample_value(f"request_{step}_seconds_count", {"model_name": "paced"}) for step in STEPS
        )
        return tuple(int(count or 0) for count in counts)


def new_call(ahead: int = 0, seconds: float = 60.0) -> Call:
    call = Call("id", "/", "v1")
    call.deadline, call.ahead = later(seconds), ahead
    return call


async def finished(result: object) -> None:
    """Await what a method gave, if it is to be awaited."""
    if inspect.isawaitable(result):
        await result


def test_find_notes_the_model_on_the_call() -> None:
    async def scenario() -> None:
        async with Plane() as served:
            for version in ("", "1"):
                call = new_call()
                assert served.plane.find(call, "paced", version) is served.plane.models[0]
                assert (call.model, call.version) == ("paced", "1")

    run(scenario())


@pytest.mark.parametrize("do", [DataPlane.find, DataPlane.open, DataPlane.model_metadata])
@pytest.mark.parametrize(("name", "version"), [("other", ""), ("paced", "2"), ("", "")])
def test_unknown_models_and_versions_are_not_found(do: Callable[..., object], name: str, version: str) -> None:
    async def scenario() -> None:
        async with Plane() as served:
            call = new_call()
            with pytest.raises(NotFound):
                await finished(do(served.plane, call, name, version))
            assert (call.model, call.version) == ("", "")

    run(scenario())


def test_a_model_that_is_not_ready_can_be_found_but_not_opened() -> None:
    async def scenario() -> None:
        async with Plane(Paced(ArtifactError("model.npz is missing"))) as served:
            call, plane = new_call(ahead=10), served.plane
            assert plane.find(call, "paced") is plane.models[0]
            for do in (plane.open, plane.model_metadata):
                with pytest.raises(ModelNotReady, match=r"model\.npz is missing"):
                    await finished(do(new_call(ahead=10), "paced"))
            assert call.model == "paced"
            assert plane.unready() == 'model "paced": model.npz is missing'
            assert plane.model_unready(plane.models[0]) == "model.npz is missing"

    run(scenario())


def test_a_draining_server_is_not_ready_but_answers() -> None:
    async def scenario() -> None:
        async with Plane() as served:
            plane = served.plane
            assert plane.unready() == plane.model_unready(plane.models[0]) == ""
            served.registry.draining = True
            assert plane.unready() == plane.model_unready(plane.models[0]) == "the server is shutting down"
            assert await (await served.open()).answer(TextBatch(["a"])) == {"predict": ["a"]}

    run(scenario())


@pytest.mark.parametrize(("ahead", "fits"), [(0, True), (2, True), (3, False), (100, False)])
def test_overload_counts_requests_waiting_for_the_event_loop(ahead: int, fits: bool) -> None:
    async def scenario() -> None:
        async with Plane() as served:
            if fits:
                await served.open(ahead)
                return
            with pytest.raises(Overloaded, match=f"{ahead} requests running and waiting") as caught:
                await served.open(ahead)
            assert caught.value.retry_after_seconds >= 1
            assert served.timed() == (0, 0, 0)

    run(scenario())


def test_overload_counts_requests_waiting_for_the_model() -> None:
    async def scenario() -> None:
        async with Plane(max_queue=2) as served:
            taken = [asyncio.create_task((await served.open()).answer(TextBatch(["wait"]))) for _ in range(2)]
            await entered(served.predictor)
            with pytest.raises(Overloaded):
                await served.open()
            served.predictor.gate.set()
            await asyncio.gather(*taken)
            assert await (await served.open()).answer(TextBatch(["a"])) == {"predict": ["a"]}

    run(scenario())


def test_each_step_is_timed_once() -> None:
    async def scenario() -> None:
        async with Plane() as served:
            inference = await served.open()
            batch = await inference.decode(lambda texts: TextBatch(texts), ["a"])
            assert served.timed() == (1, 0, 0)
            outputs = await inference.answer(batch)
            assert served.timed() == (1, 1, 0)
            assert inference.encode(lambda column, end: column["predict"][0] + end, outputs, end="!") == "a!"
            assert served.timed() == (1, 1, 1)

    run(scenario())


def test_steps_that_fail_are_not_timed() -> None:
    def refuse() -> None:
        raise InvalidInput("refused")

    async def scenario() -> None:
        async with Plane() as served:
            inference = await served.open()
            with pytest.raises(InvalidInput):
                await inference.decode(refuse)
            with pytest.raises(InvalidInput):
                await inference.answer(TextBatch(["refuse"]))
            with pytest.raises(InvalidInput):
                inference.encode(refuse)
            assert served.timed() == (0, 0, 0)

    run(scenario())


def test_an_answer_from_the_cache_is_timed_and_noted_on_the_call() -> None:
    async def scenario() -> None:
        async with Plane(cache="all") as served:
            for times, cache in ((1, "miss"), (2, "hit")):
                call = new_call()
                assert await (await served.plane.open(call, "paced")).answer(TextBatch(["a"])) == {"predict": ["a"]}
                assert (call.cache, served.timed()) == (cache, (0, times, 0))
            assert len(served.predictor.jobs) == 1

    run(scenario())


def test_a_stream_is_timed_once_when_it_is_whole() -> None:
    async def scenario() -> None:
        async with Plane(Streaming()) as served:
            parts = (await served.open()).stream(TextBatch(["a", "wait"]))
            async with aclosing(parts):
                assert await anext(parts) == event("a")
                assert await anext(parts) == event("wait")
                assert served.timed() == (0, 0, 0)
                served.predictor.gate.set()
                assert await anext(parts) == {"predict": ["a", "wait"]}
                assert served.timed() == (0, 1, 0)
                assert [part async for part in parts] == []
            assert served.timed() == (0, 1, 0)

    run(scenario())


def test_closing_a_stream_stops_its_work() -> None:
    async def scenario() -> None:
        async with Plane(Streaming()) as served:
            parts = (await served.open()).stream(TextBatch(["wait"]))
            async with aclosing(parts):
                assert await anext(parts) == event("wait")
                await entered(served.predictor)
            while not served.predictor.jobs[0].stopped():
                await asyncio.sleep(0)
            assert served.timed() == (0, 0, 0)

    run(scenario())


@pytest.mark.parametrize(("texts", "taken"), [(["a", "a"], 5), (["a", "wait"], 2)])
def test_a_stream_takes_tokens_even_if_its_client_leaves(texts: list[str], taken: int) -> None:
    async def scenario() -> None:
        limits = Limits(AccessSettings(client_tokens_per_minute=600), print, lambda: 0.0)
        async with Plane(Generating(), limits) as served:
            parts = (await served.open()).stream(TextBatch(texts))
            async with aclosing(parts):
                for _ in texts:
                    await anext(parts)
                if "wait" not in texts:
                    await anext(parts)
            standing = await limits.admit(ANYONE.key, "paced", generates=True)
            assert standing.left == f'"tokens";r={600 - taken};t=1'

    run(scenario())


@pytest.mark.parametrize(("text", "error"), [("refuse", InvalidInput), ("fail", RuntimeError)])
def test_errors_of_a_stream_are_raised_like_those_of_an_answer(text: str, error: type[Exception]) -> None:
    async def scenario() -> None:
        async with Plane(Streaming()) as served:
            parts = (await served.open()).stream(TextBatch([text]))
            assert await anext(parts) == event(text)
            with pytest.raises(error):
                await anext(parts)
            assert served.timed() == (0, 0, 0)

    run(scenario())


def test_the_server_and_its_models_describe_themselves() -> None:
    async def scenario() -> None:
        async with Plane() as served:
            server = served.plane.metadata()
            assert (server.name, server.version) == ("kserve-predictors", __version__)
            assert server.extensions == ("binary_tensor_data", "model_configuration")
            model = await served.plane.model_metadata(new_call(), "paced")
            assert (model.name, model.versions, model.platform) == ("paced", ("1",), "paced")
            assert model.inputs == Paced.input.specs()
            assert model.outputs == (TensorSpec("predict", "BYTES", (-1,)),)

    run(scenario())


def test_the_repository_is_off_by_default() -> None:
    async def scenario() -> None:
        async with Plane() as served:
            plane = served.plane
            with pytest.raises(NotFound, match=OFF):
                plane.index(new_call())
            for do in (plane.load, plane.unload):
                for name in ("paced", "other"):
                    with pytest.raises(NotFound, match=OFF):
                        await do(new_call(), name)
            assert not served.predictor.closed

    run(scenario())


def test_models_are_unloaded_and_loaded_again() -> None:
    async def scenario() -> None:
        async with Plane(enable_repository=True) as served:
            plane, call = served.plane, new_call()
            assert plane.index(new_call()) == [IndexEntry("paced", "1", "READY", "")]
            assert await plane.unload(call, "paced") is plane.models[0]
            assert (call.model, call.version, served.predictor.closed) == ("paced", "", True)
            assert plane.index(new_call()) == [IndexEntry("paced", "", "UNAVAILABLE", "it was unloaded")]
            with pytest.raises(ModelNotReady, match="it was unloaded"):
                await plane.unload(new_call(), "paced")
            with pytest.raises(ModelNotReady, match="it was unloaded"):
                await served.open()
            served.predictor.load_gate.clear()
            call = new_call()
            loading = asyncio.create_task(plane.load(call, "paced"))
            await asyncio.sleep(0)
            assert plane.index(new_call()) == [IndexEntry("paced", "", "LOADING", "loading")]
            served.predictor.load_gate.set()
            assert await loading is plane.models[0]
            assert (call.model, call.version) == ("paced", "1")
            assert await (await served.open()).answer(TextBatch(["a"])) == {"predict": ["a"]}
            for do in (plane.load, plane.unload):
                with pytest.raises(NotFound, match='model "other" does not exist'):
                    await do(new_call(), "other")

    run(scenario())


def test_a_model_that_fails_to_load_again_says_why() -> None:
    async def scenario() -> None:
        async with Plane(enable_repository=True) as served:
            served.predictor.load_error = ArtifactError("model.npz is missing")
            with pytest.raises(ModelNotReady, match=r"model\.npz is missing"):
                await served.plane.load(new_call(), "paced")
            assert served.plane.index(new_call()) == [IndexEntry("paced", "", "UNAVAILABLE", "model.npz is missing")]

    run(scenario())


class Told:
    """What a tap was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Batch, Outputs, Call]] = []

    def __call__(self, batch: Batch, outputs: Outputs, call: Call) -> None:
        self.calls.append((batch, outputs, call))


def test_a_tap_is_told_of_each_whole_answer() -> None:
    async def scenario() -> None:
        async with Plane(Streaming(), cache="all") as served:
            model, tap = served.plane.models[0], Told()
            await (await served.open()).answer(TextBatch(["before"]))
            model.tap = tap
            for _ in range(2):
                call = new_call()
                outputs = await (await served.plane.open(call, "paced")).answer(TextBatch(["a"]))
                assert tap.calls[-1] == (TextBatch(["a"]), outputs, call)
            assert [call.cache for *_, call in tap.calls] == ["miss", "hit"]
            async with aclosing((await served.open()).stream(TextBatch(["b"]))) as parts:
                assert [part async for part in parts][-1] == {"predict": ["b"]}
            model.tap = None
            await (await served.open()).answer(TextBatch(["after"]))
            assert len(tap.calls) == 2

    run(scenario())


def test_watchers_are_told_of_streams_too() -> None:
    async def scenario() -> None:
        async with Plane(Streaming()) as served:
            told = Told(), Told()
            served.plane.models[0].watchers = told
            await (await served.open()).answer(TextBatch(["a"]))
            async with aclosing((await served.open()).stream(TextBatch(["b"]))) as parts:
                assert [part async for part in parts][-1] == {"predict": ["b"]}
            for each in told:
                assert [(batch, outputs["predict"]) for batch, outputs, _ in each.calls] == [
                    (TextBatch(["a"]), ["a"]),
                    (TextBatch(["b"]), ["b"]),
                ]

    run(scenario())


def test_nobody_is_told_of_what_failed() -> None:
    async def scenario() -> None:
        async with Plane() as served:
            tap = served.plane.models[0].tap = Told()
            served.plane.models[0].watchers = (tap,)
            for text, error in (("refuse", InvalidInput), ("fail", RuntimeError)):
                with pytest.raises(error):
                    await (await served.open()).answer(TextBatch([text]))
            assert tap.calls == []

    run(scenario())
