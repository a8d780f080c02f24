"""What leaves, what comes back, and what stays: the standby with Presidio's recognizers and an endpoint of bytes."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal

import orjson
import pytest

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.standby import Outcome, Reason, StandbyFailed
from predictors.serving.model.types import Batch, Event, Job, Limits, Outputs, PromptBatch, TextBatch
from predictors.serving.telemetry.trace import CURRENT, Trace, new_trace
from predictors.summarizer.fallback import standby as module
from predictors.summarizer.fallback.recognizers import Recognizers
from predictors.summarizer.fallback.settings import FallbackSettings
from predictors.summarizer.fallback.standby import SummarizerStandby
from predictors.summarizer.settings import SummarizerSettings
from tests.unit.summarizer.fallback.raw_server import HEAD, Answer, RawServer, chunk, raw_server, says, writes

JIM, CARD, PHONE = "jim@example.com", "4111 1111 1111 1111", "+49 30 901820"
STREET = "742 Evergreen Terrace"
DOCUMENT = f"""TERMS

1. The fee is 9 euros a month. You pay to {JIM} by the first day of each month.
2. We may share your address with our partners. You waive your right to a jury trial. Call {PHONE} to cancel.
"""


@pytest.fixture(scope="module", autouse=True)
def recognizers() -> Any:
    """Presidio takes seconds to load: once is enough."""
    made = Recognizers()
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "Recognizers", lambda: made)
    yield made
    patch.undo()


class At:
    """A standby and its endpoint."""

    def __init__(self, server: RawServer, reading: Literal["clauses", "chunks"], **settings: Any) -> None:
        self.server = server
        given = FallbackSettings(fallback_url=server.url, fallback_model="big", **settings)
        self.standby = SummarizerStandby(
            "summarizer", given, SummarizerSettings(), Limits(16, 200_000), lambda: reading
        )
        self.events: list[Event] = []

    async def answer(self, batch: Batch, reason: Reason = Reason.OVERLOADED, seconds: float = 60.0) -> Outputs:
        return await self.standby.answer(batch, Job(time.monotonic() + seconds, self.events.append), reason)

    async def outcome(self, batch: Batch, reason: Reason = Reason.OVERLOADED, seconds: float = 60.0) -> Outcome:
        with pytest.raises(StandbyFailed) as caught:
            await self.answer(batch, reason, seconds)
        return caught.value.outcome

    @property
    def sent(self) -> str:
        """All that left."""
        return orjson.dumps(self.server.bodies).decode() + "".join(self.server.heads)


@asynccontextmanager
async def at(answer: Answer, reading: Literal["clauses", "chunks"] = "clauses", **settings: Any) -> AsyncIterator[At]:
    async with raw_server(answer) as server:
        made = At(server, reading, **settings)
        yield made
        await made.standby.close()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 120))


def chat(*contents: str, **parameters: Any) -> PromptBatch:
    return PromptBatch([("user", content) for content in contents], parameters=parameters)


def columns(outputs: Outputs, *names: str) -> list[Any]:
    return [outputs[name][0] for name in names]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_chat_leaves_without_personal_data_and_comes_back_with_it(size: int) -> None:
    answer = says("I wrote to <EMAIL_ADDRESS_1>, not <EMAIL_ADDRESS_2>, at <ADDRESS_1>: 1 < 2.", size)

    async def scenario() -> None:
        async with at(answer) as here:
            batch = chat(
                f"I am {JIM}, at {STREET}.", f"Card {CARD}; {JIM} again, and a@example.org.", stop=[JIM, "END"]
            )
            outputs = await here.answer(batch)
            for secret in (JIM, STREET, CARD, "a@example.org"):
                assert secret not in here.sent
            body = here.server.bodies[0]
            assert [message["content"] for message in body["messages"]] == [
                "I am <EMAIL_ADDRESS_1>, at <ADDRESS_1>.",
                "Card <CREDIT_CARD_1>; <EMAIL_ADDRESS_1> again, and <EMAIL_ADDRESS_2>.",
            ]
            assert body["stop"] == ["<EMAIL_ADDRESS_1>", "END"]
            text = f"I wrote to {JIM}, not a@example.org, at {STREET}: 1 < 2."
            assert columns(outputs, "text", "finish_reason", "prompt_tokens", "completion_tokens") == [
                text,
                "stop",
                11,
                7,
            ]
            assert "".join(event.data["text"] for event in here.events) == text
            assert all(event.data["text"] and "<EMAIL" not in event.data["text"] for event in here.events)

    run(scenario())


def test_only_what_the_caller_asked_for_is_asked() -> None:
    async def scenario() -> None:
        async with at(says("Yes"), fallback_max_answer_tokens=20) as here:
            await here.answer(chat("Hi"))
            await here.answer(chat("Hi", temperature=0.5, seed=3, min_p=0.1, repeat_penalty=1.2, max_tokens=9000))
            fields = [{*body} - {"model", "messages", "stream", "stream_options"} for body in here.server.bodies]
            assert fields == [{"max_tokens"}, {"max_tokens", "temperature", "seed"}]
            assert [body["max_tokens"] for body in here.server.bodies] == [20, 20]

    run(scenario())


@pytest.mark.parametrize(
    "batch",
    [
        PromptBatch(text="Once"),
        chat("Hi", json_schema={"type": "object"}),
        chat("x" * 10_000),
    ],
    ids=["completion", "schema", "longer than the model's context"],
)
def test_what_is_not_handed_over(batch: PromptBatch) -> None:
    async def scenario() -> None:
        async with at(says("Yes")) as here:
            assert await here.outcome(batch) is Outcome.UNFIT
            assert here.server.heads == []

    run(scenario())


def test_a_summary_of_clauses_asks_nobody() -> None:
    async def scenario() -> None:
        async with at(says("- Nothing."), "clauses") as here:
            batch = TextBatch([DOCUMENT + "You pay 5 euros for towels (such as plain blue towels)."])
            outputs = await here.answer(batch)
            assert here.server.heads == []
            [points] = outputs["points"]
            texts = [point["text"] for point in points]
            assert "You pay 5 euros for towels (such as plain blue towels)." in texts
            assert f"You pay to {JIM} by the first day of each month." in texts
            assert all(point["quoted"] for point in points)
            assert columns(outputs, "finish_reason", "read", "completion_tokens") == ["stop", 1.0, 0]
            assert await here.outcome(batch, Reason.SLOW) is Outcome.UNFIT  # the model's is there in time, too

    run(scenario())


def test_points_from_elsewhere_are_checked_here() -> None:
    """What the document does not say is not said, and nothing is called quoted that is not the document's own."""
    points = (
        "- You pay 9 euros a month.\n- You pay 900 euros a month.\n"
        "- You pay to <EMAIL_ADDRESS_1> by the first day of each month."
    )

    async def scenario() -> None:
        async with at(says(points, 50), "chunks") as here:
            outputs = await here.answer(TextBatch([DOCUMENT]))
            assert len(here.server.bodies) == 1
            assert JIM not in here.sent
            assert PHONE not in here.sent
            assert "<EMAIL_ADDRESS_1>" in here.sent
            assert "You waive your right to a jury trial." in here.sent
            [found] = outputs["points"]
            [paid] = [point for point in found if point["text"] == f"You pay to {JIM} by the first day of each month."]
            [place] = paid["citations"]
            assert DOCUMENT[place["start"] : place["end"]].strip() == paid["text"]
            assert [paid] == [
                {key: value for key, value in event.data.items() if key != "instance"}
                for event in here.events
                if JIM in str(event.data)
            ]
            assert not any("<EMAIL" in str(each) for each in (*here.events, *outputs.values()))
            assert not any("900" in point["text"] for point in found)
            plain = DOCUMENT.replace("\n", " ")
            for point in found:
                assert point["text"] in plain or not point["quoted"]
                assert all(0 <= each["start"] < each["end"] <= len(DOCUMENT) for each in point["citations"])
            assert columns(outputs, "mode", "prompt_tokens", "completion_tokens") == ["fast", 11, 7]

    run(scenario())


