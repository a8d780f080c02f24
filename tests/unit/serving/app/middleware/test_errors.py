"""Exceptions become responses, the last event of a stream, or just a line of the log."""

import asyncio
import logging
from collections.abc import AsyncGenerator

import orjson
import pytest

from predictors.serving import errors
from predictors.serving.app.middleware.errors import HTTP_STATUS
from predictors.serving.errors import (
    Forbidden,
    InvalidInput,
    MethodNotAllowed,
    Overloaded,
    RateLimited,
    ServingError,
    Unauthenticated,
)
from predictors.serving.protocols import sse
from predictors.serving.protocols.http import Message, Request, Response
from predictors.serving.protocols.openai.replies import error_body
from tests.unit.serving.app.harness import Harness, run

EXAMPLES: dict[type[ServingError], ServingError] = {
    **{kind: kind("it is so") for kind in HTTP_STATUS if kind not in (MethodNotAllowed, Overloaded, RateLimited)},
    MethodNotAllowed: MethodNotAllowed("it is so", ("GET", "HEAD")),
    Overloaded: Overloaded("it is so", 7),
    RateLimited: RateLimited("it is so", 7, "client"),
}
CHALLENGES = {
    Unauthenticated: 'Bearer realm="predictors"',
    Forbidden: 'Bearer realm="predictors", error="insufficient_scope"',
}
DISCONNECT: Message = {"type": "http.disconnect"}


async def read(request: Request) -> Response:
    return Response(200, await request.body())


async def fail(request: Request) -> Response:
    raise RuntimeError("unforeseen")


async def wait(request: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


def test_each_error_has_a_status() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ServingError)}
    assert set(HTTP_STATUS) == kinds - {ServingError}


@pytest.mark.parametrize("kind", HTTP_STATUS)
def test_an_error_becomes_its_status_and_message(kind: type[ServingError]) -> None:
    async def refuse(request: Request) -> Response:
        raise EXAMPLES[kind]

    harness = Harness(refuse)
    answer = harness.ask("POST", "/refuse")
    assert (answer.status_code, answer.json()) == (HTTP_STATUS[kind], {"error": "it is so"})
    assert answer.headers.get("allow") == ("GET, HEAD" if kind is MethodNotAllowed else None)
    assert answer.headers.get("retry-after") == ("7" if kind in (Overloaded, RateLimited) else None)
    assert answer.headers.get("www-authenticate") == CHALLENGES.get(kind)
    assert "connection" not in answer.headers
    assert harness.counted() == {("", "", "test", str(answer.status_code)): 1}


