"""Shadow traffic from the file to the metrics, with canaries that do not behave."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.model.types import TextBatch
from predictors.serving.settings import ServerSettings
from predictors.serving.shadow.shadowing import Shadowing
from tests.unit.serving.dispatch.test_registry import run
from tests.unit.serving.shadow.served import Canary, http_answer, new_call, new_model, samples, tell, v2_answer

GOOD = http_answer(v2_answer())
HUGE = http_answer(v2_answer() + b" " * 600_000)


class Served:
    """A model whose requests are shadowed as the file says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = new_model()
        self.registry = CollectorRegistry()
        settings = ServerSettings(shadow_file=str(path))
        self.models = {"paced": self.model}
        self.shadowing = Shadowing(self.models, settings, self.registry, look_seconds=0.01)

    def write(self, url: str, name: str = "paced") -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"models": {name: {"url": url, "percent": 100}}}))
        new.rename(self.path)

    def outcomes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for labels, value in samples(self.registry, "shadow_comparisons_total"):
            found[labels[3]] = found.get(labels[3], 0) + int(value)
        return found

    def has_outcomes(self, count: int) -> bool:
        return sum(self.outcomes().values()) == count

    def ask(self, seconds: float = 60.0) -> None:
        call = new_call()
        call.deadline = call.started + seconds
        tell(self.model, TextBatch(["a"]), call)

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.shadowing.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert self.model.tap is None


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path / "shadow.json")


async def until(condition: Callable[[], object]) -> None:
    """Wait; `run` gives up in the end."""
    while not condition():
        await asyncio.sleep(0.01)


async def tapped(served: Served, canary: Canary) -> None:
    served.write(canary.url)
    await until(lambda: served.model.tap is not None)


def test_the_copies_follow_a_switch_to_another_version(served: Served) -> None:
    async def scenario() -> None:
        async with Canary(GOOD).serving() as canary, served.following():
            await tapped(served, canary)
            before, served.models["paced"] = served.model, new_model()
            await until(lambda: served.models["paced"].tap is not None)
            assert before.tap is None
            del served.models["paced"]
            served.model = new_model()
            await until(lambda: not served.shadowing._tapped)

    run(scenario())


