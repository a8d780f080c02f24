"""The queue, the deadline and the life of a model, with a predictor whose pace the test sets."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.dispatch.registry import Registry
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import (
    ArtifactError,
    ArtifactMissing,
    DeadlineExceeded,
    InvalidInput,
    ModelNotReady,
    NotFound,
    Overloaded,
)
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import Input, Job, Limits, Outputs, TensorSpec, TextBatch, TextInput
from predictors.serving.settings import ServerSettings, Source
from predictors.serving.telemetry.metrics import Metrics


class Paced(Predictor[TextBatch]):
    """Echoes; a text ``wait`` waits for the gate, ``fail`` and ``refuse`` raise."""

    kind = platform = "paced"
    input: Input = TextInput()
    outputs: tuple[TensorSpec, ...] = (TensorSpec("predict", "BYTES", (-1,)),)
    v1_fields = {"predictions": "predict"}  # noqa: RUF012
    limits = Limits(max_rows=10, max_text_chars=10)
    max_queue = 3

    def __init__(self, load_error: Exception | None = None, directory: Path = Path()) -> None:
        super().__init__("paced", Source(directory))
        self.load_error = load_error
        self.load_gate = threading.Event()
        self.load_gate.set()
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.jobs: list[Job] = []
        self.closed = False

    def load(self) -> bool:
        self.load_gate.wait(60)
        if self.load_error is not None:
            raise self.load_error
        self.version, self.ready = "1", True
        return True

    def load_artifact(self, artifact: Artifact) -> None:
        raise AssertionError("load does it all")

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        self.jobs.append(job)
        self.entered.set()
        if batch.texts == ["wait"]:
            self.gate.wait(60)
        if batch.texts == ["fail"]:
            raise RuntimeError("unforeseen")
        if batch.texts == ["refuse"]:
            raise InvalidInput("refused")
        return {"predict": batch.texts}

    def close(self) -> None:
        self.closed = True


def later(seconds: float = 60.0) -> float:
    return time.monotonic() + seconds


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


async def started(predictor: Paced, **settings: Any) -> tuple[Registry, ServedModel]:
    registry = Registry([predictor], ServerSettings(**settings), Metrics(CollectorRegistry()))
    await registry.load_all()
    return registry, registry.models["paced"]


async def entered(predictor: Paced) -> None:
    await asyncio.to_thread(predictor.entered.wait, 60)


def test_a_batch_comes_back() -> None:
    async def scenario() -> None:
        _, slot = await started(Paced())
        assert await slot.run(TextBatch(["a"]), later()) == {"predict": ["a"]}
        assert slot.in_flight == 0

    run(scenario())


def test_beyond_the_queue_requests_are_turned_away_and_the_others_answered() -> None:
    async def scenario() -> None:
        predictor = Paced()
        _, slot = await started(predictor)
        waiting = [asyncio.create_task(slot.run(TextBatch([text]), later())) for text in ("wait", "b", "c")]
        await entered(predictor)
        with pytest.raises(Overloaded) as caught:
            await slot.run(TextBatch(["d"]), later())
        assert caught.value.retry_after_seconds >= 1
        predictor.gate.set()
        assert [answer["predict"] for answer in await asyncio.gather(*waiting)] == [["wait"], ["b"], ["c"]]
        assert slot.in_flight == 0
        assert await slot.run(TextBatch(["e"]), later()) == {"predict": ["e"]}

    run(scenario())


def test_a_deadline_ends_the_wait_and_stops_the_job() -> None:
    async def scenario() -> None:
        predictor = Paced()
        _, slot = await started(predictor)
        with pytest.raises(DeadlineExceeded):
            await slot.run(TextBatch(["wait"]), later(0.05))
        assert predictor.jobs[0].stopped()
        assert slot.in_flight == 1  # the thread is still busy, and counted
        predictor.gate.set()
        assert await slot.run(TextBatch(["a"]), later()) == {"predict": ["a"]}
        assert slot.in_flight == 0

    run(scenario())


def test_a_request_that_times_out_in_the_queue_is_never_computed() -> None:
    async def scenario() -> None:
        predictor = Paced()
        _, slot = await started(predictor)
        first = asyncio.create_task(slot.run(TextBatch(["wait"]), later()))
        await entered(predictor)
        with pytest.raises(DeadlineExceeded):
            await slot.run(TextBatch(["b"]), later(0.05))
        assert slot.in_flight == 1
        predictor.gate.set()
        await first
        await slot.run(TextBatch(["c"]), later())
        assert len(predictor.jobs) == 2

    run(scenario())


def test_a_deadline_that_has_passed_is_not_even_queued_for_long() -> None:
    async def scenario() -> None:
        _, slot = await started(Paced())
        with pytest.raises(DeadlineExceeded):
            await slot.run(TextBatch(["a"]), later(-1))

    run(scenario())


def test_a_cancelled_caller_stops_its_job_only() -> None:
    async def scenario() -> None:
        predictor = Paced()
        _, slot = await started(predictor)
        gone = asyncio.create_task(slot.run(TextBatch(["wait"]), later()))
        await entered(predictor)
        stays = asyncio.create_task(slot.run(TextBatch(["b"]), later()))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert predictor.jobs[0].stopped()
        predictor.gate.set()
        assert await stays == {"predict": ["b"]}
        assert slot.in_flight == 0

    run(scenario())


@pytest.mark.parametrize(("text", "error"), [("fail", RuntimeError), ("refuse", InvalidInput)])
def test_an_error_in_one_request_touches_no_other(text: str, error: type[Exception]) -> None:
    async def scenario() -> None:
        _, slot = await started(Paced())
        bad, good = await asyncio.gather(
            slot.run(TextBatch([text]), later()), slot.run(TextBatch(["a"]), later()), return_exceptions=True
        )
        assert isinstance(bad, error)
        assert good == {"predict": ["a"]}
        assert slot.in_flight == 0

    run(scenario())


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ArtifactError("model.npz is missing"), "model.npz is missing"), (ValueError("/secret/path"), "the server's log")],
)
def test_a_failed_load_is_a_reason_without_detail(error: Exception, reason: str) -> None:
    async def scenario() -> None:
        registry, slot = await started(Paced(error))
        assert slot.state is State.FAILED
        with pytest.raises(ModelNotReady, match=reason):
            slot.require_ready()
        assert reason in registry.unready()
        assert "/secret/path" not in registry.unready()

    run(scenario())


def test_unload_waits_for_what_runs_and_load_brings_it_back() -> None:
    async def scenario() -> None:
        predictor = Paced()
        registry, slot = await started(predictor)
        seen: list[str] = []

        async def listener() -> None:
            seen.append(registry.unready())

        registry.on_change(listener)
        running = asyncio.create_task(slot.run(TextBatch(["wait"]), later()))
        await entered(predictor)
        unloading = asyncio.create_task(registry.unload(slot))
        await asyncio.sleep(0.01)
        assert not predictor.closed
        with pytest.raises(ModelNotReady, match="it was unloaded"):
            slot.require_ready()
        predictor.gate.set()
        assert await running == {"predict": ["wait"]}
        await unloading
        assert predictor.closed
        await registry.load(slot)
        slot.require_ready()
        assert registry.unready() == ""
        assert seen[-1] == ""
        assert 'model "paced": it was unloaded' in seen

    run(scenario())


def test_metrics_say_which_artifact_is_loaded_and_no_other() -> None:
    class Renewed(Paced):
        """Another version with each load."""

        loads = 0

        def load(self) -> bool:
            super().load()
            self.loads += 1
            self.version = str(self.loads)
            return True

    async def scenario() -> None:
        numbers = CollectorRegistry()
        registry = Registry([Renewed()], ServerSettings(), Metrics(numbers))

        def shown() -> list[tuple[str, str]]:
            return [
                (sample.name, sample.labels["model_version"])
                for family in numbers.collect()
                if family.name in ("model_artifact_info", "model_memory_bytes")
                for sample in family.samples
            ]

        await registry.load_all()
        for version in ("1", "2"):
            assert sorted(shown()) == [("model_artifact_info", version), ("model_memory_bytes", version)]
            await registry.load(registry.models["paced"])
        await registry.unload(registry.models["paced"])
        assert shown() == []

    run(scenario())


def test_a_load_while_an_unload_runs_comes_after_it() -> None:
    class Slow(Paced):
        """Takes its time to close, on one of two threads."""

        workers = 2
        closing, may_close = threading.Event(), threading.Event()

        def load(self) -> bool:
            self.closed = False
            return super().load()

        def close(self) -> None:
            self.closing.set()
            self.may_close.wait(60)
            super().close()

    async def scenario() -> None:
        predictor = Slow()
        registry, slot = await started(predictor)
        unloading = asyncio.create_task(registry.unload(slot))
        await asyncio.to_thread(predictor.closing.wait, 60)
        loading = asyncio.create_task(registry.load(slot))
        await asyncio.sleep(0.05)
        assert slot.state is State.LOADING
        predictor.may_close.set()
        await asyncio.gather(unloading, loading)
        assert (slot.state, slot.version, predictor.closed) == (State.READY, "1", False)

    run(scenario())


def test_two_loads_at_once_are_one_and_a_caller_that_gives_up_leaves_it_running() -> None:
    async def scenario() -> None:
        predictor = Paced()
        registry, slot = await started(predictor)
        predictor.load_gate = threading.Event()
        seen: list[str] = []

        async def listener() -> None:
            seen.append(registry.unready())

        registry.on_change(listener)
        first = asyncio.create_task(registry.load(slot))
        await asyncio.sleep(0)
        with pytest.raises(ModelNotReady, match="loading already"):
            await registry.load(slot)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert slot.state is State.LOADING
        predictor.load_gate.set()
        while slot.state is State.LOADING:
            await asyncio.sleep(0.01)
        slot.require_ready()
        await asyncio.sleep(0.01)
        assert seen[0] == 'model "paced": loading'
        assert seen[-1] == ""

    run(scenario())


def test_names_and_versions() -> None:
    async def scenario() -> None:
        registry, slot = await started(Paced())
        assert registry.find("paced") is registry.find("paced", "1") is slot
        with pytest.raises(NotFound, match='model "x" does not exist; there are paced'):
            registry.find("x")
        with pytest.raises(NotFound, match="version 1 is loaded"):
            registry.find("paced", "2")

    run(scenario())


def test_settings_replace_a_models_own_limits() -> None:
    async def scenario() -> None:
        _, slot = await started(Paced(), max_rows=7, max_queue=1)
        assert (slot.limits, slot.max_queue) == (Limits(7, 10), 1)

    run(scenario())


class Late(Paced):
    """Loads what is in a directory; counts how often it tries."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self.loads = 0

    def load(self) -> bool:
        self.loads += 1
        manifest = self.source.directory / "manifest.json"
        if not manifest.exists():
            raise ArtifactMissing("manifest.json: there is no artifact here")
        if fault := manifest.read_text():
            raise ArtifactError(fault)
        return super().load()


