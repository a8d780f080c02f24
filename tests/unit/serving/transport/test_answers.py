"""How answers look on the wire, in which order they come, and which of them end their connection."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator

import pytest

from predictors.serving.app.application import send_response
from predictors.serving.protocols.http import Receive, Request, Response, Scope, Send
from predictors.serving.telemetry.call import RequestIds
from tests.unit.serving.transport.loopback import Answer, Client, Loopback, get, post, respond, turns, until
from tests.unit.serving.transport.scripted import PARTS, Scripted

HEAD = b"HEAD /fixed HTTP/1.1\r\nhost: x\r\n\r\n"
EXPECT = "expect: 100-continue"
MB = 2**20


async def fixed(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, b"fixed", 201, [(b"x-a", b"b")])


async def whole_or_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """A stream, by the application's own hand."""

    async def parts() -> AsyncGenerator[bytes, None]:
        for part in PARTS[1:]:
            yield part

    request = Request(scope, RequestIds().choose, 0)
    await send_response(Response(200, PARTS[0], stream=parts()), request, scope, send)


@pytest.fixture
def app() -> Scripted:
    return Scripted(fixed=fixed, whole_or_stream=whole_or_stream)


@pytest.fixture
def scripted(app: Scripted) -> Iterator[Loopback]:
    with Loopback(app) as running:
        yield running


async def check_goes_on(client: Client) -> None:
    """The connection takes another request, and is in step."""
    await client.send(get("/on"))
    assert (await client.answer()).asked == ("GET", "/on", b"")


async def check_ends(client: Client) -> None:
    """The server has ended the connection, with nothing after the last answer."""
    assert await client.rest() == b""