def test_a_copy_is_answered_compared_and_counted(served: Served) -> None:
    async def scenario() -> None:
        async with Canary(GOOD).serving() as canary, served.following():
            await tapped(served, canary)
            for _ in range(6):  # more than may be under way
                served.ask()
            await until(lambda: served.outcomes() == {"agree": 6})
            assert list(samples(served.registry, "shadow_comparisons_total")) == [(("paced", "1", "2", "agree"), 6)]
            assert dict(samples(served.registry, "shadow_confusion_total")) == {("paced", "cat", "cat"): 6}
            assert canary.bodies[0] == {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}]}
            lines = canary.heads[0].lower().split(b"\r\n")
            assert lines[0] == b"post /v2/models/paced/infer http/1.1"
            expected = {
                b"x-predictors-shadow: 1", b"x-no-fallback: true", b"x-request-id: shadow-the-id", b"content-type: application/json",
                b"accept-encoding: identity",
            }  # fmt: skip
            assert expected <= set(lines)
            (allowed,) = (line for line in lines if line.startswith(b"x-request-timeout-ms: "))
            assert 50_000 < int(allowed.split()[1]) <= 60_001
            assert canary.connections <= 4

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "outcome", "pair"),
    [
        (v2_answer("dog", 0.1), "differ", ("cat", "dog")),
        (v2_answer("cat", 0.8), "differ", ("cat", "cat")),
        (v2_answer("cat", 0.86), "agree", ("cat", "cat")),
        (v2_answer("horse", 0.9), "differ", ("cat", "other")),
    ],
)
def test_answers_are_compared_by_the_predictors_own_rule(
    served: Served, answer: bytes, outcome: str, pair: tuple[str, str]
) -> None:
    async def scenario() -> None:
        async with Canary(http_answer(answer)).serving() as canary, served.following():
            await tapped(served, canary)
            served.ask()
            await until(served.outcomes)
            assert served.outcomes() == {outcome: 1}
            assert dict(samples(served.registry, "shadow_confusion_total")) == {("paced", *pair): 1}

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http_answer(b'{"error": "x"}', "500 Internal Server Error"), "error"),
        (http_answer(v2_answer(), "302 Found", "location: /elsewhere\r\n"), "error"),
        (http_answer(b'{"error": "x"}', "400 Bad Request"), "error"),
        (http_answer(b'{"error": "x"}', "429 Too Many Requests"), "dropped"),
        (http_answer(b"<html>"), "error"),
        (http_answer(b""), "error"),
        (http_answer(v2_answer(), "200 OK", "content-encoding: gzip\r\nset-cookie: a=b\r\n"), "agree"),
        (b"\x00\xff\r\n\r\n rubbish", "error"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n{", "error"),
        (HUGE, "error"),
        (None, "error"),
    ],
)
def test_a_canary_that_does_not_behave_is_counted_and_the_next_copy_sent(
    served: Served, answer: bytes | None, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with Canary(answer).serving() as canary, served.following():
            await tapped(served, canary)
            for i in (1, 2):
                served.ask(seconds=0.2 if outcome == "error" else 60)
                await until(partial(served.has_outcomes, i))
            assert served.outcomes() == {outcome: 2}
            canary.answer = GOOD
            served.ask()
            await until(lambda: served.outcomes().get("agree"))

    run(scenario())
    warned = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == (outcome == "error")
    assert all(record.getMessage().isprintable() for record in warned)


def test_answers_that_are_not_read_leave_no_connection_open(served: Served) -> None:
    async def scenario() -> None:
        async with Canary(http_answer(b"no" * 9, "500 Internal Server Error")).serving() as canary, served.following():
            await tapped(served, canary)
            for _ in range(6):
                served.ask()
            await until(lambda: served.outcomes() == {"error": 6})
            await until(lambda: canary.open == 0)

    run(scenario())


def test_a_canary_that_is_down_is_counted(served: Served) -> None:
    async def scenario() -> None:
        async with Canary(GOOD).serving() as canary:
            pass
        async with served.following():
            await tapped(served, canary)
            served.ask()
            await until(served.outcomes)
            assert served.outcomes() == {"error": 1}

    run(scenario())


def test_a_canary_that_hangs_fills_the_queue_and_no_more(served: Served) -> None:
    async def scenario() -> None:
        async with Canary(None).serving() as canary, served.following():
            await tapped(served, canary)
            for _ in range(200):
                served.ask()
                await asyncio.sleep(0)
            await until(lambda: len(canary.heads) == 4)
            for _ in range(30):
                await asyncio.sleep(0.01)  # time for more than four, if they were sent
            for _ in range(10):  # room for those that are under way
                served.ask()
            assert served.outcomes() == {"dropped": pytest.approx(210 - 64 - 4, abs=1)}
            assert canary.open == 4

    run(scenario())


def test_the_end_waits_for_no_canary(served: Served) -> None:
    async def scenario() -> None:
        async with Canary(None).serving() as canary:
            async with served.following():
                await tapped(served, canary)
                for _ in range(10):
                    served.ask()
                await until(lambda: canary.heads)
            assert served.model.tap is None
            await until(lambda: canary.open == 0)
            assert served.outcomes() == {}  # none was given up for having taken too long

    run(scenario())


def test_the_file_moves_the_shadow_and_ends_it(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        async with Canary(GOOD).serving() as one, Canary(GOOD).serving() as other, served.following():
            await asyncio.sleep(0.05)
            assert served.model.tap is None
            await tapped(served, one)
            served.ask()
            await until(lambda: len(one.heads) == 1)
            first = served.model.tap
            served.write(other.url + "/")
            await until(lambda: served.model.tap is not first)
            served.ask()
            await until(lambda: len(other.heads) == 1)
            await until(lambda: one.open == 0)
            served.path.write_bytes(b"{")
            await until(lambda: served.model.tap is None)
            await tapped(served, one)
            served.path.unlink()
            await until(lambda: served.model.tap is None)
            await until(lambda: other.open == 0)
            served.ask()
            assert len(one.heads) == len(other.heads) == 1

    run(scenario())
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("predictors")]
    assert sum(message.startswith("shadowing 100% of paced to http://127.0.0.1:") for message in messages) == 3
    assert messages.count("shadowing nothing") == 2


def test_models_that_are_not_served_are_ignored(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        async with served.following():
            served.write("http://127.0.0.1:9", name="another")
            await until(lambda: "shadowing nothing" in caplog.text)
            assert served.model.tap is None

    run(scenario())