LOOK_SECONDS = 0.001
MISSING = "manifest.json: there is no artifact here; it is looked for again every 2 s"


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelname == "ERROR"]


def test_an_artifact_that_was_missing_is_loaded_once_it_appears(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        predictor = Late(tmp_path / "not there yet")
        registry, slot = await started(predictor)
        seen: list[str] = []

        async def listener() -> None:
            seen.append(slot.reason)

        registry.on_change(listener)
        assert (slot.state, slot.reason, slot.busy) == (State.MISSING, MISSING, False)
        waiting = asyncio.create_task(registry.load_late(LOOK_SECONDS))
        await asyncio.sleep(100 * LOOK_SECONDS)
        assert (slot.state, slot.reason, predictor.loads) == (State.MISSING, MISSING, 1)
        predictor.source.directory.mkdir()
        (predictor.source.directory / "manifest.json").touch()
        assert await waiting
        assert seen == ["loading", ""]
        assert (await slot.run(TextBatch(["a"]), later())) == {"predict": ["a"]}

    run(scenario())
    assert errors(caplog) == [f'model "paced" is not ready: {MISSING}']


def test_what_appears_and_is_faulty_is_not_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        predictor = Late(tmp_path)
        registry, slot = await started(predictor)
        (tmp_path / "manifest.json").write_text("model.npz has another sha256")
        assert await registry.load_late(LOOK_SECONDS)
        assert (slot.state, slot.reason) == (State.FAILED, "model.npz has another sha256")
        again = asyncio.create_task(registry.load_late(LOOK_SECONDS))
        await asyncio.sleep(100 * LOOK_SECONDS)
        registry.draining = True
        assert not await again
        assert predictor.loads == 2

    run(scenario())
    assert errors(caplog)[1:] == ['model "paced" is not ready: model.npz has another sha256']


def test_a_directory_that_cannot_be_looked_into_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "exists", refuse)
    assert Late(tmp_path).has_artifact()