def test_an_answer_is_the_applications_with_a_date(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/fixed"))
            answer = await client.answer()
            assert answer.headers.pop("date").endswith(" GMT")
            assert answer == Answer(201, {"content-length": "5", "x-a": "b"}, b"fixed")
            await check_goes_on(client)

    scripted.run(scenario())


def test_head_is_answered_without_a_body_but_with_its_length(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(HEAD + HEAD)
            for _ in range(2):
                answer = await client.answer(to_head=True)
                assert (answer.status, answer.headers["content-length"]) == (201, "5")
            await check_goes_on(client)

    scripted.run(scenario())


def test_head_of_a_stream_has_no_chunks(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(HEAD.replace(b"/fixed", b"/stream"))
            answer = await client.answer(to_head=True)
            assert answer.status == 200
            assert "content-length" not in answer.headers
            await check_goes_on(client)

    scripted.run(scenario())


def test_a_stream_comes_in_chunks(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            for path in ("/stream", "/whole_or_stream"):
                await client.send(get(path))
                answer = await client.answer()
                assert answer.headers["transfer-encoding"] == "chunked"
                assert answer.body == b"".join(PARTS)
            await check_goes_on(client)

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
def test_a_stream_to_a_client_that_knows_no_chunks_comes_whole(scripted: Loopback, headers: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/whole_or_stream", *headers, version="1.0"))
            answer = await client.answer()
            assert answer.body == b"".join(PARTS)
            assert answer.headers["content-length"] == str(len(answer.body))
            assert answer.headers["connection"] == ("keep-alive" if headers else "close")
            await (check_goes_on if headers else check_ends)(client)

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
            await check_goes_on(client)

    scripted.run(scenario())


async def check_is_not_read(client: Client, text: bytes) -> None:
    """Of a text that is larger than what the kernel holds, a part stays with the client."""
    client.transport.write(text)
    before = -1
    while before != client.transport.get_write_buffer_size():
        before = client.transport.get_write_buffer_size()
        await turns(100)
    assert before > len(text) / 2


def test_behind_a_request_that_waits_hardly_anything_is_read(app: Scripted, scripted: Loopback) -> None:
    body = bytes(MB)

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/wait"))
            await check_is_not_read(client, (post("/never-read", MB) + body) * 32)
            app.gate.set()
            assert (await client.answer()).body == b"waited"
            for _ in range(32):
                assert (await client.answer()).status == 404
            await check_goes_on(client)

    scripted.run(scenario())


def test_a_body_is_read_only_when_it_is_asked_for(app: Scripted, scripted: Loopback) -> None:
    body = bytes(32 * MB)

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/count-later", len(body)))
            await check_is_not_read(client, body)
            app.gate.set()
            assert (await client.answer()).body == b"%d" % len(body)
            await check_goes_on(client)

    scripted.run(scenario())


def test_leave_to_send_a_body_is_given_once_it_is_asked_for(app: Scripted, scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/read-later", 4, EXPECT))
            await turns(10)
            assert not client.received
            app.gate.set()
            assert (await client.answer(to_head=True)).status == 100
            await client.send(b"body")
            assert (await client.answer()).asked == ("POST", "/read-later", b"body")
            await check_goes_on(client)

    scripted.run(scenario())


def test_a_client_of_http_1_0_is_not_given_leave(scripted: Loopback) -> None:
    """It would take it for the answer (RFC 9110, 10.1.1)."""

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/a", 4, EXPECT).replace(b"HTTP/1.1", b"HTTP/1.0"), b"body")
            assert (await client.answer()).asked == ("POST", "/a", b"body")
            await check_ends(client)

    scripted.run(scenario())


def test_what_the_application_ends_is_ended(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/close") + get("/never"))
            answer = await client.answer()
            assert (answer.body, answer.closes) == (b"closed", True)
            await check_ends(client)

    scripted.run(scenario())


@pytest.mark.parametrize(
    "request_", [get("/fail"), post("/fail", 10, "connection: close")], ids=["all here", "body to come"]
)
def test_an_application_that_fails_ends_its_connection_alone(
    app: Scripted, scripted: Loopback, caplog: pytest.LogCaptureFixture, request_: bytes
) -> None:
    async def scenario() -> None:
        async with scripted.client() as other, scripted.client() as client:
            await client.send(request_)
            await check_ends(client)
            await check_goes_on(other)

    with caplog.at_level(logging.ERROR):
        scripted.run(scenario())
    assert caplog.text.count("RuntimeError: unforeseen") == 1
    assert app.begun == ["/fail", "/on"]
    assert scripted.connections.waiting == 0


@pytest.mark.parametrize("header", [(), ("connection: close",)], ids=["keep-alive", "close"])
def test_the_rest_of_a_refused_body_is_taken_in(scripted: Loopback, header: tuple[str, ...]) -> None:
    """Otherwise its client would see a reset instead of the refusal."""

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/never-read", 8 * MB, *header), bytes(100))
            answer = await client.answer()
            assert (answer.status, answer.closes) == (404, bool(header))
            await client.send(bytes(8 * MB - 200))
            await turns(100)
            assert not client.ended
            await client.send(bytes(100))
            await (check_ends if header else check_goes_on)(client)

    scripted.run(scenario())


def test_the_rest_of_a_refused_body_is_not_taken_in_for_ever(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/never-read", 2**40))
            assert (await client.answer()).status == 404
            for _ in range(80):
                await client.send(bytes(MB))
                await turns(20)
            await until(lambda: client.ended)

    scripted.run(scenario())


def test_while_the_server_drains_each_answer_is_the_last(app: Scripted, scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as waiting, scripted.client() as idle:
            await waiting.send(get("/wait"))
            await check_goes_on(idle)
            scripted.listener.drain()
            app.gate.set()
            await idle.send(get("/a") + get("/b"))
            async with scripted.client() as new:
                await new.send(get("/c"))
                for client in (waiting, idle, new):
                    answer = await client.answer()
                    assert (answer.status, answer.closes) == (200, True)
                    await check_ends(client)

    scripted.run(scenario())


@pytest.mark.parametrize("behind", [b"", b"GET /b HTTP/1.1\r\n"], ids=["nothing", "a part of a head"])
def test_what_was_pipelined_before_the_drain_is_answered(app: Scripted, scripted: Loopback, behind: bytes) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/wait") + get("/a") + behind)
            scripted.listener.drain()
            app.gate.set()
            if behind:
                await client.send(b"host: x\r\n\r\n")
            answers = await client.answers(3 if behind else 2)
            assert [answer.closes for answer in answers] == [False] * (len(answers) - 1) + [True]
            await check_ends(client)

    scripted.run(scenario())
