"""The endpoint's client, against endpoints that are slow, dead, hostile or strange."""

import asyncio
import logging
import ssl
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.errors import StartupError
from predictors.serving.model.standby import Outcome, StandbyFailed
from predictors.summarizer.engine.types import Generation
from predictors.summarizer.fallback import endpoint as module
from predictors.summarizer.fallback.endpoint import Ask, Endpoint
from predictors.summarizer.fallback.settings import FallbackSettings
from tests.unit.serving.transport.certificates import Authority
from tests.unit.summarizer.fallback.raw_server import DONE, HEAD, Answer, chunk, raw_server, says, writes

SECRET = "sk-very-secret"


def new_endpoint(url: str, **settings: Any) -> Endpoint:
    return Endpoint(FallbackSettings(fallback_url=url, fallback_model="big", **settings))


def ask(seconds: float = 60.0, **options: Any) -> Ask:
    return Ask([("system", "Be brief."), ("user", "Hi")], 50, options, time.monotonic() + seconds)


async def outcome_of(endpoint: Endpoint, seconds: float = 60.0) -> Outcome:
    with pytest.raises(StandbyFailed) as caught:
        await endpoint.complete(ask(seconds), lambda text: None)
    return caught.value.outcome


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 120))


def test_what_is_asked_and_answered(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{SECRET}\n")
    told: list[str] = []

    async def scenario() -> None:
        async with raw_server(says("Hello, world")) as server:
            endpoint = new_endpoint(server.url, fallback_key_file=key)
            answer = await endpoint.complete(ask(temperature=0.5), told.append)
            assert answer.text == "Hello, world"
            assert (answer.finish_reason, answer.prompt_tokens, answer.completion_tokens) == ("stop", 11, 7)
            assert "".join(told) == "Hello, world"
            assert len(told) == 4
            assert server.bodies == [
                {
                    "model": "big",
                    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
                    "max_tokens": 50,
                    "stream": True,
                    "stream_options": {"include_usage": True},
                    "temperature": 0.5,
                }
            ]
            head = server.heads[0]
            assert head.startswith("POST /v1/chat/completions HTTP/1.1\r\n")
            assert f"authorization: Bearer {SECRET}\r\n" in head
            assert "x-no-fallback: true\r\n" in head
            key.write_text("sk-another")
            await endpoint.complete(ask(), told.append)
            assert "authorization: Bearer sk-another\r\n" in server.heads[1]
            await endpoint.close()

    run(scenario())


def redirect(status: int) -> bytes:
    return f"HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n".encode()


def status(code: int, body: bytes = b"") -> Answer:
    return writes(f"HTTP/1.1 {code} X\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)


async def never(writer: asyncio.StreamWriter) -> None:
    """Until the client or the test closes the connection."""
    await writer.wait_closed()


async def drips_a_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


def endless(part: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        while True:
            writer.write(part)
            await writer.drain()

    return answer


JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
FAILURES = {
    **{f"status {code}": status(code, SECRET.encode()) for code in (400, 401, 403, 404, 429, 500, 503, 204)},
    **{f"redirect {code}": writes(redirect(code)) for code in (301, 302, 303, 307, 308)},
    "closes": writes(),
    "no HTTP": writes(b"\x00\x01\x02" * 100),
    "no stream": writes(JSON),
    "breaks off": writes(HEAD, chunk("Hel")),
    "done without an end": writes(HEAD, chunk("Hel"), DONE),
    "no JSON": writes(HEAD, b"data: {nonsense\n\n"),
    "another JSON": writes(HEAD, b"data: [1]\n\n"),
    "null": writes(HEAD, b"data: null\n\n"),
    "a number": writes(HEAD, b"data: 5\n\n"),
    "no choices": writes(HEAD, b'data: {"choices": 5}\n\n'),
    "a choice that is none": writes(HEAD, b'data: {"choices": [5]}\n\n'),
    "a text that is none": writes(HEAD, b'data: {"choices": [{"delta": {"content": [1]}}]}\n\n'),
    "a strange end": writes(HEAD, b'data: {"choices": [{"delta": {}, "finish_reason": "abort"}]}\n\n'),
    "an end that is none": writes(HEAD, b'data: {"choices": [{"delta": {}, "finish_reason": {}}]}\n\n'),
    "a usage that is none": writes(HEAD, b'data: {"choices": [], "usage": {"prompt_tokens": "many"}}\n\n'),
    "an error within": writes(HEAD, chunk("Hel"), b'data: {"error": {"message": "no"}}\n\n'),
    "invalid UTF-8": writes(HEAD, b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'),
    "a surrogate": writes(HEAD, b'data: {"choices": [{"delta": {"content": "\\ud800"}}]}\n\n'),
    "deeply nested": writes(HEAD, b"data: " + b"[" * 5000 + b"\n\n"),
    "endless text": endless(chunk("x" * 100)),
    "an endless line": endless(b"x" * 1000),
    "endless comments": endless(b": keep alive\n\n" * 100),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
def test_failures(answer: Answer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = tmp_path / "key"
    key.write_text(SECRET)

    async def scenario() -> None:
        async with raw_server(answer) as server:
            endpoint = new_endpoint(server.url, fallback_key_file=key, fallback_max_answer_tokens=16)
            assert await outcome_of(endpoint) is Outcome.FAILED
            assert len(server.heads) == 1
            await endpoint.close()

    with caplog.at_level(logging.DEBUG):
        run(scenario())
    assert SECRET not in caplog.text
    assert "Be brief" not in caplog.text
    assert "fallback: the endpoint" in caplog.text


@pytest.mark.parametrize("answer", [never, drips_a_head])
def test_no_answer_outlasts_the_deadline(answer: Answer) -> None:
    async def scenario() -> None:
        async with raw_server(answer) as server:
            endpoint = new_endpoint(server.url)
            for _ in range(4):  # short deadlines are the callers' own: nobody is kept from asking
                assert await outcome_of(endpoint, 0.1) is Outcome.LATE
            assert endpoint.unable() is None
            await endpoint.close()

    run(scenario())


def test_at_the_deadline_an_answer_is_what_there_is() -> None:
    async def hangs(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk("Hel") + chunk("lo"))
        await never(writer)

    async def scenario() -> None:
        async with raw_server(hangs) as server:
            endpoint = new_endpoint(server.url)
            answer = await endpoint.complete(ask(2.0), lambda text: None)
            assert isinstance(answer, Generation)
            assert (answer.text, answer.finish_reason, answer.completion_tokens) == ("Hello", "deadline", 2)
            await endpoint.close()

    run(scenario())


def test_a_dead_endpoint_is_left_alone() -> None:
    async def scenario() -> None:
        async with raw_server(status(500)) as server:
            endpoint = new_endpoint(server.url)
            for _ in range(3):
                assert endpoint.unable() is None
                assert await outcome_of(endpoint) is Outcome.FAILED
            assert endpoint.unable() is Outcome.OPEN
            assert await outcome_of(endpoint) is Outcome.OPEN
            assert len(server.heads) == 3
            await endpoint.close()

    run(scenario())


def test_a_request_that_is_refused_does_not_keep_others_from_asking() -> None:
    async def scenario() -> None:
        async with raw_server(status(400)) as server:
            endpoint = new_endpoint(server.url)
            for _ in range(5):
                assert await outcome_of(endpoint) is Outcome.FAILED
            assert endpoint.unable() is None
            await endpoint.close()

    run(scenario())


@pytest.mark.parametrize("reason", ["content_filter", "tool_calls"])
def test_an_answer_that_is_withheld_does_not_keep_others_from_asking(reason: str) -> None:
    async def scenario() -> None:
        async with raw_server(says("Hel", reason=reason)) as server:
            endpoint = new_endpoint(server.url)
            for _ in range(5):
                assert await outcome_of(endpoint) is Outcome.FAILED
            assert endpoint.unable() is None
            await endpoint.close()

    run(scenario())


@pytest.mark.parametrize(
    "told", [b'{"total_tokens": 5}', b'{"prompt_tokens": 1000000000000, "completion_tokens": -5}', b"[]", b'"many"']
)
def test_a_usage_that_cannot_be_believed_is_estimated(told: bytes) -> None:
    async def scenario() -> None:
        counts = b'data: {"choices": [], "usage": ' + told + b"}\n\n"
        async with raw_server(writes(HEAD, chunk("Hello", "stop"), counts, DONE)) as server:
            endpoint = new_endpoint(server.url)
            answer = await endpoint.complete(ask(), lambda text: None)
            assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("Hello", 3, 2)
            await endpoint.close()

    run(scenario())


def test_who_has_no_time_left_costs_nothing() -> None:
    async def scenario() -> None:
        async with raw_server(says("Hello")) as server:
            endpoint = new_endpoint(server.url, fallback_requests_per_hour=1)
            for seconds in (0.0, -1.0):
                assert await outcome_of(endpoint, seconds) is Outcome.LATE
            assert (await endpoint.complete(ask(), lambda text: None)).text == "Hello"
            await endpoint.close()

    run(scenario())


def test_as_many_are_sent_at_once_as_are_allowed() -> None:
    async def scenario() -> None:
        async with raw_server(never) as server:
            endpoint = new_endpoint(server.url, fallback_max_concurrent=2)
            tasks = [asyncio.create_task(endpoint.complete(ask(), lambda text: None)) for _ in range(5)]
            while len(server.heads) < 2:
                await asyncio.sleep(0.01)
            assert await outcome_of(endpoint, 0.2) is Outcome.LATE
            assert len(server.heads) == 2
            tasks[0].cancel()
            while len(server.heads) < 3:
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await endpoint.close()

    run(scenario())


@pytest.mark.parametrize(
    ("url", "spared", "proxy"),
    [
        ("https://api.example.com/v1", "", "http://proxy:1"),
        ("https://api.example.com/v1", "example.com", None),
        ("http://localhost:8000/v1", "", None),
        ("http://model.default.svc/v1", "", None),
    ],
)
def test_the_proxy_of_the_environment(
    url: str, spared: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not encrypted never goes through it."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy:1")
    monkeypatch.setenv("no_proxy", spared)
    assert module._proxy(url) == proxy


def test_nobody_there() -> None:
    async def scenario() -> None:
        endpoint = new_endpoint("http://127.0.0.1:1")
        assert await outcome_of(endpoint) is Outcome.FAILED
        await endpoint.close()

    run(scenario())


@pytest.mark.parametrize(
    ("settings", "asked"), [({"fallback_requests_per_hour": 2}, 2), ({"fallback_tokens_per_hour": 19}, 2)]
)
def test_the_budget_of_an_hour(settings: dict[str, int], asked: int) -> None:
    async def scenario() -> None:
        async with raw_server(says("Hello")) as server:
            endpoint = new_endpoint(server.url, **settings)
            for _ in range(asked):
                await endpoint.complete(ask(), lambda text: None)
            assert endpoint.unable() is Outcome.SPENT
            assert await outcome_of(endpoint) is Outcome.SPENT
            assert len(server.heads) == asked
            await endpoint.close()

    run(scenario())


def test_what_breaks_off_costs_too() -> None:
    async def scenario() -> None:
        async with raw_server(writes(HEAD, chunk("Hello, world"))) as server:
            endpoint = new_endpoint(server.url, fallback_tokens_per_hour=4)
            assert await outcome_of(endpoint) is Outcome.FAILED
            assert endpoint.unable() is Outcome.SPENT
            await endpoint.close()

    run(scenario())


def test_no_answer_is_longer_than_allowed() -> None:
    async def scenario() -> None:
        async with raw_server(says("Hello", reason="length")) as server:
            endpoint = new_endpoint(server.url, fallback_max_answer_tokens=5)
            assert (await endpoint.complete(ask(), lambda text: None)).finish_reason == "length"
            assert server.bodies[0]["max_tokens"] == 5
            await endpoint.close()

    run(scenario())


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the server's side of a handshake that failed
@pytest.mark.parametrize("trusted", [False, True])
def test_tls_is_verified(trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    (tmp_path / "ca.crt").write_bytes(authority.certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("endpoint").write(tmp_path))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))

    async def scenario() -> None:
        async with raw_server(says("Hello"), tls) as server:
            endpoint = new_endpoint(server.url)
            if trusted:
                assert (await endpoint.complete(ask(), lambda text: None)).text == "Hello"
            else:
                assert await outcome_of(endpoint) is Outcome.FAILED
                assert server.heads == []
            await endpoint.close()

    run(scenario())


@pytest.mark.parametrize("content", ["", "\n", "two words", "\x00", "ключ"])
def test_a_key_that_is_none(content: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(content)
    with pytest.raises(StartupError, match="--fallback_key_file key cannot be used: it holds no key") as caught:
        new_endpoint("https://x", fallback_key_file=key)
    assert not content.strip() or content not in str(caught.value)


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="--fallback_key_file key cannot be used: No such file"):
        new_endpoint("https://x", fallback_key_file=tmp_path / "key")
