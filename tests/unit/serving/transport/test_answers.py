"""Responses on the wire: their form, their order, and when they close the connection."""

import asyncio
import logging
from collections.abc import AsyncGenerator

import pytest

from predictors.serving.app.responding import send_response
from predictors.serving.protocols.http import Receive, Request, Response, Scope, Send
from predictors.serving.telemetry.call import RequestIds
from tests.unit.serving.transport.client import Answer, get, post, turns, until
from tests.unit.serving.transport.loopback import Loopback, respond
from tests.unit.serving.transport.scripted import PARTS, Scripted

HEAD = b"HEAD /fixed HTTP/1.1\r\nhost: x\r\n\r\n"
EXPECT = "expect: 100-continue"
MB = 2**20


async def fixed(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, b"fixed", 201, [(b"x-a", b"b")])


async def whole_or_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a stream the way the real application does."""

    async def parts() -> AsyncGenerator[bytes, None]:
        for part in PARTS[1:]:
            yield part

    request = Request(scope, RequestIds().choose, 0)
    await send_response(Response(200, PARTS[0], stream=parts()), request, scope, send)


@pytest.fixture
def app() -> Scripted:
    return Scripted(fixed=fixed, whole_or_stream=whole_or_stream)


def test_a_response_is_the_applications_plus_a_date(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/fixed"))
            answer = await client.answer()
            assert answer.headers.pop("date").endswith(" GMT")
            assert answer == Answer(201, {"content-length": "5", "x-a": "b"}, b"fixed")
            await client.check_goes_on()

    scripted.run(scenario())


def test_head_has_a_content_length_but_no_body(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(HEAD + HEAD)
            for _ in range(2):
                answer = await client.answer(to_head=True)
                assert (answer.status, answer.headers["content-length"]) == (201, "5")
            await client.check_goes_on()

    scripted.run(scenario())


def test_head_of_a_stream_has_no_chunks(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(HEAD.replace(b"/fixed", b"/stream"))
            answer = await client.answer(to_head=True)
            assert answer.status == 200
            assert "content-length" not in answer.headers
            await client.check_goes_on()

    scripted.run(scenario())


def test_a_stream_comes_in_chunks(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            for path in ("/stream", "/whole_or_stream"):
                await client.send(get(path))
                answer = await client.answer()
                assert answer.headers["transfer-encoding"] == "chunked"
                assert answer.body == b"".join(PARTS)
            await client.check_goes_on()

    scripted.run(scenario())


def test_the_parts_of_a_stream_come_as_they_are_made() -> None:
    gate = asyncio.Event()

    async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ab", "more_body": True})
        await gate.wait()
        await send({"type": "http.response.body", "body": b"cd"})

    async def scenario() -> None:
        async with loopback.client() as client:
            await client.send(get("/"))
            await until(lambda: client.received.endswith(b"\r\n\r\n2\r\nab\r\n"))
            gate.set()
            assert (await client.answer()).body == b"abcd"

    with Loopback(slowly) as loopback:
        loopback.run(scenario())


@pytest.mark.parametrize("headers", [(), ("connection: keep-alive",)], ids=["close", "keep-alive"])
def test_http_1_0_clients_get_a_stream_as_one_body(scripted: Loopback, headers: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/whole_or_stream", *headers, version="1.0"))
            answer = await client.answer()
            assert answer.body == b"".join(PARTS)
            assert answer.headers["content-length"] == str(len(answer.body))
            assert answer.headers["connection"] == ("keep-alive" if headers else "close")
            await (client.check_goes_on if headers else client.check_ends)()

    scripted.run(scenario())


def test_pipelined_requests_are_answered_one_at_a_time_in_their_order(app: Scripted, scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/a") + get("/wait") + post("/b", 4) + b"body", get("/c"))
            assert (await client.answer()).asked == ("GET", "/a", b"")
            await turns(10)
            assert app.begun == ["/a", "/wait"]
            app.gate.set()
            assert (await client.answer()).body == b"waited"
            assert (await client.answer()).asked == ("POST", "/b", b"body")
            assert (await client.answer()).asked == ("GET", "/c", b"")
            await client.check_goes_on()

    scripted.run(scenario())


def test_connection_close_from_the_application_is_honoured(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/close") + get("/never"))
            answer = await client.answer()
            assert (answer.body, answer.closes) == (b"closed", True)
            await client.check_ends()

    scripted.run(scenario())


@pytest.mark.parametrize(
    "request_", [get("/fail"), post("/fail", 10, "connection: close")], ids=["all here", "body to come"]
)
def test_a_failing_application_closes_only_its_own_connection(
    app: Scripted, scripted: Loopback, caplog: pytest.LogCaptureFixture, request_: bytes
) -> None:
    async def scenario() -> None:
        async with scripted.client() as other, scripted.client() as client:
            await client.send(request_)
            await client.check_ends()
            await other.check_goes_on()

    with caplog.at_level(logging.ERROR):
        scripted.run(scenario())
    assert caplog.text.count("RuntimeError: unforeseen") == 1
    assert app.begun == ["/fail", "/on"]
    assert scripted.connections.waiting == 0


def test_while_draining_every_response_closes_its_connection(app: Scripted, scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as waiting, scripted.client() as idle:
            await waiting.send(get("/wait"))
            await idle.check_goes_on()
            scripted.listener.drain()
            app.gate.set()
            await idle.send(get("/a") + get("/b"))
            async with scripted.client() as new:
                await new.send(get("/c"))
                for client in (waiting, idle, new):
                    answer = await client.answer()
                    assert (answer.status, answer.closes) == (200, True)
                    await client.check_ends()

    scripted.run(scenario())
    assert scripted.refused == []
    assert "/b" not in app.begun


@pytest.mark.parametrize("behind", [b"", b"GET /b HTTP/1.1\r\n"], ids=["nothing", "a part of a head"])
def test_requests_pipelined_before_draining_are_answered(app: Scripted, scripted: Loopback, behind: bytes) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/wait") + get("/a") + behind)
            scripted.listener.drain()
            app.gate.set()
            if behind:
                await client.send(b"host: x\r\n\r\n")
            answers = await client.answers(3 if behind else 2)
            assert [answer.closes for answer in answers] == [False] * (len(answers) - 1) + [True]
            await client.check_ends()

    scripted.run(scenario())