def test_an_unforeseen_exception_is_reported_by_id_and_logged_in_detail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = Harness(fail)
    with caplog.at_level(logging.ERROR):
        answer = harness.ask("POST", "/fail", headers={"x-request-id": "the-id"})
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal error; the request id is the-id"}
    assert "request the-id failed" in caplog.text
    assert "RuntimeError: unforeseen" in caplog.text
    assert [line["status"] for line in harness.lines] == ["500"]


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (InvalidInput("it is so"), "400", "it is so"),
        (RuntimeError("unforeseen"), "500", "internal error; the request id is the-id"),
    ],
)
def test_an_error_in_a_stream_is_its_last_event(error: Exception, status: str, says: str) -> None:
    async def stream(request: Request) -> Response:
        async def parts() -> AsyncGenerator[bytes, None]:
            yield sse.event("first")
            yield sse.event("second")
            raise error

        return await sse.response(parts())

    harness = Harness(stream)
    answer = harness.ask("POST", "/stream", headers={"x-request-id": "the-id"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    last = b"event: error\ndata: " + orjson.dumps({"error": says}) + b"\n\n"
    assert answer.content == sse.event("first") + sse.event("second") + last
    assert [(line["status"], line["bytes_out"]) for line in harness.lines] == [(status, len(answer.content))]
    assert harness.counted() == {("", "", "test", status): 1}


@pytest.mark.parametrize(
    ("error", "status", "param", "kind"),
    [
        (InvalidInput("it is so", "messages[0].content"), 400, "messages[0].content", "invalid_request_error"),
        (RuntimeError("unforeseen"), 500, None, "server_error"),
    ],
)
def test_an_error_has_the_form_of_its_protocol(error: Exception, status: int, param: str | None, kind: str) -> None:
    async def refuse(request: Request) -> Response:
        raise error

    async def stream(request: Request) -> Response:
        async def parts() -> AsyncGenerator[bytes, None]:
            yield b""
            raise error

        return await sse.response(parts())

    harness = Harness(refuse, stream, error_body=error_body)
    answer = harness.ask("POST", "/refuse", headers={"x-request-id": "the-id"})
    assert answer.status_code == status
    content = answer.json()["error"]
    assert (content["type"], content["param"]) == (kind, param)
    assert content["message"] == ("it is so" if status == 400 else "internal error; the request id is the-id")
    streamed = harness.ask("POST", "/stream", headers={"x-request-id": "the-id"})
    assert streamed.content == b"event: error\ndata: " + answer.content + b"\n\n"


def test_an_error_before_the_first_part_of_a_stream_has_its_own_status() -> None:
    async def stream(request: Request) -> Response:
        async def parts() -> AsyncGenerator[bytes, None]:
            raise InvalidInput("it is so")
            yield b""

        return await sse.response(parts())

    answer = Harness(stream).ask("POST", "/stream")
    assert (answer.status_code, answer.json()) == (400, {"error": "it is so"})


def test_a_disconnect_while_the_body_is_read_is_logged_as_499() -> None:
    harness = Harness(read)
    part: Message = {"type": "http.request", "body": b"half", "more_body": True}
    assert run(harness.call("/read", part, DISCONNECT)) == []
    assert [(line["status"], line["bytes_in"]) for line in harness.lines] == [("499", 4)]
    assert harness.counted() == {("", "", "test", "499"): 1}


async def _cancelled(harness: Harness) -> list[Message]:
    """Return what is sent when a request is cancelled while its handler waits."""
    task = asyncio.create_task(harness.call("/wait"))
    await asyncio.sleep(0)
    task.cancel()
    return await task


def test_cancellation_by_a_disconnect_is_logged_as_499() -> None:
    harness = Harness(wait)
    assert run(_cancelled(harness)) == []
    assert [line["status"] for line in harness.lines] == ["499"]
    assert harness.counted() == {("", "", "test", "499"): 1}


def test_cancellation_by_the_ending_server_becomes_503() -> None:
    harness = Harness(wait)
    harness.ending = True
    start, body = run(_cancelled(harness))
    assert start["status"] == 503
    assert orjson.loads(body["body"]) == {"error": "the server ended before the answer was ready"}
    assert [line["status"] for line in harness.lines] == ["503"]


def test_an_early_response_to_expect_100_continue_closes_the_connection() -> None:
    """The client may or may not send its body, so the next bytes would be ambiguous."""

    async def ignore(request: Request) -> Response:
        return Response(200, b"answer")

    harness = Harness(read, fail, ignore)
    for path in ("/fail", "/ignore", "/nowhere"):
        assert harness.ask("POST", path, headers={"expect": "100-continue"}).headers["connection"] == "close"
    assert "connection" not in harness.ask("POST", "/read", headers={"expect": "100-continue"}).headers


def test_a_whole_answer_that_the_end_of_the_server_cuts_off_is_followed_by_nothing() -> None:
    """No event, which would be taken for the body; the connection ends instead."""
    harness = Harness(read)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"text"}

    async def send(message: Message) -> None:
        sent.append(message)
        harness.ending = True
        raise asyncio.CancelledError  # while the client takes nothing

    async def scenario() -> None:
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/read", "headers": []}
        await harness.app(scope, receive, send)

    run(scenario())
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert [line["status"] for line in harness.lines] == ["503"]