def test_a_missing_artifact_may_be_loaded_on_request(tmp_path: Path) -> None:
    async def scenario() -> None:
        predictor = Late(tmp_path)
        registry, slot = await started(predictor)
        with pytest.raises(ModelNotReady, match="it is looked for again"):
            await registry.load(slot)
        assert slot.state is State.MISSING
        waiting = asyncio.create_task(registry.load_late(60))
        await asyncio.sleep(0)
        (tmp_path / "manifest.json").touch()
        await registry.load(slot)
        slot.require_ready()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert predictor.loads == 3

    run(scenario())


def test_a_model_that_was_loaded_while_it_was_looked_for_is_not_loaded_again(tmp_path: Path) -> None:
    class Slow(Late):
        looking, go_on = threading.Event(), threading.Event()

        def has_artifact(self) -> bool:
            self.looking.set()
            return self.go_on.wait(60)

    async def scenario() -> None:
        predictor = Slow(tmp_path)
        registry, slot = await started(predictor)
        waiting = asyncio.create_task(registry.load_late(LOOK_SECONDS))
        await asyncio.to_thread(predictor.looking.wait, 60)
        (tmp_path / "manifest.json").touch()
        await registry.load(slot)
        registry.draining = True
        predictor.go_on.set()
        assert not await waiting
        assert predictor.loads == 2

    run(scenario())


def test_a_server_that_drains_stops_looking(tmp_path: Path) -> None:
    async def scenario() -> None:
        predictor = Late(tmp_path)
        registry, _ = await started(predictor)
        registry.draining = True
        (tmp_path / "manifest.json").touch()
        assert not await registry.load_late(LOOK_SECONDS)
        assert predictor.loads == 1

    run(scenario())


def test_a_model_that_is_ready_has_a_count_of_requests_before_the_first_one() -> None:
    """An autoscaler that scales by their rate needs one."""
    numbers = CollectorRegistry()

    async def run() -> None:
        registry = Registry([Paced()], ServerSettings(), Metrics(numbers))
        assert b'model_name="paced"' not in counts()
        await registry.load_all()
        registry.close()

    def counts() -> bytes:
        return b"".join(
            line for line in generate_latest(numbers).splitlines() if line.startswith(b"model_requests_total")
        )

    asyncio.run(run())
    assert b'model_name="paced",model_version="1"' in counts()
    assert counts().endswith(b" 0.0")
