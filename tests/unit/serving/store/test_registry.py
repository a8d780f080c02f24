"""A store's life: what is loaded when, what answers, and what makes room."""

import asyncio
import logging
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.access.limits import Limits
from predictors.serving.access.settings import AccessSettings
from predictors.serving.dataplane import DataPlane, Inference
from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.dispatch.state import State
from predictors.serving.errors import DeadlineExceeded, ModelNotReady, NotFound, Overloaded, RateLimited, StartupError
from predictors.serving.model.types import TextBatch
from predictors.serving.store.registry import StoreRegistry
from predictors.serving.telemetry.call import Call
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.dispatch.test_fallback import Spare
from tests.unit.serving.store.shelf import BROKEN, FILE, Shelf, Told, manifest

ON_USE = "it is loaded when it is asked for"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "store").mkdir()
    return Shelf(tmp_path / "store")


class Store:
    """A registry, a data plane over it, and readable metrics.

    Args:
        shelf: the folder.
        limits: how much may be asked, if there are limits.
        store: settings of the store.
    """

    def __init__(self, shelf: Shelf, limits: Limits | None = None, **store: Any) -> None:
        self.shelf = shelf
        self.numbers = CollectorRegistry()
        metrics = Metrics(self.numbers)
        self.registry: StoreRegistry = shelf.registry(metrics, **store)
        self.plane = DataPlane(self.registry, metrics, enable_repository=True, limits=limits)

    async def __aenter__(self) -> "Store":
        await self.registry.load_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shelf.gate.set()
        self.shelf.answer_gate.set()
        self.registry.close()

    async def open(self, name: str, version: str = "", seconds: float = 60.0) -> Inference:
        return await self.plane.open(call(seconds), name, version)

    async def ask(self, name: str, version: str = "") -> str:
        """What a version answers."""
        outputs = await (await self.open(name, version)).answer(TextBatch(["a"]))
        return str(outputs["predict"][0])

    async def until(self, version: str, state: State) -> None:
        """Wait for a version of iris to be in a state."""
        while self.model(version).state is not state:
            await asyncio.sleep(0.001)

    def model(self, version: str, name: str = "iris") -> ServedModel:
        return self.registry.find(name, version)

    def states(self, name: str = "iris") -> dict[str, str]:
        return {each.version: each.state.value for each in self.registry.versions(name)}

    def default(self, name: str = "iris") -> str:
        return self.registry.models[name].version

    async def settled(self) -> None:
        """Look, and wait until all that begins with that has ended."""
        await self.registry.refresh()
        await self.registry.load_all()

    def value(self, metric: str, **labels: str) -> float | None:
        return self.numbers.get_sample_value(metric, labels)


def call(seconds: float = 60.0) -> Call:
    made = Call("id", "/", "v2")
    made.deadline = made.started + seconds
    return made


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


async def begun(shelf: Shelf, count: int) -> None:
    """Wait until so many loads have begun."""
    while len(shelf.loads) < count:
        await asyncio.sleep(0.001)


def test_versions_are_loaded_when_they_are_asked_for_and_once(shelf: Shelf) -> None:
    for version in ("1", "2", "10"):
        shelf.put(f"iris/{version}", version.encode())

    async def scenario() -> None:
        async with Store(shelf) as store:
            assert (store.default(), store.states()) == ("10", dict.fromkeys(("1", "2", "10"), "unloaded"))
            assert store.registry.unready() == ""
            assert store.registry.model_unready(store.model("2")) == ""
            assert await asyncio.gather(*(store.ask("iris") for _ in range(3))) == ["10"] * 3
            assert [await store.ask("iris", version) for version in ("1", "10", "1")] == ["1", "10", "1"]
            assert shelf.loads == ["iris/10", "iris/1"]
            assert store.states() == {"1": "ready", "2": "unloaded", "10": "ready"}
            assert store.default() == "10"
            with pytest.raises(NotFound, match='model "iris" has no version "3"; there are 1, 2, 10'):
                await store.ask("iris", "3")
            with pytest.raises(NotFound, match='model "x" does not exist; there are iris'):
                await store.ask("x", "1")

    run(scenario())