def test_what_is_at_the_end_of_a_clause_is_found() -> None:
    """Clauses that are glued together would hide it from the recognizers."""
    document = (
        f"Contact\n\n- Card {CARD}\n- Mail: {JIM}\n- Phone: {PHONE}\n\nYou pay 5 euros to a@example.org\nYou agree."
    )

    async def scenario() -> None:
        async with at(says("- nothing"), "chunks") as here:
            await here.answer(TextBatch([document], {"mode": "full"}))
            assert "You pay 5 euros to <EMAIL_ADDRESS" in here.sent
            assert not any(secret in here.sent for secret in (CARD, JIM, PHONE, "a@example.org"))

    run(scenario())


def test_what_a_long_sentence_is_cut_in_is_found() -> None:
    """Clauses are cut after 1,200 characters at most, perhaps in the middle of what is to be hidden."""

    async def scenario() -> None:
        async with at(says("- nothing"), "chunks") as here:
            for words in range(226, 242, 2):
                document = f"You pay {'very ' * words}much by {CARD} and by {PHONE} and by {CARD} {'and ' * 400}more."
                await here.answer(TextBatch([document], {"mode": "full"}))
            assert "<CREDIT_CARD_1>" in here.sent
            assert not any(part in here.sent for part in ("4111", "1111", "901820", "+49"))

    run(scenario())