def test_a_request_waits_for_the_load_until_its_deadline(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")
    shelf.gate.clear()

    async def scenario() -> None:
        async with Store(shelf) as store:
            waiting = asyncio.create_task(store.ask("iris"))
            await begun(shelf, 1)
            with pytest.raises(DeadlineExceeded, match='model "iris" version 1 is loading still'):
                await store.open("iris", seconds=0.01)
            gone = asyncio.create_task(store.ask("iris"))
            await asyncio.sleep(0)
            gone.cancel()
            assert store.registry.model_unready(store.model("1")) == ""
            shelf.gate.set()
            assert await waiting == "one"
            assert shelf.loads == ["iris/1"]

    run(scenario())


def test_who_has_asked_too_much_has_nothing_loaded(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")
    shelf.put("iris/2", b"two")

    async def scenario() -> None:
        limits = Limits(AccessSettings(client_requests_per_minute=2), lambda source: None, lambda: 0.0)
        async with Store(shelf, limits) as store:
            assert [await store.ask("iris", "1") for _ in range(2)] == ["one"] * 2  # to load one counts once
            for ask in (store.plane.open, store.plane.model_metadata):
                with pytest.raises(RateLimited):
                    await ask(call(), "iris", "2")
            assert shelf.loads == ["iris/1"]

    run(scenario())


def test_who_asks_what_a_model_is_like_uses_it(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")
    shelf.gate.clear()

    async def scenario() -> None:
        async with Store(shelf) as store:
            asking = asyncio.create_task(store.plane.model_metadata(call(), "iris"))
            await begun(shelf, 1)
            use = store.model("1").use
            assert use is not None
            assert len(use) == 1
            assert use.last is not None
            shelf.gate.set()
            assert (await asking).version == "1"
            assert len(use) == 0

    run(scenario())


def test_no_more_requests_wait_than_may_queue(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")
    shelf.gate.clear()

    async def scenario() -> None:
        async with Store(shelf) as store:
            waiting = [asyncio.create_task(store.ask("iris")) for _ in range(3)]
            await begun(shelf, 1)
            with pytest.raises(Overloaded):
                await store.ask("iris")
            shelf.gate.set()
            assert await asyncio.gather(*waiting) == ["one"] * 3

    run(scenario())


def test_a_version_that_fails_says_why_and_is_not_tried_with_each_request(shelf: Shelf) -> None:
    shelf.put("iris/1", BROKEN)

    async def scenario() -> None:
        async with Store(shelf) as store:
            with pytest.raises(ModelNotReady, match=r'model "iris" version 1 is not ready: 1: it is broken$'):
                await store.ask("iris")
            for _ in range(3):
                with pytest.raises(ModelNotReady, match="it is broken; it is tried again in 2 s, or once its files"):
                    await store.ask("iris")
                await store.registry.refresh()
            assert shelf.loads == ["iris/1"]
            assert store.value("model_versions", model_name="iris", state="failed") == 1
            shelf.put("iris/1", b"repaired")
            await store.registry.refresh()
            assert await store.ask("iris") == "repaired"

    run(scenario())


def test_a_new_version_answers_once_it_is_loaded_and_requests_end_where_they_began(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            assert await store.ask("iris") == "one"
            shelf.gate.clear()
            shelf.put("iris/2", b"two")
            await store.registry.refresh()
            await begun(shelf, 2)
            assert (await store.ask("iris"), store.default()) == ("one", "1")
            opened = await store.open("iris")
            running = asyncio.create_task((await store.open("iris")).answer(TextBatch(["wait"])))
            await asyncio.to_thread(shelf.answering.wait, 60)
            shelf.gate.set()
            await store.until("2", State.READY)
            shutil.rmtree(shelf.root / "iris/1")
            for _ in range(2):
                await store.registry.refresh()
            assert (await store.ask("iris"), store.states()) == ("two", {"2": "ready"})
            with pytest.raises(NotFound):
                await store.ask("iris", "1")
            assert store.value("model_requests_in_flight", model_name="iris") == 0
            shelf.answer_gate.set()
            assert (await running)["predict"] == ["one"]
            assert (await opened.answer(TextBatch(["a"])))["predict"] == ["one"]
            left = opened.model
            assert left.state is State.READY
            del opened, running
            while left.state is State.READY:
                await asyncio.sleep(0.01)

    run(scenario())


def test_what_answers_in_a_versions_place_ends_with_it(shelf: Shelf) -> None:
    for version in ("1", "2"):
        shelf.put(f"iris/{version}", version.encode())

    async def scenario() -> None:
        async with Store(shelf) as store:
            spares = {version: Spare() for version in ("1", "2")}
            for version, spare in spares.items():
                store.model(version).predictor.standby = spare
            opened = await store.open("iris", "1")
            shutil.rmtree(shelf.root / "iris/1")
            for _ in range(2):
                await store.registry.refresh()
            await asyncio.sleep(0.1)
            assert not spares["1"].closed  # a request that has begun may be handed over still
            del opened
            async with asyncio.timeout(30):
                while not spares["1"].closed:
                    await asyncio.sleep(0.01)
            assert not spares["2"].closed

    run(scenario())


def test_a_new_version_that_cannot_be_loaded_never_answers(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            await store.ask("iris")
            shelf.put("iris/2", BROKEN)
            await store.settled()
            assert (await store.ask("iris"), store.states()) == ("one", {"1": "ready", "2": "failed"})
            with pytest.raises(ModelNotReady, match="broken"):
                await store.ask("iris", "2")
            await store.settled()
            assert shelf.loads == ["iris/1", "iris/2"]

    run(scenario())


def test_the_lower_version_answers_where_the_highest_cannot_be_loaded(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")
    shelf.put("iris/2", BROKEN)

    async def scenario() -> None:
        async with Store(shelf, model_loading="eager") as store:
            assert (await store.ask("iris"), store.registry.unready()) == ("one", "")

    run(scenario())


def test_a_folder_that_is_half_copied_is_not_served(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf, model_loading="eager") as store:
            half = shelf.root / "iris/2"
            half.mkdir()
            (half / FILE).write_bytes(b"tw")
            await store.settled()
            assert store.states() == {"1": "ready"}  # without a manifest, it is no version yet
            (half / "manifest.json").write_text(manifest(b"two"))
            await store.settled()
            assert (store.states(), store.default()) == ({"1": "ready", "2": "missing"}, "1")
            with pytest.raises(ModelNotReady, match=r"model.npz has 2 of 3 bytes$"):
                await store.ask("iris", "2")
            (half / FILE).write_bytes(b"tvo")  # the size is right, the bytes are not
            await store.settled()
            assert store.default() == "1"
            with pytest.raises(ModelNotReady, match="sha256"):
                await store.ask("iris", "2")
            (half / FILE).write_bytes(b"two")
            await store.settled()
            assert (await store.ask("iris"), store.default()) == ("two", "2")
            assert shelf.loads == ["iris/1", "iris/2", "iris/2"]

    run(scenario())


def test_files_that_are_replaced_in_place_are_a_new_model(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            store.registry.watch(lambda model: lambda batch, outputs, call: None)
            assert await store.ask("iris") == "one"
            before = store.model("1")
            shelf.put("iris/1", BROKEN)
            await store.settled()
            while len(shelf.loads) < 2 or any(each.state is State.LOADING for each in store.registry.everything):
                await asyncio.sleep(0.001)
            assert (await store.ask("iris"), store.model("1")) == ("one", before)
            version = {"model_name": "iris", "model_version": "1"}
            assert store.value("model_memory_bytes", part="model", **version) == len("one")
            shelf.put("iris/1", b"another")
            await store.registry.refresh()
            while store.model("1") is before:
                await asyncio.sleep(0.001)
            assert await store.ask("iris") == "another"
            while len([*store.registry.everything]) > 1:
                await asyncio.sleep(0.01)
            assert before.state is State.UNLOADED
            assert store.value("model_memory_bytes", part="model", **version) == len("another")
            digest = store.model("1").predictor.digest
            assert store.value("model_artifact_info", digest=digest, evaluated="false", **version) == 1
            assert (before.watchers, len(store.model("1").watchers)) == ((), 1)

    run(scenario())


def test_a_version_that_is_loaded_outlives_a_manifest_that_is_taken_away(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            await store.ask("iris")
            for text in ("", "{"):
                (shelf.root / "iris/1/manifest.json").write_text(text)
                for _ in range(3):
                    await store.settled()
                assert await store.ask("iris") == "one"
            (shelf.root / "iris/1/manifest.json").unlink()
            await store.settled()
            assert await store.ask("iris") == "one"
            shelf.put("iris/1", b"one")
            await store.settled()
            assert (await store.ask("iris"), shelf.loads) == ("one", ["iris/1"])

    run(scenario())


def test_one_look_that_finds_nothing_takes_nothing_away(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            await store.ask("iris")
            (shelf.root / "iris").rename(shelf.root / ".aside")
            await store.registry.refresh()
            assert await store.ask("iris") == "one"
            (shelf.root / ".aside").rename(shelf.root / "iris")
            await store.registry.refresh()
            (shelf.root / "iris").rename(shelf.root / ".aside")
            await store.registry.refresh()
            assert await store.ask("iris") == "one"
            await store.registry.refresh()
            with pytest.raises(NotFound, match='"iris" does not exist'):
                await store.ask("iris")
            assert store.value("model_state", model_name="iris", state="ready") == 0
            (shelf.root / ".aside").rename(shelf.root / "iris")
            await store.registry.refresh()
            assert await store.ask("iris") == "one"

    run(scenario())


def test_a_store_that_cannot_be_read_changes_nothing(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            await store.ask("iris")
            shutil.rmtree(shelf.root)
            for _ in range(3):
                await store.registry.refresh()
            assert await store.ask("iris") == "one"

    run(scenario())
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == ["the model store cannot be read; what is loaded stays: No such file or directory"]


def test_a_link_that_is_swapped_is_a_new_version_of_the_same_name(shelf: Shelf) -> None:
    """As kubelet updates a mounted ConfigMap, and as releases are switched by hand."""
    for content in (b"one", b"two"):
        shelf.put(f"iris/..{content.decode()}", content)
    (shelf.root / "iris/current").symlink_to("..one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            assert (store.states(), await store.ask("iris")) == ({"current": "unloaded"}, "one")
            (shelf.root / "iris/new").symlink_to("..two")
            (shelf.root / "iris/new").rename(shelf.root / "iris/current")
            await store.registry.refresh()
            while await store.ask("iris") != "two":
                await asyncio.sleep(0.001)
            assert store.states() == {"current": "ready"}

    run(scenario())


def test_the_least_recently_used_make_room(shelf: Shelf) -> None:
    for name in ("a", "b", "c"):
        shelf.put(f"{name}/1", b"12345")
    shelf.put("large/1", b"1234567890123")

    async def scenario() -> None:
        async with Store(shelf, max_loaded_bytes=12) as store:
            for name in ("a", "b", "a", "c"):
                await store.ask(name)
            assert [store.states(name)["1"] for name in "abc"] == ["ready", "unloaded", "ready"]
            assert store.model("1", "b").reason == ON_USE
            assert store.value("model_evictions_total", model_name="b") == 1
            part = {"model_version": "1", "part": "model"}
            loaded = [store.value("model_memory_bytes", model_name=name, **part) for name in "abc"]
            assert loaded == [5, None, 5]
            assert await store.ask("b") == "12345"
            assert [store.states(name)["1"] for name in "abc"] == ["unloaded", "ready", "ready"]
            with pytest.raises(ModelNotReady, match=r"it takes 13 bytes, and --max_loaded_bytes allows 12$"):
                await store.ask("large")
            assert store.registry.model_unready(store.model("1", "large"))

    run(scenario())


def test_a_model_that_takes_more_than_its_file_told_makes_room_afterwards(shelf: Shelf) -> None:
    for name in ("a", "b"):
        shelf.put(f"{name}/1", b"12345")
    shelf.put("c/1", b"grows")

    async def scenario() -> None:
        async with Store(shelf, max_loaded_bytes=106) as store:
            for name in ("a", "b", "c"):
                await store.ask(name)
            assert [store.states(name)["1"] for name in "abc"] == ["unloaded", "ready", "ready"]

    run(scenario())


def test_a_model_that_shows_once_it_is_loaded_that_it_never_fits_says_so(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.put("c/1", b"grows")
    too_large = "it takes 100 bytes, and --max_loaded_bytes allows 99"

    async def scenario() -> None:
        async with Store(shelf, max_loaded_bytes=99) as store:
            for _ in range(2):
                with pytest.raises(ModelNotReady, match=f'model "c" version 1 is not ready: {too_large}$'):
                    await store.ask("c")
                await store.settled()
                assert [tuple(entry) for entry in store.plane.index(call())] == [("c", "1", "UNAVAILABLE", too_large)]
            model = store.model("1", "c")
            assert isinstance(model.predictor, Told)
            assert (model.state, model.predictor.closed) == (State.FAILED, True)
            assert shelf.loads == ["c/1"]
            await store.plane.unload(call(), "c")
            assert model.reason == "it was unloaded"

    run(scenario())
    assert caplog.messages.count(f'model "c" version 1 is not loaded: {too_large}') == 1


def test_what_takes_long_to_load_holds_up_no_other(shelf: Shelf) -> None:
    for name in ("a", "b"):
        shelf.put(f"{name}/1", name.encode())
    shelf.gate.clear()

    async def scenario() -> None:
        async with Store(shelf, max_loaded_bytes=2) as store:
            asking = [asyncio.create_task(store.ask(name)) for name in ("a", "b")]
            await begun(shelf, 2)
            shelf.gate.set()
            assert await asyncio.gather(*asking) == ["a", "b"]

    run(scenario())


def test_what_is_in_use_makes_no_room(shelf: Shelf) -> None:
    for name in ("a", "b", "c"):
        shelf.put(f"{name}/1", name.encode() * 5)

    async def scenario() -> None:
        async with Store(shelf, max_loaded_bytes=10) as store:
            held = [await store.open(name) for name in "ab"]
            with pytest.raises(ModelNotReady, match="there is no room for its 5 bytes until others are idle"):
                await store.ask("c")
            assert (await held[0].answer(TextBatch(["x"])))["predict"] == ["aaaaa"]
            held.pop(0)
            assert (await store.ask("c"), store.states("a")) == ("ccccc", {"1": "unloaded"})
            assert (await held[0].answer(TextBatch(["x"])))["predict"] == ["bbbbb"]

    run(scenario())


def test_a_version_hands_over_only_where_there_is_room_for_both(shelf: Shelf) -> None:
    shelf.put("iris/1", b"11111")

    async def scenario() -> None:
        async with Store(shelf, max_loaded_bytes=9) as store:
            await store.ask("iris")
            shelf.put("iris/2", b"22222")
            await store.settled()
            assert (await store.ask("iris"), store.states()) == ("11111", {"1": "ready", "2": "unloaded"})
            assert "there is no room for its 5 bytes" in store.model("2").reason
            assert await store.ask("iris", "2") == "22222"  # who asks for it gets it
            assert (store.default(), store.states()) == ("2", {"1": "unloaded", "2": "ready"})

    run(scenario())


def test_eager_loads_the_default_versions_and_keeps_them(shelf: Shelf) -> None:
    for path in ("a/1", "a/2", "b/1"):
        shelf.put(path, path.encode())

    async def scenario() -> None:
        async with Store(shelf, model_loading="eager", max_loaded_bytes=8) as store:
            assert sorted(shelf.loads) == ["a/2", "b/1"]
            assert store.registry.unready() == ""
            with pytest.raises(ModelNotReady, match="no room"):
                await store.ask("a", "1")
            assert (await store.ask("a"), await store.ask("b")) == ("a/2", "b/1")

    run(scenario())


def test_an_eager_server_is_ready_once_its_defaults_are(shelf: Shelf) -> None:
    async def scenario() -> None:
        async with Store(shelf, model_loading="eager") as store:
            assert store.registry.unready() == "there is no model in the store yet"
            shelf.gate.clear()
            shelf.put("iris/1", b"one")
            await store.registry.refresh()
            assert store.registry.unready() == 'model "iris": loading'
            shelf.gate.set()
            await store.registry.load_all()
            assert store.registry.unready() == ""
            shelf.put("iris/2", BROKEN)
            await store.settled()
            assert store.registry.unready() == ""
            store.registry.draining = True
            assert store.registry.unready() == "the server is shutting down"

    run(scenario())


def test_a_file_names_the_version_that_answers(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    for version in ("1", "2", "3"):
        shelf.put(f"iris/{version}", version.encode())
    (shelf.root / "iris/default").write_text("2\n")

    async def scenario() -> None:
        async with Store(shelf) as store:
            assert await store.ask("iris") == "2"
            (shelf.root / "iris/default").write_text("1")
            await store.settled()
            assert (await store.ask("iris"), shelf.loads) == ("1", ["iris/2", "iris/1"])
            (shelf.root / "iris/default").write_text("7")
            await store.settled()
            assert "the file default of model iris names a version that is not there" in caplog.text
            assert await store.ask("iris") == "3"

    run(scenario())


def test_what_is_unloaded_by_hand_stays_so_until_it_is_loaded_by_hand(shelf: Shelf) -> None:
    for version in ("1", "2"):
        shelf.put(f"iris/{version}", version.encode())

    async def scenario() -> None:
        async with Store(shelf) as store:
            assert await store.ask("iris") == "2"
            await store.plane.unload(call(), "iris", "2")
            assert (await store.ask("iris"), store.default()) == ("1", "1")
            with pytest.raises(ModelNotReady, match='model "iris" version 2 is not ready: it was unloaded'):
                await store.ask("iris", "2")
            await store.settled()
            assert store.states() == {"1": "ready", "2": "unloaded"}
            await store.plane.unload(call(), "iris")
            for version in ("", "1", "2"):
                with pytest.raises(ModelNotReady, match="it was unloaded"):
                    await store.ask("iris", version)
            index = store.plane.index(call())
            assert [tuple(entry) for entry in index] == [
                ("iris", version, "UNAVAILABLE", "it was unloaded") for version in ("1", "2")
            ]
            await store.plane.load(call(), "iris", "1")
            assert (await store.ask("iris"), store.states()) == ("1", {"1": "ready", "2": "unloaded"})
            await store.plane.load(call(), "iris")
            await store.registry.load_all()
            assert (await store.ask("iris"), store.default()) == ("2", "2")

    run(scenario())


def test_loading_by_hand_sees_what_has_just_been_copied(shelf: Shelf) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            await store.ask("iris")
            shelf.put("iris/2", b"two")
            shelf.put("other/1", b"other")
            assert (await store.plane.load(call(), "iris", "2")).version == "2"
            assert await store.ask("iris") == "two"
            await store.plane.load(call(), "other")
            assert store.states("other") == {"1": "ready"}
            shelf.put("iris/3", BROKEN)
            with pytest.raises(ModelNotReady, match="it is broken"):
                await store.plane.load(call(), "iris", "3")
            with pytest.raises(NotFound, match="there are 1, 2, 3"):
                await store.plane.load(call(), "iris", "4")

    run(scenario())


def test_models_may_come_and_go_while_another_thread_looks_at_all_of_them(shelf: Shelf) -> None:
    for name in ("a", "b"):
        for version in ("1", "2"):
            shelf.put(f"{name}/{version}", b"x")

    async def scenario() -> None:
        async with Store(shelf) as store:
            looking = iter(store.registry._catalog)
            seen = [next(looking).key]
            shelf.put("c/1", b"x")
            shutil.rmtree(shelf.root / "a/2")
            for _ in range(2):
                await store.registry.refresh()
            assert [*store.states("a")] == ["1"]
            seen += [record.key for record in looking]
            assert seen == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]

    run(scenario())


def test_what_is_no_version_is_left_alone(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    shelf.put("iris/1", b"one")
    for path in ("iris/.hidden", "iris/..data", "iris/lost+found", "..iris/1", "bad name/1", "iris/empty", "-x/1"):
        shelf.put(path, b"x")
    (shelf.root / "iris/empty/manifest.json").unlink()
    (shelf.root / "readme.txt").write_text("")
    (shelf.root / "iris/2").write_text("")
    (shelf.root / "nothing").mkdir()
    shelf.put("iris/strange", b"x", kind="strange")
    (shelf.put("iris/torn", b"x") / "manifest.json").write_text('{"name": ')

    async def scenario() -> None:
        async with Store(shelf) as store:
            for _ in range(3):
                await store.settled()
            assert list(store.registry.models) == ["iris"]
            assert list(store.states()) == ["1"]

    run(scenario())
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 2
    assert any(
        "version torn of model iris is not served: manifest.json is not a valid manifest" in each for each in said
    )
    assert "version strange of model iris is not served: there is no predictor strange" in said


def test_a_version_for_which_the_server_lacks_something_holds_up_no_other(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.put("iris/1", b"one")

    async def scenario() -> None:
        async with Store(shelf) as store:
            shelf.lacking = "--fallback_key_file cannot be read"
            shelf.put("lacking/1", b"x")
            shelf.put("iris/2", b"two")
            for _ in range(3):
                await store.settled()
            assert (await store.ask("iris"), list(store.registry.models)) == ("two", ["iris"])
            shelf.lacking = ""
            await store.settled()
            assert await store.ask("lacking") == "x"

    run(scenario())
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == ["version 1 of model lacking is not served: --fallback_key_file cannot be read"]


def test_metrics_forget_nothing_that_is_there_and_all_that_is_gone(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("predictors.serving.store.registry._REMEMBER_SECONDS", 0.0)
    for version in ("1", "2"):
        shelf.put(f"iris/{version}", version.encode())

    async def scenario() -> None:
        async with Store(shelf) as store:
            for version in ("1", "2"):
                await store.ask("iris", version)
                store.registry._metrics.count_request(_answered(version))
            shown = {"model_name": "iris", "protocol": "v2", "code": "200", "limit": ""}
            assert store.value("model_requests_total", model_version="1", **shown) == 1
            assert store.value("model_queue_limit", model_name="iris") == 6
            shutil.rmtree(shelf.root / "iris/1")
            for _ in range(2):
                await store.registry.refresh()
            while store.value("model_requests_total", model_version="1", **shown) is not None:
                await asyncio.sleep(0.01)
            assert store.value("model_load_time_seconds", model_name="iris", model_version="1") is None
            assert store.value("model_requests_total", model_version="2", **shown) == 1
            assert store.value("model_queue_limit", model_name="iris") == 3

    run(scenario())


def _answered(version: str) -> Call:
    made = call()
    made.model, made.version, made.code = "iris", version, "200"
    return made


def test_a_folder_that_is_not_there_is_an_error_at_the_start(shelf: Shelf) -> None:
    shelf.root.rmdir()
    with pytest.raises(StartupError, match=r"--model_store .*: there is no such folder"):
        Store(shelf)