def test_what_cleaning_brings_out_is_found() -> None:
    """A soft hyphen hides an address from the recognizers, and is not sent."""
    document = "You pay 5 euros a month to jim@exam\u00adple.com by the first day of each month."

    async def scenario() -> None:
        async with at(says("- You pay 5 euros a month to <EMAIL_ADDRESS_1>."), "chunks") as here:
            [points] = (await here.answer(TextBatch([document], {"mode": "full"})))["points"]
            assert "by the first day" in here.sent
            assert not any(part in here.sent for part in ("jim", "ple.com"))
            assert points
            assert not any("<EMAIL" in str(point) for point in points)

    run(scenario())


def test_a_point_that_was_cut_is_left_out() -> None:
    async def scenario() -> None:
        async with at(
            says("- You waive your right to a jury trial.\n- The fee is 9 euros", 50, "length"), "chunks"
        ) as here:
            [points] = (await here.answer(TextBatch([DOCUMENT])))["points"]
            assert [point["text"] for point in points] == ["You waive your right to a jury trial."]

    run(scenario())


def test_a_long_document_is_few_requests() -> None:
    long = "\n\n".join(f"You pay {number} euros for the towel in hall {number}." for number in range(2100))

    async def scenario() -> None:
        async with at(says("- nothing"), "chunks") as here:
            await here.answer(TextBatch([long[:50_000]]))
            assert 1 <= len(here.server.bodies) <= 3
            assert await here.outcome(TextBatch([long + long])) is Outcome.UNFIT

    run(scenario())


def test_a_summary_fails_with_its_endpoint() -> None:
    async def scenario() -> None:
        async with at(writes(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"), "chunks") as here:
            for _ in range(3):
                assert here.standby.unable() is None
                assert await here.outcome(TextBatch([DOCUMENT])) is Outcome.FAILED
            assert here.standby.unable() is Outcome.OPEN

    run(scenario())


def test_what_is_logged_of_a_summary_names_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    """Also if a thread, which knows nothing of the request's task, has the endpoint asked."""
    trace = new_trace()
    seen: dict[str, Trace | None] = {}

    def see(record: logging.LogRecord) -> bool:
        seen[record.getMessage()] = CURRENT.get()
        return True

    async def scenario() -> None:
        async with at(writes(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"), "chunks") as here:
            CURRENT.set(trace)
            assert await here.outcome(TextBatch([DOCUMENT])) is Outcome.FAILED

    caplog.handler.addFilter(see)
    run(scenario())
    assert seen["fallback: the endpoint failed: status 500"] is trace


def test_a_summary_that_fails_later_is_what_there_is() -> None:
    served: list[int] = []

    async def answer(writer: asyncio.StreamWriter) -> None:
        served.append(1)
        good = says("- You pay 1 euros for the towel in hall 1.", 50)
        await (good if len(served) == 1 else writes(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"))(writer)

    long = "\n\n".join(f"You pay {number} euros for the towel in hall {number}." for number in range(400))

    async def scenario() -> None:
        async with at(answer, "chunks", fallback_max_concurrent=1) as here:
            outputs = await here.answer(TextBatch([long], {"mode": "full"}))
            assert len(served) > 1
            assert [point["text"] for point in outputs["points"][0]] == ["You pay 1 euros for the towel in hall 1."]
            assert columns(outputs, "finish_reason") == ["deadline"]
            assert 0 < outputs["read"][0] < 1

    run(scenario())


@pytest.mark.parametrize("batch", [chat("Hi"), TextBatch([DOCUMENT])], ids=["chat", "summary"])
def test_nobody_waits_longer_than_the_deadline(batch: Batch) -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    async def scenario() -> None:
        async with at(never, "chunks") as here:
            assert await here.outcome(batch, seconds=1.0) is Outcome.LATE
            assert here.standby.unable() is None

    run(scenario())


def test_as_many_at_once_as_are_allowed() -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    async def scenario() -> None:
        async with at(never, fallback_max_concurrent=2) as here:
            tasks = [asyncio.create_task(here.answer(chat("Hi"))) for _ in range(2)]
            while len(here.server.bodies) < 2:
                await asyncio.sleep(0.01)
            assert here.standby.unable() is Outcome.BUSY
            assert await here.outcome(chat("Hi")) is Outcome.BUSY
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert here.standby.unable() is None

    run(scenario())


def test_a_thread_is_taken_until_its_work_ends(recognizers: Recognizers, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def find(text: str) -> Any:
        gate.wait(60)
        return []

    monkeypatch.setattr(recognizers, "find", find)

    async def scenario() -> None:
        async with at(says("Yes"), fallback_max_concurrent=1) as here:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await here.answer(chat("Hi"))
            assert here.standby.unable() is Outcome.BUSY
            assert await here.outcome(chat("Hi")) is Outcome.BUSY
            gate.set()
            while here.standby.unable() is not None:
                await asyncio.sleep(0.01)
            assert (await here.answer(chat("Hi")))["text"] == ["Yes"]

    run(scenario())


def test_nothing_is_searched_on_the_event_loop(recognizers: Recognizers, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[str] = set()
    find = recognizers.find

    def watched(text: str) -> Any:
        threads.add(threading.current_thread().name)
        return find(text)

    monkeypatch.setattr(recognizers, "find", watched)

    async def scenario() -> None:
        async with at(says("- nothing"), "chunks") as here:
            await here.answer(chat("Hi", stop=["x"]))
            await here.answer(TextBatch([DOCUMENT]))

    run(scenario())
    assert threads
    assert all(name.startswith("fallback-summarizer") for name in threads)


def test_documents_that_cannot_be_read_are_the_callers_fault() -> None:
    async def scenario() -> None:
        async with at(says("- nothing")) as here:
            with pytest.raises(InvalidInput):
                await here.answer(TextBatch(["no base64!"], {"content_type": "application/pdf"}))
            with pytest.raises(TooLarge):
                await here.answer(TextBatch(["<p>" + "word " * 100_000], {"content_type": "text/html"}))

    run(scenario())


def test_a_stream_tells_what_was_said_before_it_broke_off() -> None:
    async def scenario() -> None:
        async with at(writes(HEAD, chunk("Hello"))) as here:
            assert await here.outcome(chat("Hi")) is Outcome.FAILED
            assert [event.data for event in here.events] == [{"text": "Hello"}]

    run(scenario())


def test_the_start_says_what_leaves(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with at(says("Yes")):
            pass

    run(scenario())
    assert "names of people are not recognized, since no English language model for spaCy is installed" in caplog.text
    assert "/v1" in caplog.text
